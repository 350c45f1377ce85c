import CKernels
import Tensors

/// `torch.nn.Linear` on rows of features.
public struct Linear: @unchecked Sendable {
  public let inputWidth: Int
  public let outputWidth: Int
  /// `[out]`.
  public let bias: Tensor
  public let precision: OperationPrecision
  let resultStorage: NumberFormat
  let noBias: Tensor
  /// `[in, out]`: outputs side by side, as the product wants them.
  private let weight: Tensor

  /// - Parameters:
  ///   - weight: `[out, in]`.
  ///   - bias: `[out]`.
  ///   - precision: what weight and bias are rounded to, here, and what sums run in.
  ///   - next: what the result of a pointwise operation that comes directly after is stored in.
  public init(
    weight: Tensor, bias: Tensor, precision: OperationPrecision = .full,
    next: NumberFormat? = nil
  ) {
    let weight = precision.storage.rounded(weight)
    self.precision = precision
    resultStorage = precision.isFused(with: next) ? .fp32 : precision.storage
    noBias = Tensor(shape: bias.shape)
    outputWidth = weight.shape[0]
    inputWidth = weight.shape[1]
    self.bias = precision.storage.rounded(bias)
    let turned = Tensor(shape: [inputWidth, outputWidth], zeroed: false)
    for o in 0..<outputWidth {
      for i in 0..<inputWidth { turned.data[i * outputWidth + o] = weight.data[o * inputWidth + i] }
    }
    self.weight = turned
  }

  /// out = x weight^T for `tokens` rows, to which `remainingBias` is to be added.
  /// - Parameter outputs: the part of the output features to compute; all of them when nil.
  @inline(__always)
  public func apply(
    _ x: UnsafePointer<Float>, _ xStride: Int, tokens: Int, outputs: Range<Int>? = nil,
    into out: UnsafeMutablePointer<Float>, _ outStride: Int
  ) {
    let range = outputs ?? 0..<outputWidth
    MatrixMultiply.multiply(
      rows: tokens, columns: range.count, depth: inputWidth, x, xStride, weight.data + range.lowerBound, outputWidth,
      into: out, outStride, compute: precision.compute)
    guard resultStorage.isNarrow else { return }
    kernel_token_affine(out, tokens, range.count, outStride, nil, bias.data + range.lowerBound, kernel_identity)
    resultStorage.round(out, stride: outStride, lines: tokens, columns: range.count)
  }
}
