import Tensors

/// `torch.nn.Linear` on rows of features.
public struct Linear: @unchecked Sendable {
  public let inputWidth: Int
  public let outputWidth: Int
  /// `[out]`.
  public let bias: Tensor
  /// `[in, out]`: outputs side by side, as the product wants them.
  private let weight: Tensor

  /// - Parameters:
  ///   - weight: `[out, in]`.
  ///   - bias: `[out]`.
  public init(weight: Tensor, bias: Tensor) {
    outputWidth = weight.shape[0]
    inputWidth = weight.shape[1]
    self.bias = bias
    let turned = Tensor(shape: [inputWidth, outputWidth], zeroed: false)
    for o in 0..<outputWidth {
      for i in 0..<inputWidth { turned.data[i * outputWidth + o] = weight.data[o * inputWidth + i] }
    }
    self.weight = turned
  }

  /// out = x weight^T for `tokens` rows, without the bias.
  /// - Parameter outputs: the part of the output features to compute; all of them when nil.
  @inline(__always)
  public func apply(
    _ x: UnsafePointer<Float>, _ xStride: Int, tokens: Int, outputs: Range<Int>? = nil,
    into out: UnsafeMutablePointer<Float>, _ outStride: Int
  ) {
    let range = outputs ?? 0..<outputWidth
    MatrixMultiply.multiply(
      rows: tokens, columns: range.count, depth: inputWidth, x, xStride, weight.data + range.lowerBound, outputWidth,
      into: out, outStride)
  }
}
