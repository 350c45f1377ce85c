import CKernels
import Tensors

/// `torch.nn.GroupNorm`: mean and variance over the channels of a group and all positions, in double precision.
///
/// The sums are gathered tile by tile, in a fixed order; what is then applied is one multiplication and one addition a
/// value, fused into whatever follows.
public struct GroupNorm: @unchecked Sendable {
  public let groups: Int
  public let epsilon: Float
  /// `[channels]`.
  public let weight: Tensor
  /// `[channels]`.
  public let bias: Tensor
  public let precision: OperationPrecision
  private let zeros: Tensor

  /// - Parameter precision: what weight, bias and result are rounded to, and what the statistics are worked out in.
  public init(
    groups: Int = 1, weight: Tensor, bias: Tensor, epsilon: Float = 1e-5, precision: OperationPrecision = .full
  ) {
    self.groups = groups
    self.weight = precision.storage.rounded(weight)
    self.bias = precision.storage.rounded(bias)
    self.epsilon = epsilon
    self.precision = precision
    zeros = Tensor(shape: bias.shape)
  }

  public var channels: Int { weight.count }

  /// Adds to `sums` (`[groups, 2]`: sum and sum of squares) what a tile of `[channels, columns]` contributes.
  /// - Parameter shift: added to each channel before it is counted, the bias of a convolution; may be nil.
  public func gather(
    _ tile: UnsafePointer<Float>, stride: Int, columns: Int, shift: UnsafePointer<Float>?,
    into sums: UnsafeMutablePointer<Double>
  ) {
    let size = channels / groups
    for group in 0..<groups {
      kernel_moments(
        tile + group * size * stride, size, columns, stride, shift.map { $0 + group * size }, sums + 2 * group)
    }
  }

  /// Turns sums into `out = x * scale + shift` for every channel.
  /// - Parameters:
  ///   - sums: `[groups, 2]`, over `positions` positions of every channel.
  ///   - added: what `gather` added to each channel, to be folded into the shift.
  ///   - scale, shift: `[channels]`, written.
  public func affine(
    sums: UnsafePointer<Double>, positions: Int, added: UnsafePointer<Float>?,
    scale: UnsafeMutablePointer<Float>, shift: UnsafeMutablePointer<Float>
  ) {
    let size = channels / groups
    let count = Double(size * positions)
    guard !precision.compute.isNarrow else {
      return narrowAffine(sums: sums, count: count, added: added, scale: scale, shift: shift)
    }
    for group in 0..<groups {
      let mean = sums[2 * group] / count
      let variance = max(0, sums[2 * group + 1] / count - mean * mean)
      let gain = 1 / (variance + Double(epsilon)).squareRoot()
      for channel in group * size..<(group + 1) * size {
        let factor = Double(weight.data[channel]) * gain
        scale[channel] = Float(factor)
        shift[channel] = Float((Double(added?[channel] ?? 0) - mean) * factor + Double(bias.data[channel]))
      }
    }
  }

  /// The same with every step rounded: sums that are too large become infinite, as on a device that adds up in halves.
  private func narrowAffine(
    sums: UnsafePointer<Double>, count: Double, added: UnsafePointer<Float>?, scale: UnsafeMutablePointer<Float>,
    shift: UnsafeMutablePointer<Float>
  ) {
    let size = channels / groups
    for group in 0..<groups {
      let statistics = NarrowStatistics(
        sum: sums[2 * group], squares: sums[2 * group + 1], count: count, epsilon: epsilon, format: precision.compute)
      for channel in group * size..<(group + 1) * size {
        let factor = precision.compute.round(weight.data[channel] * statistics.gain)
        scale[channel] = factor
        shift[channel] = ((added?[channel] ?? 0) - statistics.mean) * factor + bias.data[channel]
      }
    }
  }

  /// Stores a tile of `[channels, columns]` in the precision of the layer. In float that is nothing, since the norm is
  /// applied along with what follows; for a narrower result it is applied now.
  /// - Parameters:
  ///   - scale, shift: from `affine`.
  /// - Returns: scale and shift that are still to be applied; a scale of nil is 1.
  public func settle(
    _ tile: UnsafeMutablePointer<Float>, stride: Int, columns: Int, scale: UnsafePointer<Float>,
    shift: UnsafePointer<Float>
  ) -> (scale: UnsafePointer<Float>?, shift: UnsafePointer<Float>) {
    guard precision.storage.isNarrow else { return (scale, shift) }
    kernel_affine(tile, stride, tile, stride, channels, columns, scale, shift, kernel_identity, nil, 0)
    precision.storage.round(tile, stride: stride, lines: channels, columns: columns)
    return (nil, UnsafePointer(zeros.data))
  }
}

/// Mean and 1 / deviation as a device works them out whose every result is rounded.
struct NarrowStatistics {
  let mean: Float
  /// 1 / sqrt(variance + epsilon).
  let gain: Float

  init(sum: Double, squares: Double, count: Double, epsilon: Float, format: NumberFormat) {
    func divided(_ total: Double) -> Float { format.round(Float(Double(format.round(Float(total))) / count)) }
    mean = divided(sum)
    let variance = format.round(divided(squares) - format.round(mean * mean))
    let deviation = format.round(format.round((variance < 0 ? 0 : variance) + format.round(epsilon)).squareRoot())
    gain = format.round(1 / deviation)
  }
}
