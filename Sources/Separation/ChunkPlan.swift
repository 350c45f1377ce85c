/// One stretch of a track that the network sees at once.
public struct Chunk: Equatable, Sendable {
  /// Position in the plan, from 0.
  public let index: Int
  /// First sample, counted from the start of the pass.
  public let offset: Int
  /// Samples that the chunk answers for: the segment length, less at the end of the track.
  public let length: Int

  public init(index: Int, offset: Int, length: Int) {
    self.index = index
    self.offset = offset
    self.length = length
  }
}

/// Where the chunks of a pass over a track lie: the `split` branch of `demucs.apply.apply_model`.
///
/// Chunk *k* starts at sample `k * stride` and is `segmentLength` long, or as long as the track lasts.
public struct ChunkPlan: Sequence, Equatable, Sendable {
  /// Samples of the pass.
  public let length: Int
  /// Samples of a whole chunk.
  public let segmentLength: Int
  /// Samples from the start of a chunk to the start of the next, 1 to `segmentLength`.
  public let stride: Int

  /// - Parameters:
  ///   - length: samples of the pass, at least 1.
  ///   - geometry: segment length and stride.
  public init(length: Int, geometry: ChunkGeometry) {
    self.length = length
    segmentLength = geometry.segmentLength
    stride = geometry.stride
  }

  /// Number of chunks.
  public var count: Int { (length + stride - 1) / stride }

  /// Chunk `index` of `count`.
  public subscript(index: Int) -> Chunk {
    let offset = index * stride
    return Chunk(index: index, offset: offset, length: Swift.min(length - offset, segmentLength))
  }

  /// Number of samples, from the first, that no chunk after `index` touches.
  public func finishedLength(after index: Int) -> Int { Swift.min((index + 1) * stride, length) }

  public func makeIterator() -> AnyIterator<Chunk> {
    var next = 0
    return AnyIterator {
      guard next < count else { return nil }
      defer { next += 1 }
      return self[next]
    }
  }
}
