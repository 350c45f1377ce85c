import Tensors

/// The part of a track that chunks still to come are cut from; the only part that is in memory.
///
/// It is read forwards, once. What was forgotten cannot be had again.
final class TrackWindow: TrackSamples {
  /// Samples read at a time.
  private static let blockFrames = 1 << 16

  let length: Int
  private let statistics: TrackStatistics
  private let reader: any TrackReader
  /// Samples `start..<end` of each channel, as they were read.
  private var channels: [[Float]]
  private var start = 0
  private var end = 0

  init(_ track: MeasuredTrack, channelCount: Int) throws {
    length = track.length
    statistics = track.statistics
    reader = try track.open()
    channels = [[Float]](repeating: [], count: channelCount)
  }

  func samples(from first: Int, count: Int) throws -> Tensor {
    let result = Tensor(shape: [channels.count, count])
    let inside = max(0, first)..<max(0, first, min(length, first + count))
    guard !inside.isEmpty else { return result }
    try fill(through: inside.upperBound)
    for (row, channel) in channels.enumerated() {
      let target = result.data + row * count
      for index in inside {
        target[index - first] = (channel[index - start] - statistics.mean) / statistics.deviation
      }
    }
    return result
  }

  /// The track as it was read, not normalised: samples of each channel.
  /// - Parameter range: inside the track, and not forgotten.
  func mix(_ range: Range<Int>) throws -> [ArraySlice<Float>] {
    try fill(through: range.upperBound)
    return channels.map { $0[range.lowerBound - start..<range.upperBound - start] }
  }

  /// Lets the samples before `position` go.
  func forget(before position: Int) {
    let count = min(position, end) - start
    guard count > 0 else { return }
    for row in channels.indices { channels[row].removeFirst(count) }
    start += count
  }

  private func fill(through position: Int) throws {
    while end < position {
      let block = try reader.read(maximumFrames: min(TrackWindow.blockFrames, length - end))
      for row in channels.indices { channels[row].append(contentsOf: block.channels[row]) }
      end += block.frameCount
    }
  }
}
