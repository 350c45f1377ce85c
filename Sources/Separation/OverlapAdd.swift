import Tensors

/// Joins the separated chunks of a pass into one, and lets samples go as soon as no later chunk can touch them.
///
/// Each chunk is weighted by a triangle, added up, and divided by the sum of the weights, as in
/// `demucs.apply.apply_model`. Chunks are taken in the order of the plan, so that every sum is formed in one order and
/// a result does not depend on the number of threads. Memory is one segment of every row, however long the track.
public struct OverlapAdd {
  private let plan: ChunkPlan
  private let rows: Int
  private let weights: [Float]
  /// Weighted sums of the samples from `finished` on, `segmentLength` a row, row after row.
  private var sums: [Float]
  /// Sum of the weights of the same samples.
  private var weightSums: [Float]
  private var nextIndex = 0

  /// Samples handed out so far.
  public private(set) var finished = 0

  /// - Parameters:
  ///   - plan: where the chunks lie.
  ///   - rows: rows of every chunk: sources times channels.
  ///   - transitionPower: exponent of the triangle, at least 1.
  public init(plan: ChunkPlan, rows: Int, transitionPower: Double) {
    self.plan = plan
    self.rows = rows
    weights = TransitionWeights.triangle(segmentLength: plan.segmentLength, power: transitionPower)
    sums = [Float](repeating: 0, count: rows * plan.segmentLength)
    weightSums = [Float](repeating: 0, count: plan.segmentLength)
  }

  /// Adds the next chunk of the plan.
  /// - Parameters:
  ///   - output: what the network returned; its last axis is `paddedLength` samples, the axes before it hold `rows`.
  ///   - start: first sample of the last axis that belongs to the chunk; what was padded is left out.
  ///   - chunk: the chunk, whose index is the number of chunks added before.
  /// - Returns: `[rows, samples]`, the samples finished by this chunk; the first of them is sample `finished` of the
  ///   pass as it was before the call.
  public mutating func add(_ output: Tensor, from start: Int, to chunk: Chunk) -> Tensor {
    let paddedLength = output.shape.last ?? 0
    precondition(chunk.index == nextIndex, "chunk \(chunk.index) was added where \(nextIndex) is next")
    precondition(output.count == rows * paddedLength && start + chunk.length <= paddedLength)
    nextIndex += 1
    // Every chunk starts where the one before let go: the sums begin at its first sample.
    assert(chunk.offset == finished)
    let length = chunk.length
    let segment = plan.segmentLength
    sums.withUnsafeMutableBufferPointer { sums in
      for row in 0..<rows {
        let source = output.data + row * paddedLength + start
        let target = sums.baseAddress! + row * segment
        for sample in 0..<length { target[sample] += weights[sample] * source[sample] }
      }
    }
    for sample in 0..<length { weightSums[sample] += weights[sample] }
    return takeFinished(through: plan.finishedLength(after: chunk.index))
  }

  /// Divides and hands out the samples before `end`, and moves the rest to the front.
  private mutating func takeFinished(through end: Int) -> Tensor {
    let count = end - finished
    let segment = plan.segmentLength
    let result = Tensor(shape: [rows, count], zeroed: false)
    sums.withUnsafeMutableBufferPointer { sums in
      for row in 0..<rows {
        let source = sums.baseAddress! + row * segment
        let target = result.data + row * count
        for sample in 0..<count { target[sample] = source[sample] / weightSums[sample] }
        OverlapAdd.shiftLeft(source, by: count, of: segment)
      }
    }
    weightSums.withUnsafeMutableBufferPointer {
      OverlapAdd.shiftLeft($0.baseAddress!, by: count, of: segment)
    }
    finished = end
    return result
  }

  private static func shiftLeft(_ values: UnsafeMutablePointer<Float>, by count: Int, of total: Int) {
    values.update(from: values + count, count: total - count)
    (values + (total - count)).update(repeating: 0, count: count)
  }
}
