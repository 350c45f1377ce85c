import Tensors

/// A track in memory with its mean taken off and divided by its standard deviation, and silence for ever around it.
///
/// Numbers are normalised as they are read, so the track is held once.
public struct NormalizedTrack: TrackSamples, Sendable {
  /// Samples of each channel at full scale 1, equally many in each.
  public let channels: [[Float]]
  public let statistics: TrackStatistics

  public init(channels: [[Float]], statistics: TrackStatistics) {
    self.channels = channels
    self.statistics = statistics
  }

  /// Samples of a channel.
  public var length: Int { channels.first?.count ?? 0 }

  /// Reads `count` samples of every channel from sample `start`, which may lie before the track.
  /// - Returns: `[channels, count]`, zero outside the track.
  public func samples(from start: Int, count: Int) throws(Never) -> Tensor {
    let result = Tensor(shape: [channels.count, count])
    let inside = max(0, start)..<max(0, start, min(length, start + count))
    for (row, channel) in channels.enumerated() {
      let target = result.data + row * count
      for index in inside {
        target[index - start] = (channel[index] - statistics.mean) / statistics.deviation
      }
    }
    return result
  }
}
