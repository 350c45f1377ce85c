/// How the channels of a file become the channels that are wanted. The rules are those of
/// `convert_audio_channels` in `demucs`.
enum ChannelLayout {
  case unchanged
  /// Mono: the one channel serves for all.
  case replicated(Int)
  /// More than wanted: the first ones, the others are dropped.
  case first(Int)
  /// Many become one: the mean of all.
  case mean

  /// Nil if there is no rule: more channels are wanted than the file has, and it has more than one.
  init?(from available: Int, to wanted: Int) {
    if available == wanted {
      self = .unchanged
    } else if wanted == 1 {
      self = .mean
    } else if available == 1 {
      self = .replicated(wanted)
    } else if available > wanted {
      self = .first(wanted)
    } else {
      return nil
    }
  }

  /// The channels of `buffer` that have a part in the result.
  func select(_ buffer: AudioBuffer) -> AudioBuffer {
    guard case .first(let count) = self else { return buffer }
    return AudioBuffer(channels: Array(buffer.channels.prefix(count)))
  }

  /// Makes the wanted channels out of the selected ones.
  func mix(_ buffer: AudioBuffer) -> AudioBuffer {
    switch self {
    case .unchanged, .first:
      return buffer
    case .replicated(let count):
      return AudioBuffer(channels: buffer.channels.flatMap { Array(repeating: $0, count: count) })
    case .mean:
      var sum = [Float](repeating: 0, count: buffer.frameCount)
      for channel in buffer.channels {
        for frame in sum.indices { sum[frame] += channel[frame] }
      }
      let count = Float(buffer.channelCount)
      return AudioBuffer(channels: [sum.map { $0 / count }])
    }
  }
}
