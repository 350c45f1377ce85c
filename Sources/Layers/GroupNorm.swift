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

  public init(groups: Int = 1, weight: Tensor, bias: Tensor, epsilon: Float = 1e-5) {
    self.groups = groups
    self.weight = weight
    self.bias = bias
    self.epsilon = epsilon
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
}
