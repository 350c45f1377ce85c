import Tensors

/// `torch.nn.Linear` on rows of features.
public struct Linear: @unchecked Sendable {
  /// `[out, in]`.
  public let weight: Tensor
  /// `[out]`.
  public let bias: Tensor

  public init(weight: Tensor, bias: Tensor) {
    self.weight = weight
    self.bias = bias
  }

  public var inputWidth: Int { weight.shape[1] }
  public var outputWidth: Int { weight.shape[0] }

  /// out = x weight^T for `tokens` rows, without the bias.
  /// - Parameter outputs: the part of the output features to compute; all of them when nil.
  @inline(__always)
  public func apply(
    _ x: UnsafePointer<Float>, _ xStride: Int, tokens: Int, outputs: Range<Int>? = nil,
    into out: UnsafeMutablePointer<Float>, _ outStride: Int
  ) {
    let range = outputs ?? 0..<outputWidth
    MatrixMultiply.multiply(
      rows: tokens, columns: range.count, depth: inputWidth, x, xStride,
      weight.data + range.lowerBound * inputWidth, inputWidth, transposeB: true, into: out, outStride)
  }
}
