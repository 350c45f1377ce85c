import AudioFiles
import Tensors

/// A normalised track that chunks are cut from.
public protocol TrackSamples {
  /// What reading may throw; `Never` for a track that is in memory.
  associatedtype Failure: Error

  /// Samples of a channel.
  var length: Int { get }

  /// Reads `count` samples of every channel from sample `start`, which may lie before the track.
  /// - Returns: `[channels, count]`, zero outside the track.
  func samples(from start: Int, count: Int) throws(Failure) -> Tensor
}

/// A track that was measured and can be read from its start as often as there are networks.
struct MeasuredTrack {
  /// Samples of a channel, at least 1.
  let length: Int
  let statistics: TrackStatistics
  /// Begins to read.
  let open: () throws -> any TrackReader
}

/// Reads the samples of a track once, in order.
protocol TrackReader: AnyObject {
  /// The next samples of each channel, at full scale 1: at most `maximumFrames`, at least one.
  ///
  /// Is called until the track's whole length was returned, and not after that.
  /// - Throws: also if the track is not the one that was measured any more.
  func read(maximumFrames: Int) throws -> AudioBuffer
}

extension MeasuredTrack {
  /// A track in memory: equally many samples in every channel.
  init(_ track: NormalizedTrack) {
    length = track.length
    statistics = track.statistics
    open = { BufferReader(track.channels) }
  }
}

/// Reads what is in memory.
private final class BufferReader: TrackReader {
  private let channels: [[Float]]
  private var position = 0

  init(_ channels: [[Float]]) { self.channels = channels }

  func read(maximumFrames: Int) -> AudioBuffer {
    let end = min(position + maximumFrames, channels.first?.count ?? 0)
    defer { position = end }
    return AudioBuffer(channels: channels.map { Array($0[position..<end]) })
  }
}
