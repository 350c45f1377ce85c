import Tensors

/// A transposed convolution along one axis: `torch.nn.ConvTranspose2d` with a `[kernel, 1]` kernel along rows, or
/// `torch.nn.ConvTranspose1d` along columns.
///
/// With kernel k = q s + p, output `s n + p` takes input `n - q` through tap `q s + p`. So a group of `stride`
/// outputs is one matrix product with the `groups` inputs that reach it; no result is scattered.
public struct TransposedConvolution: @unchecked Sendable {
  public let inputChannels: Int
  public let outputChannels: Int
  public let kernel: Int
  public let stride: Int
  /// Inputs that reach one output.
  public let groups: Int
  /// `[out]`.
  public let bias: Tensor
  public let precision: OperationPrecision
  let resultStorage: NumberFormat
  let noBias: Tensor
  /// `[stride, out, groups x in]`; the inputs in ascending order, the oldest first.
  private let weight: Tensor

  /// - Parameters:
  ///   - weight: `[in, out, kernel]` or `[in, out, kernel, 1]`.
  ///   - bias: `[out]`.
  ///   - precision: what weight and bias are rounded to, here, and what sums run in.
  ///   - next: what the result of a pointwise operation that comes directly after is stored in.
  public init(
    weight: Tensor, bias: Tensor, stride: Int, precision: OperationPrecision = .full,
    next: NumberFormat? = nil
  ) {
    let weight = precision.storage.rounded(weight)
    self.precision = precision
    resultStorage = precision.isFused(with: next) ? .fp32 : precision.storage
    noBias = Tensor(shape: bias.shape)
    inputChannels = weight.shape[0]
    outputChannels = weight.shape[1]
    kernel = weight.shape[2]
    self.stride = stride
    self.bias = precision.storage.rounded(bias)
    groups = (kernel + stride - 1) / stride
    let packed = Tensor(shape: [stride, outputChannels, groups * inputChannels])
    for tap in 0..<kernel {
      let (group, phase) = tap.quotientAndRemainder(dividingBy: stride)
      let place = groups - 1 - group
      for o in 0..<outputChannels {
        for i in 0..<inputChannels {
          packed.data[((phase * outputChannels + o) * groups + place) * inputChannels + i] =
            weight.data[(i * outputChannels + o) * kernel + tap]
        }
      }
    }
    self.weight = packed
  }

  /// Outputs for an input of `length`, before any cropping.
  public func outputLength(_ length: Int) -> Int { (length - 1) * stride + kernel }

  /// Groups of `stride` outputs for an input of `length`; of the last one some may lie beyond the output.
  public func groupCount(_ length: Int) -> Int { length + groups - 1 }

  /// Output rows `group x stride ..< (group + 1) x stride`, before `remainingBias`, as `[stride x out, columns]`.
  /// - Parameter columns: the columns to compute; all of them when nil.
  public func applyAlongRows(
    _ input: FeatureMap, group: Int, columns: Range<Int>? = nil, into out: UnsafeMutablePointer<Float>,
    _ outStride: Int
  ) {
    let columns = columns ?? 0..<input.columns
    let top = group - (groups - 1)
    let from = max(0, -top)
    let to = min(groups, input.rows - top)
    MatrixMultiply.multiply(
      rows: stride * outputChannels, columns: columns.count, depth: (to - from) * inputChannels,
      weight.data + from * inputChannels, groups * inputChannels,
      input.row(top + from) + columns.lowerBound, input.stride, into: out, outStride, compute: precision.compute)
    store(out, stride: outStride, columns: columns.count, sets: stride)
  }

  /// Output groups `first ..< first + count` along the columns of a map of one row, before `remainingBias`, as
  /// `[stride, out, count]`. The margin of the input must be at least `groups - 1`.
  public func applyAlongColumns(
    _ input: FeatureMap, first: Int, count: Int, into out: UnsafeMutablePointer<Float>, _ outStride: Int
  ) {
    MatrixMultiply.multiply(
      rows: stride * outputChannels, columns: count, depth: inputChannels, taps: groups,
      weight.data, groups * inputChannels, tap: inputChannels,
      input.data + first - (groups - 1), input.stride, tap: 1, into: out, outStride, compute: precision.compute)
    store(out, stride: outStride, columns: count, sets: stride)
  }
}
