import Foundation

/// How threads are shared out between segments of a song that are separated at the same time.
///
/// The threads of one segment wait for each other after every step, which a few do without loss and many do not; segments
/// never wait, but each takes memory of its own. So a further segment is begun for every four threads, and all of
/// them work on a song of one segment. Nothing of this changes a bit of the result.
package enum Parallelism {
  /// Threads that share one segment before a second segment is begun.
  static let threadsPerSegment = 4

  /// - Parameters:
  ///   - threads: threads in all.
  ///   - segments: segments that wait to be separated.
  ///   - bytesPerSegment: memory that a segment in progress takes.
  ///   - availableBytes: memory that may be used, nil if it is not known.
  package static func segmentsAtOnce(
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

}

extension Configuration {
  /// Bytes of activations of a segment of `length` samples, by the maps that are alive at the same time; an estimate.
  package func segmentBytes(_ length: Int) -> Double {
    let frames = Double(frames(length))
    var floats = 0.0
    var samples = Double(length)
    for layer in layers {
      floats += 2 * Double(layer.outputRows * layer.outputChannels) * frames
      if let time = layer.time {
        samples = (samples / Double(time.stride)).rounded(.up)
        floats += 2 * Double(time.outputChannels) * samples
      }
    }
    floats += Double(sources.count * spectrogramChannels * frequencies) * frames
    floats += Double(2 * sources.count * audioChannels) * Double(length)
    return floats * Double(MemoryLayout<Float>.stride)
  }

  /// - Parameters:
  ///   - memory: what there is.
  ///   - held: bytes of it that serve already.
  /// - Throws: `SegmentError` if a segment of that length is more than this process may ever hold.
  package func checkMemory(_ length: Int, in memory: MemoryInReach, held: Int = 0) throws {
    let needed = segmentBytes(length)
    guard needed < Double(memory.most) else {
      throw SegmentError.memory(needed: needed, available: Double(memory.most))
    }
    guard needed < Double(memory.free ?? .max) + Double(held) else {
      throw SegmentError.addressSpace(needed: needed, available: Double(memory.free ?? 0))
    }
  }
}
