import Tensors

/// Joins the separated chunks of a pass into one, and lets samples go as soon as no later chunk can touch them.
///
/// Each chunk is weighted by a triangle, added up, and divided by the sum of the weights, as in
/// `demucs.apply.apply_model`. Chunks are taken in the order of the plan, so that every sum is formed in one order and
/// a result does not depend on the number of threads. Memory is the overlap of two chunks, however long the track.
public struct OverlapAdd {
  private let plan: ChunkPlan
  private let rows: Int
  private let weights: [Float]
  /// Samples that two neighbouring chunks share.
  private let overlap: Int
  /// Weighted sums of the samples from `finished` on, `overlap` a row, row after row; 0 where no chunk was yet.
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
    overlap = plan.segmentLength - plan.stride
    sums = [Float](repeating: 0, count: rows * overlap)
    weightSums = [Float](repeating: 0, count: overlap)
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
    let count = plan.finishedLength(after: chunk.index) - finished
    finished += count

    var weightSum = [Float](repeating: 0, count: chunk.length)
    for sample in 0..<min(overlap, chunk.length) { weightSum[sample] = weightSums[sample] }
    for sample in 0..<chunk.length { weightSum[sample] += weights[sample] }
    let result = Tensor(shape: [rows, count], zeroed: false)
    var sum = [Float](repeating: 0, count: chunk.length)
    for row in 0..<rows {
      let shared = row * overlap
      for sample in 0..<min(overlap, chunk.length) { sum[sample] = sums[shared + sample] }
      for sample in min(overlap, chunk.length)..<chunk.length { sum[sample] = 0 }
      let source = output.data + row * paddedLength + start
      for sample in 0..<chunk.length { sum[sample] += weights[sample] * source[sample] }
      let target = result.data + row * count
      for sample in 0..<count { target[sample] = sum[sample] / weightSum[sample] }
      keep(sum, from: count, in: &sums, at: shared)
    }
    keep(weightSum, from: count, in: &weightSums, at: 0)
    return result
  }

  /// Keeps what the next chunk adds to: the values from `count` on.
  private func keep(_ values: [Float], from count: Int, in target: inout [Float], at start: Int) {
    let rest = values.count - count
    for index in 0..<rest { target[start + index] = values[count + index] }
    for index in rest..<max(rest, overlap) { target[start + index] = 0 }
  }
}
