import CKernels
import Tensors

/// How an attention is carried out: its two products, and the softmax between them.
public struct AttentionPrecision: Hashable, Sendable {
  public let product: OperationPrecision
  public let softmax: OperationPrecision

  public init(product: OperationPrecision, softmax: OperationPrecision) {
    self.product = product
    self.softmax = softmax
  }

  public static let full = AttentionPrecision(product: .full, softmax: .full)

  var isFull: Bool { self == .full }

  /// What becomes of whole rows of scores on a device that stores each step: scores, weights, weighted values.
  ///
  /// The softmax is not carried along from tile to tile, as its rounding would then depend on the tiles.
  /// - Parameters:
  ///   - scores: `[rows, keys]`, queries by keys; written over.
  ///   - scale: by which the softmax multiplies them.
  ///   - values: `[keys, width]`.
  ///   - out: `[rows, width]`, written.
  func weigh(
    _ scores: UnsafeMutablePointer<Float>, rows: Int, keys: Int, stride: Int, scale: Float,
    _ values: UnsafePointer<Float>, _ valueStride: Int, width: Int, into out: UnsafeMutablePointer<Float>,
    _ outStride: Int, scratch: Arena
  ) {
    product.storage.round(scores, stride: stride, lines: rows, columns: keys)
    normalise(scores, rows: rows, keys: keys, stride: stride, scale: scale, scratch: scratch)
    softmax.storage.round(scores, stride: stride, lines: rows, columns: keys)
    MatrixMultiply.multiply(
      rows: rows, columns: width, depth: keys, scores, stride, values, valueStride, into: out, outStride,
      compute: product.compute)
    product.storage.round(out, stride: outStride, lines: rows, columns: width)
  }

  /// softmax(scale scores), row by row.
  private func normalise(
    _ scores: UnsafeMutablePointer<Float>, rows: Int, keys: Int, stride: Int, scale: Float, scratch: Arena
  ) {
    let maximum = scratch.allocate(rows)
    let sum = scratch.allocate(rows)
    maximum.update(repeating: -.infinity, count: rows)
    sum.update(repeating: 0, count: rows)
    let format = softmax.compute
    guard format.isNarrow else {
      kernel_softmax_step(scores, rows, keys, stride, scale, maximum, sum, scores, 0, stride)
      kernel_softmax_finish(scores, rows, keys, stride, sum)
      return
    }
    for row in 0..<rows {
      let line = scores + row * stride
      for key in 0..<keys { line[key] *= scale }
      format.round(line, count: keys)
    }
    kernel_softmax_step(scores, rows, keys, stride, 1, maximum, sum, scores, 0, stride)
    format.round(scores, stride: stride, lines: rows, columns: keys)
    for row in 0..<rows {
      var total = 0.0
      for key in 0..<keys { total += Double(scores[row * stride + key]) }
      sum[row] = format.round(Float(total))
    }
    kernel_softmax_finish(scores, rows, keys, stride, sum)
  }
}
