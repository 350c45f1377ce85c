/// Planar audio in memory: `[channels, frames]`, 32-bit floats, full scale at ±1.
public struct AudioBuffer: Sendable, Equatable {
  /// `[channels, frames]`; every channel has the same number of frames.
  public var channels: [[Float]]

  /// Wraps the samples of each channel, `[channels, frames]`.
  public init(channels: [[Float]]) {
    self.channels = channels
  }

  /// Silence.
  public init(channelCount: Int, frameCount: Int) {
    channels = Array(repeating: Array(repeating: 0, count: frameCount), count: channelCount)
  }

  public var channelCount: Int { channels.count }

  /// Frames per channel; where the channels disagree, what all of them have.
  public var frameCount: Int { channels.lazy.map(\.count).min() ?? 0 }

  public var isEmpty: Bool { frameCount == 0 }

  /// Adds the frames of `other`, which has the same number of channels, at the end.
  mutating func append(_ other: AudioBuffer) {
    for index in channels.indices { channels[index].append(contentsOf: other.channels[index]) }
  }
}
