/// Mean and standard deviation of the mono mix of a track, by which the track is normalised before the network and
/// its stems are brought back: `demucs.api.Separator.separate_tensor`.
public struct TrackStatistics: Equatable, Sendable {
  /// Mean of the mono mix at full scale 1.
  public let mean: Float
  /// Unbiased standard deviation of the mono mix, plus 1e-8 so that silence divides by something.
  public let deviation: Float

  public init(mean: Float, deviation: Float) {
    self.mean = mean
    self.deviation = deviation
  }

  /// A normalised sample as it was, at full scale 1.
  func restored(_ sample: Float) -> Float { sample * deviation + mean }

  /// Measures a whole track: the samples of each channel, equally many in each.
  public init(of channels: [[Float]]) {
    var accumulator = Accumulator()
    accumulator.add(channels)
    self = accumulator.statistics
  }

  /// Takes a track block by block.
  ///
  /// Sums run in double precision over the distance from the first sample: a constant track gets a deviation of
  /// exactly 0, and the result does not depend on where blocks end.
  public struct Accumulator: Sendable {
    private var pivot = 0.0
    private var sum = 0.0
    private var sumOfSquares = 0.0
    /// Samples of a channel taken so far.
    public private(set) var count = 0

    public init() {}

    /// Adds the next samples of each channel, equally many in each.
    public mutating func add(_ channels: [[Float]]) {
      guard let first = channels.first, !first.isEmpty else { return }
      if count == 0 { pivot = Accumulator.mono(channels, at: 0) }
      for index in first.indices {
        let distance = Accumulator.mono(channels, at: index) - pivot
        sum += distance
        sumOfSquares += distance * distance
      }
      count += first.count
    }

    /// The statistics of what was added; those of silence if nothing was.
    ///
    /// A track of one sample has no unbiased deviation (PyTorch gives NaN); here it has 0.
    public var statistics: TrackStatistics {
      guard count > 0 else { return TrackStatistics(mean: 0, deviation: 1e-8) }
      let size = Double(count)
      let squares = max(0, sumOfSquares - sum * sum / size)
      let deviation = count > 1 ? (squares / (size - 1)).squareRoot() : 0
      return TrackStatistics(mean: Float(pivot + sum / size), deviation: Float(deviation) + 1e-8)
    }

    private static func mono(_ channels: [[Float]], at index: Int) -> Double {
      var sum = 0.0
      for channel in channels { sum += Double(channel[index]) }
      return sum / Double(channels.count)
    }
  }
}
