import Tensors

/// A convolution with stride 1 along columns and any stride along rows: `torch.nn.Conv2d` on spectrograms,
/// `torch.nn.Conv1d` on waveforms (one row).
///
/// Because the channels of neighbouring rows are contiguous in a `FeatureMap`, each column tap of the kernel is one
/// matrix product straight from the map: `weight[tap]` `[out, rowKernel x in]` by `[rowKernel x in, columns]`. Three taps
/// side by side on many channels go by Winograd's algorithm instead.
public struct Convolution: @unchecked Sendable {
  public let inputChannels: Int
  public let outputChannels: Int
  public let rowKernel: Int
  public let rowStride: Int
  public let rowPadding: Int
  public let columnKernel: Int
  public let columnPadding: Int
  public let columnDilation: Int
  /// `[out]`; zeros if the layer has none.
  public let bias: Tensor
  public let precision: OperationPrecision
  let resultStorage: NumberFormat
  let noBias: Tensor

  private enum Kernel {
    /// `[columnKernel, out, rowKernel x in]`.
    case direct(Tensor)
    case winograd(WinogradKernel)
  }
  private let kernel: Kernel

  /// - Parameters:
  ///   - weight: `[out, in, rowKernel, columnKernel]`, or `[out, in, columnKernel]` of a Conv1d.
  ///   - bias: `[out]`.
  ///   - precision: what weight and bias are rounded to, here, and what sums run in.
  ///   - next: what the result of a pointwise operation that comes directly after is stored in.
  public init(
    weight: Tensor, bias: Tensor, rowStride: Int = 1, rowPadding: Int = 0, columnPadding: Int = 0,
    columnDilation: Int = 1, precision: OperationPrecision = .full,
    next: NumberFormat? = nil
  ) {
    let weight = precision.storage.rounded(weight)
    self.precision = precision
    resultStorage = precision.isFused(with: next) ? .fp32 : precision.storage
    noBias = Tensor(shape: bias.shape)
    outputChannels = weight.shape[0]
    inputChannels = weight.shape[1]
    rowKernel = weight.shape.count == 4 ? weight.shape[2] : 1
    columnKernel = weight.shape[weight.shape.count - 1]
    self.rowStride = rowStride
    self.rowPadding = rowPadding
    self.columnPadding = columnPadding
    self.columnDilation = columnDilation
    self.bias = precision.storage.rounded(bias)
    // Sums of another order are not those that are to be rounded.
    let isShift =
      !precision.compute.isNarrow && rowStride == 1 && columnDilation == 1 && columnKernel == WinogradKernel.taps
    guard !isShift || !WinogradKernel.pays(inputs: rowKernel * inputChannels, outputs: outputChannels) else {
      kernel = .winograd(
        WinogradKernel(
          weight: weight, inputChannels: inputChannels, outputChannels: outputChannels, rowKernel: rowKernel))
      return
    }
    let packed = Tensor(shape: [columnKernel, outputChannels, rowKernel * inputChannels], zeroed: false)
    for tap in 0..<columnKernel {
      for o in 0..<outputChannels {
        for r in 0..<rowKernel {
          for i in 0..<inputChannels {
            packed.data[((tap * outputChannels + o) * rowKernel + r) * inputChannels + i] =
              weight.data[((o * inputChannels + i) * rowKernel + r) * columnKernel + tap]
          }
        }
      }
    }
    kernel = .direct(packed)
  }

  /// Rows of the output for an input of `rows` rows.
  public func outputRows(_ rows: Int) -> Int { (rows + 2 * rowPadding - rowKernel) / rowStride + 1 }

  /// Rows of the output, of `rows` in all, that are best computed together: more save transforms, fewer leave something to
  /// do for every thread.
  public func rowsAtOnce(_ rows: Int) -> Int {
    guard case .winograd = kernel else { return 1 }
    return max(1, min(4, rows / 4))
  }

  /// Columns that the kernel reads beyond the ends of a line, when the padding keeps the number of columns.
  public var reach: Int { max(columnPadding, (columnKernel - 1) * columnDilation - columnPadding) }

  /// Computes one tile of the output, to which `remainingBias` is to be added.
  /// - Parameters:
  ///   - input: map whose margin is at least `reach`.
  ///   - row, rowCount, column, columns: the tile of the output.
  ///   - out: `[rowCount, outputChannels, columns]`, lines `outStride` apart.
  public func apply(
    _ input: FeatureMap, row: Int, rowCount: Int = 1, column: Int, columns: Int,
    into out: UnsafeMutablePointer<Float>, _ outStride: Int, scratch: Arena
  ) {
    apply(
      input.row(0), stride: input.stride, rows: input.rows, length: input.columns, row: row, rowCount: rowCount,
      column: column, columns: columns, into: out, outStride, scratch: scratch)
  }

  /// The same on lines anywhere in memory: `rows` x `inputChannels` lines of `length` floats, `stride` apart, with zeros
  /// between them.
  public func apply(
    _ input: UnsafePointer<Float>, stride: Int, rows: Int, length: Int, row: Int, rowCount: Int = 1, column: Int,
    columns: Int, into out: UnsafeMutablePointer<Float>, _ outStride: Int, scratch: Arena
  ) {
    switch kernel {
    case .winograd(let kernel):
      kernel.apply(
        input, stride: stride, rows: rows, length: length, top: row - rowPadding, rowCount: rowCount,
        first: column - columnPadding, columns: columns, into: out, outStride, scratch: scratch)
    case .direct(let weight):
      for index in 0..<rowCount {
        applyRow(
          weight, input, stride: stride, rows: rows, row: row + index, column: column, columns: columns,
          into: out + index * outputChannels * outStride, outStride)
      }
    }
    store(out, stride: outStride, columns: columns, sets: rowCount)
  }

  private func applyRow(
    _ weight: Tensor, _ input: UnsafePointer<Float>, stride: Int, rows: Int, row: Int, column: Int, columns: Int,
    into out: UnsafeMutablePointer<Float>, _ outStride: Int
  ) {
    let top = row * rowStride - rowPadding
    // Rows outside the input are zero: leave their part of the product out.
    let from = max(0, -top)
    let to = min(rowKernel, rows - top)
    guard from < to else {
      for o in 0..<outputChannels { (out + o * outStride).update(repeating: 0, count: columns) }
      return
    }
    let depth = (to - from) * inputChannels
    let source = input + (top + from) * inputChannels * stride + column - columnPadding
    MatrixMultiply.multiply(
      rows: outputChannels, columns: columns, depth: depth, taps: columnKernel,
      weight.data + from * inputChannels, rowKernel * inputChannels, tap: outputChannels * rowKernel * inputChannels,
      source, stride, tap: columnDilation, into: out, outStride, compute: precision.compute)
  }
}
