/// What a stem has to keep to be judged the same as its reference.
public struct Tolerance: Sendable, Equatable {
  /// The least SNR in dB.
  public var minimumSNR = 60.0
  /// A sample is outside where |e - r| > absolute + relative |r|, the rule of `numpy.allclose`.
  public var relative = 1e-3
  public var absolute = 1e-4
  /// The largest share of samples that may be outside.
  public var maximumOutside = 0.01
  /// The largest difference that any sample may have; nil sets no bound.
  public var maximumDifference: Double?
  /// dBFS RMS: a reference below it is near-silent. An SNR says nothing about such a stem, as its noise is not heard, and
  /// its error is held against `floor` instead.
  public var silence = -60.0
  /// dBFS RMS: the most that the error of a near-silent stem may have.
  public var floor = -100.0

  public init() {}
}
