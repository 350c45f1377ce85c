import CKernels
import Tensors

/// Scaled dot-product attention, `softmax(q k^T / sqrt(d)) v` per head, in tiles.
///
/// A tile of queries meets the keys tile by tile; the softmax is carried along (online softmax, Milakov and Gimelshein
/// 2018), so that no more than `queryTile` x `keyTile` scores exist at a time.
public struct Attention: Sendable {
  public let heads: Int
  /// Features of one head.
  public let headWidth: Int
  public let precision: AttentionPrecision

  /// Queries that a worker takes at a time.
  static let queryTile = 64
  /// Keys that they meet at a time: the scores of a tile stay in cache.
  static let keyTile = 480

  public init(heads: Int, headWidth: Int, precision: AttentionPrecision = .full) {
    self.heads = heads
    self.headWidth = headWidth
    self.precision = precision
  }

  /// Rows of features, head after head, `stride` floats apart.
  public struct Sequence {
    let data: UnsafePointer<Float>
    let stride: Int
    let count: Int

    public init(_ data: UnsafePointer<Float>, stride: Int, count: Int) {
      self.data = data
      self.stride = stride
      self.count = count
    }
  }

  /// Writes `[queries, heads x headWidth]` to `out`, rows `outStride` apart.
  public func callAsFunction(
    queries: Sequence, keys: Sequence, values: Sequence, into out: UnsafeMutablePointer<Float>,
    _ outStride: Int, workspace: Workspace
  ) {
    // Keys with their features apart: a product then runs along keys that lie side by side.
    let mark = workspace.arena.mark
    let width = heads * headWidth
    let keyStride = (keys.count + 15) & ~15
    let turned = workspace.arena.allocate(width * keyStride)
    workspace.forEach(heads) { head, _ in
      kernel_transpose(
        turned + head * headWidth * keyStride, keyStride, keys.data + head * headWidth, keys.stride, keys.count,
        headWidth)
    }
    let tiles = (queries.count + Self.queryTile - 1) / Self.queryTile
    workspace.forEach(heads * tiles) { unit, scratch in
      let (head, tile) = unit.quotientAndRemainder(dividingBy: tiles)
      let first = tile * Self.queryTile
      let offset = head * headWidth
      attend(
        queries.data + first * queries.stride + offset, queries.stride,
        count: min(Self.queryTile, queries.count - first),
        turned + offset * keyStride, keyStride, values.data + offset, values.stride, keys: keys.count,
        into: out + first * outStride + offset, outStride, scratch: scratch)
    }
    workspace.arena.rewind(to: mark)
  }

  /// One head, one tile of queries. `keys` is `[headWidth, count]`, the others `[count, headWidth]`.
  private func attend(
    _ queries: UnsafePointer<Float>, _ queryStride: Int, count: Int, _ keys: UnsafePointer<Float>, _ keyStride: Int,
    _ values: UnsafePointer<Float>, _ valueStride: Int, keys keyCount: Int, into out: UnsafeMutablePointer<Float>,
    _ outStride: Int, scratch: Arena
  ) {
    guard precision.isFull else {
      let stride = (keyCount + 15) & ~15
      let scores = scratch.allocate(count * stride)
      MatrixMultiply.multiply(
        rows: count, columns: keyCount, depth: headWidth, queries, queryStride, keys, keyStride, into: scores, stride,
        compute: precision.product.compute)
      precision.weigh(
        scores, rows: count, keys: keyCount, stride: stride, scale: 1 / Float(headWidth).squareRoot(),
        values, valueStride, width: headWidth, into: out, outStride, scratch: scratch)
      return
    }
    let scores = scratch.allocate(count * Self.keyTile)
    let maximum = scratch.allocate(count)
    let sum = scratch.allocate(count)
    maximum.update(repeating: -.infinity, count: count)
    sum.update(repeating: 0, count: count)
    let scale = 1 / Float(headWidth).squareRoot()
    for start in stride(from: 0, to: keyCount, by: Self.keyTile) {
      let width = min(Self.keyTile, keyCount - start)
      MatrixMultiply.multiply(
        rows: count, columns: width, depth: headWidth, queries, queryStride, keys + start, keyStride, into: scores,
        Self.keyTile)
      // Before the first tile there are no values to fade.
      kernel_softmax_step(
        scores, count, width, Self.keyTile, scale, maximum, sum, out, start == 0 ? 0 : headWidth, outStride)
      MatrixMultiply.multiply(
        rows: count, columns: headWidth, depth: width, scores, Self.keyTile, values + start * valueStride, valueStride,
        into: out, outStride, accumulate: start > 0)
    }
    kernel_softmax_finish(out, count, headWidth, outStride, sum)
  }
}
