import CKernels
import Tensors

/// `torch.nn.Conv1d` with a stride, on a map of one row.
///
/// A tile of the input is first split into its `stride` phases; then each group of `stride` taps is one matrix product
/// on the phases, shifted by the group.
public struct StridedConvolution: @unchecked Sendable {
  public let inputChannels: Int
  public let outputChannels: Int
  public let kernel: Int
  public let stride: Int
  public let padding: Int
  /// `[out]`.
  public let bias: Tensor
  public let precision: OperationPrecision
  let resultStorage: NumberFormat
  let noBias: Tensor
  private let groups: Int
  /// `[groups, out, stride x in]`, zero where a tap lies beyond the kernel.
  private let weight: Tensor

  /// - Parameters:
  ///   - weight: `[out, in, kernel]`.
  ///   - bias: `[out]`.
  ///   - precision: what weight and bias are rounded to, here, and what sums run in.
  ///   - next: what the result of a pointwise operation that comes directly after is stored in.
  public init(
    weight: Tensor, bias: Tensor, stride: Int, padding: Int, precision: OperationPrecision = .full,
    next: NumberFormat? = nil
  ) {
    let weight = precision.storage.rounded(weight)
    self.precision = precision
    resultStorage = precision.isFused(with: next) ? .fp32 : precision.storage
    noBias = Tensor(shape: bias.shape)
    outputChannels = weight.shape[0]
    inputChannels = weight.shape[1]
    kernel = weight.shape[2]
    self.stride = stride
    self.padding = padding
    self.bias = precision.storage.rounded(bias)
    groups = (kernel + stride - 1) / stride
    let packed = Tensor(shape: [groups, outputChannels, stride * inputChannels])
    for tap in 0..<kernel {
      let (group, phase) = tap.quotientAndRemainder(dividingBy: stride)
      for o in 0..<outputChannels {
        for i in 0..<inputChannels {
          packed.data[((group * outputChannels + o) * stride + phase) * inputChannels + i] =
            weight.data[(o * inputChannels + i) * kernel + tap]
        }
      }
    }
    self.weight = packed
  }

  /// Length of the output for an input of `length` samples, zeros around it included.
  public func outputLength(_ length: Int) -> Int { (length + 2 * padding - kernel) / stride + 1 }

  /// Computes columns `column ..< column + columns` of the output, to which `remainingBias` is to be added; the input is
  /// zero beyond its ends.
  public func apply(
    _ input: FeatureMap, column: Int, columns: Int, into out: UnsafeMutablePointer<Float>, _ outStride: Int,
    scratch: Arena
  ) {
    let width = columns + groups - 1
    let phaseStride = (width + 15) & ~15
    let phases = scratch.allocate(stride * inputChannels * phaseStride)
    kernel_deinterleave(
      phases, phaseStride, input.data, input.stride, inputChannels, column * stride - padding, width, stride,
      input.columns)
    MatrixMultiply.multiply(
      rows: outputChannels, columns: columns, depth: stride * inputChannels, taps: groups,
      weight.data, stride * inputChannels, tap: outputChannels * stride * inputChannels,
      phases, phaseStride, tap: 1, into: out, outStride, compute: precision.compute)
    store(out, stride: outStride, columns: columns)
  }
}
