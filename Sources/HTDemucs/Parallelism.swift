import Foundation

/// How threads are shared out between segments of a song that are separated at the same time.
///
/// The threads of one segment wait for each other after every step, which a few do without loss and many do not; segments
/// never wait, but each takes memory of its own. So up to four threads work on one segment, and more threads on more
/// segments. Nothing of this changes a bit of the result.
enum Parallelism {
  /// Threads that share one segment before a second segment is begun.
  static let threadsPerSegment = 4

  /// - Parameters:
  ///   - threads: threads in all.
  ///   - segments: segments that wait to be separated.
  ///   - bytesPerSegment: memory that a segment in progress takes.
  ///   - availableBytes: memory that may be used, nil if it is not known.
  static func segmentsAtOnce(
    threads: Int, segments: Int, bytesPerSegment: Int, availableBytes: Int?
  ) -> Int {
    let byThreads = threads / threadsPerSegment
    let byMemory = availableBytes.map { $0 / 2 / max(1, bytesPerSegment) } ?? byThreads
    return max(1, min(byThreads, segments, byMemory))
  }

  /// Threads of each of `count` segments: as even as can be, at least one.
  static func shares(threads: Int, count: Int) -> [Int] {
    (0..<count).map { max(1, threads / count + ($0 < threads % count ? 1 : 0)) }
  }

  /// What the kernel says can be had without swapping, in bytes.
  static var availableBytes: Int? {
    guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
      let kibibytes = line.split(separator: " ").compactMap({ Int($0) }).first
    else { return nil }
    return kibibytes << 10
  }
}

extension Configuration {
  /// Bytes of activations of one segment, by the maps that are alive at the same time; an estimate for planning.
  var segmentBytes: Int {
    let frames = frames(segmentLength)
    var floats = 0
    var samples = segmentLength
    for layer in layers {
      floats += 2 * layer.outputRows * layer.outputChannels * frames
      if let time = layer.time {
        samples = (samples + time.stride - 1) / time.stride
        floats += 2 * time.outputChannels * samples
      }
    }
    floats += sources.count * (spectrogramChannels * frequencies * frames + 2 * audioChannels * segmentLength)
    return floats * MemoryLayout<Float>.stride
  }
}
