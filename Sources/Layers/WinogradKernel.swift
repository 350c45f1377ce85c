import CKernels
import Tensors

/// The weights of a convolution with three taps along columns, transformed for Winograd's F(4, 3).
///
/// Four neighbouring columns (a quad) of input and result become six values each; between them stands one matrix product a
/// value and row tap, half the multiplications of the direct way. Several rows are computed together: their quads lie side
/// by side, so that a tap along rows is a shift there, too.
struct WinogradKernel: @unchecked Sendable {
  static let taps = 3
  private static let quad = 4
  private static let planes = 6

  private let inputChannels: Int
  private let outputChannels: Int
  private let rowKernel: Int
  /// `[planes, out, rowKernel x in]`.
  private let weight: Tensor

  /// Whether the halved products are worth the transforms, which cost about as much as ten products a channel.
  static func pays(inputs: Int, outputs: Int) -> Bool { inputs >= 32 && outputs >= 32 }

  /// - Parameter weight: `[out, in, rowKernel, 3]`.
  init(weight: Tensor, inputChannels: Int, outputChannels: Int, rowKernel: Int) {
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.rowKernel = rowKernel
    let packed = Tensor(shape: [Self.planes, outputChannels, rowKernel * inputChannels], zeroed: false)
    let plane = outputChannels * rowKernel * inputChannels
    for o in 0..<outputChannels {
      for r in 0..<rowKernel {
        for i in 0..<inputChannels {
          let taps = weight.data + ((o * inputChannels + i) * rowKernel + r) * Self.taps
          let place = packed.data + (o * rowKernel + r) * inputChannels + i
          Self.transform(Double(taps[0]), Double(taps[1]), Double(taps[2]), into: place, plane)
        }
      }
    }
    self.weight = packed
  }

  /// G g: the polynomial of the taps at each point, over the product of the point's distances from the others.
  @inline(__always)
  private static func transform(
    _ g0: Double, _ g1: Double, _ g2: Double, into place: UnsafeMutablePointer<Float>, _ plane: Int
  ) {
    let (small, large) = (2.0 / 3, 1.5)
    func pair(_ point: Double, _ other: Double, _ first: Int) {
      let square = point * point
      let norm = 2 * square * (square - other * other)
      let even = (g0 + g2 * square) / norm
      let odd = g1 * point / norm
      place[first * plane] = Float(even + odd)
      place[(first + 1) * plane] = Float(even - odd)
    }
    place[0] = Float(g0)
    pair(small, large, 1)
    pair(large, small, 3)
    place[5 * plane] = Float(g2)
  }

  /// Computes `rowCount` rows of the output from row `row` on, `columns` columns from `column` on, without the bias.
  /// - Parameters:
  ///   - input: `rows` x `inputChannels` lines of `length` floats, `stride` apart.
  ///   - top: input row under the first row tap of the first row; rows outside the input are zero.
  ///   - first: input column under the first tap of the first column.
  ///   - out: `[rowCount, outputChannels, columns]`, lines `outStride` apart.
  func apply(
    _ input: UnsafePointer<Float>, stride: Int, rows: Int, length: Int, top: Int, rowCount: Int, first: Int,
    columns: Int, into out: UnsafeMutablePointer<Float>, _ outStride: Int, scratch: Arena
  ) {
    // Row taps that lie outside the input for every row are left out.
    let from = max(0, 1 - rowCount - top)
    let to = min(rowKernel, rows - top)
    guard from < to else {
      for line in 0..<rowCount * outputChannels { (out + line * outStride).update(repeating: 0, count: columns) }
      return
    }
    let mark = scratch.mark
    let quads = (columns + Self.quad - 1) / Self.quad
    let inputRows = rowCount + rowKernel - 1
    // The kernels write, and read, up to a register behind the last quad.
    let inputStride = (inputRows * quads + 31) & ~15
    let outputStride = (rowCount * quads + 31) & ~15
    let inputPlane = inputChannels * inputStride
    let outputPlane = outputChannels * outputStride
    let transformed = scratch.allocate(Self.planes * inputPlane)
    let products = scratch.allocate(Self.planes * outputPlane)
    // In this order what a row writes too far is written over by the next.
    for index in from..<rowCount + to - 1 {
      let place = transformed + index * quads
      if (0..<rows).contains(top + index) {
        kernel_winograd_input(
          place, inputPlane, inputStride, input + (top + index) * inputChannels * stride, stride, inputChannels, first,
          quads, length)
      } else {
        for line in 0..<Self.planes * inputChannels {
          (place + line * inputStride).update(repeating: 0, count: quads)
        }
      }
    }
    for plane in 0..<Self.planes {
      MatrixMultiply.multiply(
        rows: outputChannels, columns: rowCount * quads, depth: inputChannels, taps: to - from,
        weight.data + (plane * outputChannels * rowKernel + from) * inputChannels, rowKernel * inputChannels,
        tap: inputChannels, transformed + plane * inputPlane + from * quads, inputStride, tap: quads,
        into: products + plane * outputPlane, outputStride)
    }
    for index in 0..<rowCount {
      kernel_winograd_output(
        out + index * outputChannels * outStride, outStride, products + index * quads, outputPlane, outputStride,
        outputChannels, columns)
    }
    scratch.rewind(to: mark)
  }
}
