/// How a track is cut, overlapped and shifted around the network; the defaults are those of `demucs`.
public struct SeparationOptions: Sendable, Equatable {
  /// Number of passes over the track, each delayed by another random amount and averaged ("shift trick" of
  /// `demucs.apply.apply_model`); 0 is one pass without a delay.
  public var shifts: Int
  /// Share of a segment that it has in common with the next, at least 0 and below 1.
  public var overlap: Double
  /// Length of a segment in seconds; `nil` is the length that the network was trained on, which is the longest
  /// allowed unless the model `takesLongSegments`.
  public var segment: Double?
  /// Whether a track is cut into segments at all; a whole track in one segment takes memory that grows with it, and an
  /// HTDemucs takes no track longer than the segments that it was trained on.
  public var isSplit: Bool
  /// Exponent of the triangular weight that joins segments, at least 1: larger is a sharper transition.
  public var transitionPower: Double
  /// Seed of the random shifts. Every track starts from it anew, so a result does not depend on its batch.
  public var seed: UInt64

  public init(
    shifts: Int = 1, overlap: Double = 0.25, segment: Double? = nil, transitionPower: Double = 1,
    seed: UInt64 = 0, isSplit: Bool = true
  ) {
    self.shifts = shifts
    self.overlap = overlap
    self.segment = segment
    self.transitionPower = transitionPower
    self.seed = seed
    self.isSplit = isSplit
  }

  /// The same with what makes no difference as it is by default: the seed without shifts, and how segments are joined where
  /// none share a sample. What is equal so gives equal stems.
  public var effective: SeparationOptions {
    var options = self
    if !isSplit { options.overlap = SeparationOptions().overlap }
    if !isSplit || overlap == 0 { options.transitionPower = 1 }
    if shifts == 0 { options.seed = 0 }
    return options
  }
}
