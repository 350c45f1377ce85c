import CKernels
import Tensors

/// Attention of the columns of a map to each other, in which a key loses weight with its distance from the query and no
/// query sees itself.
///
/// The score of query s and key t is `q(s) . k(t) / sqrt(d) - decay(s) |s - t|`, and `selfScore` where they are the same.
/// As in `Attention`, a tile of queries meets the keys tile by tile, and the softmax is carried along.
public struct DistanceAttention: Sendable {
  public let heads: Int
  /// Channels of one head.
  public let headWidth: Int
  /// The score of a query with itself: so low that it counts where nothing else does.
  public let selfScore: Float
  public let precision: AttentionPrecision

  /// Queries that a worker takes at a time, and keys that they meet at a time.
  static let queryTile = 64
  static let keyTile = 480

  public init(heads: Int, headWidth: Int, selfScore: Float, precision: AttentionPrecision = .full) {
    self.heads = heads
    self.headWidth = headWidth
    self.selfScore = selfScore
    self.precision = precision
  }

  /// - Parameters:
  ///   - queries, keys, values: `[rows, heads x headWidth, columns]`; rows do not see each other.
  ///   - decay: `[rows, heads, columns]`, of the queries, not negative.
  ///   - output: `[rows, heads x headWidth, columns]`, written.
  public func callAsFunction(
    queries: FeatureMap, keys: FeatureMap, values: FeatureMap, decay: FeatureMap, into output: FeatureMap,
    workspace: Workspace
  ) {
    let mark = workspace.arena.mark
    let columns = queries.columns
    let width = (headWidth + 15) & ~15
    // Values with the channels of a column side by side: what a weighted sum over columns runs along.
    let size = columns * width
    let turned = workspace.arena.allocate(queries.rows * heads * size)
    workspace.forEach(queries.rows * heads) { unit, _ in
      let (row, head) = unit.quotientAndRemainder(dividingBy: heads)
      kernel_transpose(
        turned + unit * size, width, values.line(row: row, channel: head * headWidth), values.stride, headWidth, columns
      )
    }
    let tiles = (columns + Self.queryTile - 1) / Self.queryTile
    workspace.forEach(queries.rows * heads * tiles) { unit, scratch in
      let (part, tile) = unit.quotientAndRemainder(dividingBy: tiles)
      let (row, head) = part.quotientAndRemainder(dividingBy: heads)
      attend(
        queries: queries.line(row: row, channel: head * headWidth), queries.stride,
        keys: keys.line(row: row, channel: head * headWidth), keys.stride, values: turned + part * size, width,
        decay: decay.line(row: row, channel: head), first: tile * Self.queryTile, columns: columns,
        into: output.line(row: row, channel: head * headWidth), output.stride, scratch: scratch)
    }
    workspace.arena.rewind(to: mark)
  }

  /// One head, one tile of queries. Queries, keys and the result are `[headWidth, columns]`, values `[columns, headWidth]`.
  private func attend(
    queries: UnsafePointer<Float>, _ queryStride: Int, keys: UnsafePointer<Float>, _ keyStride: Int,
    values: UnsafePointer<Float>, _ valueStride: Int, decay: UnsafePointer<Float>, first: Int, columns: Int,
    into out: UnsafeMutablePointer<Float>, _ outStride: Int, scratch: Arena
  ) {
    let count = min(Self.queryTile, columns - first)
    let turned = scratch.allocate(count * headWidth)
    kernel_transpose(turned, headWidth, queries + first, queryStride, headWidth, count)
    let scores = scratch.allocate(count * Self.keyTile)
    let gathered = scratch.allocate(count * valueStride)
    let maximum = scratch.allocate(count)
    let sum = scratch.allocate(count)
    maximum.update(repeating: -.infinity, count: count)
    sum.update(repeating: 0, count: count)
    // The softmax multiplies by 1 / sqrt(d), penalties and all.
    let root = Float(headWidth).squareRoot()
    let slope = scratch.allocate(count)
    for query in 0..<count { slope[query] = decay[first + query] * root }
    guard precision.isFull else {
      let stride = (columns + 15) & ~15
      let all = scratch.allocate(count * stride)
      MatrixMultiply.multiply(
        rows: count, columns: columns, depth: headWidth, turned, headWidth, keys, keyStride, into: all, stride,
        compute: precision.product.compute)
      kernel_distance_penalty(all, count, columns, stride, first, slope, selfScore * root)
      precision.weigh(
        all, rows: count, keys: columns, stride: stride, scale: 1 / root, values, valueStride, width: headWidth,
        into: gathered, valueStride, scratch: scratch)
      kernel_transpose(out + first, outStride, gathered, valueStride, count, headWidth)
      return
    }
    for start in stride(from: 0, to: columns, by: Self.keyTile) {
      let width = min(Self.keyTile, columns - start)
      MatrixMultiply.multiply(
        rows: count, columns: width, depth: headWidth, turned, headWidth, keys + start, keyStride, into: scores,
        Self.keyTile)
      kernel_distance_penalty(scores, count, width, Self.keyTile, first - start, slope, selfScore * root)
      // Before the first tile there are no values to fade.
      kernel_softmax_step(
        scores, count, width, Self.keyTile, 1 / root, maximum, sum, gathered, start == 0 ? 0 : headWidth, valueStride)
      MatrixMultiply.multiply(
        rows: count, columns: headWidth, depth: width, scores, Self.keyTile, values + start * valueStride, valueStride,
        into: gathered, valueStride, accumulate: start > 0)
    }
    kernel_softmax_finish(gathered, count, headWidth, valueStride, sum)
    kernel_transpose(out + first, outStride, gathered, valueStride, count, headWidth)
  }
}
