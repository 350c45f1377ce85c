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

  static let queryTile = 128
  static let keyTile = 512

  public init(heads: Int, headWidth: Int) {
    self.heads = heads
    self.headWidth = headWidth
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
    let tiles = (queries.count + Self.queryTile - 1) / Self.queryTile
    workspace.forEach(heads * tiles) { unit, scratch in
      let (head, tile) = unit.quotientAndRemainder(dividingBy: tiles)
      let first = tile * Self.queryTile
      attend(
        head: head, first: first, count: min(Self.queryTile, queries.count - first), queries, keys, values,
        into: out + first * outStride + head * headWidth, outStride, scratch: scratch)
    }
  }

  private func attend(
    head: Int, first: Int, count: Int, _ queries: Sequence, _ keys: Sequence, _ values: Sequence,
    into out: UnsafeMutablePointer<Float>, _ outStride: Int, scratch: Arena
  ) {
    let offset = head * headWidth
    let scores = scratch.allocate(count * Self.keyTile)
    let maximum = scratch.allocate(count)
    let sum = scratch.allocate(count)
    maximum.update(repeating: -.infinity, count: count)
    sum.update(repeating: 0, count: count)
    let scale = 1 / Float(headWidth).squareRoot()
    for start in stride(from: 0, to: keys.count, by: Self.keyTile) {
      let width = min(Self.keyTile, keys.count - start)
      MatrixMultiply.multiply(
        rows: count, columns: width, depth: headWidth,
        queries.data + first * queries.stride + offset, queries.stride,
        keys.data + start * keys.stride + offset, keys.stride, transposeB: true,
        into: scores, Self.keyTile, alpha: scale)
      // Before the first tile there are no values to fade.
      kernel_softmax_step(
        scores, count, width, Self.keyTile, maximum, sum, out, start == 0 ? 0 : headWidth, outStride)
      MatrixMultiply.multiply(
        rows: count, columns: headWidth, depth: width, scores, Self.keyTile,
        values.data + start * values.stride + offset, values.stride, into: out, outStride,
        beta: start == 0 ? 0 : 1)
    }
    kernel_softmax_finish(out, count, headWidth, outStride, sum)
  }
}
