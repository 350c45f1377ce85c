import Foundation
import Tensors

/// Weights and signals that depend on a name and a position alone; the twin of `scripts/oracle/generator.py`.
///
/// The specification and test vectors are in `docs/goldens.md`.
public enum CounterGenerator {
  /// FNV-1a (64 bit) of the name, then of the eight little-endian bytes of the salt if there is one.
  public static func seed(_ name: String, salt: UInt64? = nil) -> UInt64 {
    var state: UInt64 = 0xCBF2_9CE4_8422_2325
    var bytes = Array(name.utf8)
    if let salt { bytes += (0..<8).map { UInt8(truncatingIfNeeded: salt >> (8 * $0)) } }
    for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return state
  }

  /// Word `index` of the splitmix64 stream that starts at `seed`.
  public static func word(_ seed: UInt64, _ index: Int) -> UInt64 {
    var z = seed &+ UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// `offset + scale * u` with u uniform in [-1, 1): one product, one sum, each rounded.
  public static func tensor(
    _ name: String, _ shape: [Int], scale: Float = 1, offset: Float = 0, salt: UInt64? = nil
  ) -> Tensor {
    let result = Tensor(shape: shape, zeroed: false)
    let seed = seed(name, salt: salt)
    for index in 0..<result.count {
      let u = 2 * (Float(word(seed, index) >> 40) * 0x1p-24) - 1
      let product = u * scale
      result.data[index] = product + offset
    }
    return result
  }

  /// White noise in [-0.5, 0.5).
  public static func noise(_ name: String, channels: Int, samples: Int) -> Tensor {
    tensor(name, [channels, samples], scale: 0.5)
  }

  /// Flat positions at which a tensor of `size` elements is sampled.
  public static func positions(_ key: String, size: Int, count: Int) -> [Int] {
    let seed = seed("tap:" + key)
    return (0..<count).map { Int(word(seed, $0) % UInt64(size)) }
  }

  /// The generated value of a parameter; its rule follows from name and shape. The query and key rows of an attention are
  /// larger, or its logits would be flat.
  public static func parameter(_ name: String, _ shape: [Int], salt: UInt64? = nil) -> Tensor {
    let (scale, offset) = rule(name, shape)
    let result = tensor(name, shape, scale: Float(scale), offset: Float(offset), salt: salt)
    if name.hasSuffix("in_proj_weight") {
      for index in 0..<2 * shape[1] * shape[1] { result.data[index] *= 2 }
    }
    return result
  }

  private static func rule(_ name: String, _ shape: [Int]) -> (scale: Double, offset: Double) {
    if name.hasSuffix("scale") { return (0.4, 0.6) }
    if name.hasSuffix("bias") || name.contains(".bias_") { return (0.3, 0) }
    if name.hasSuffix("embedding.weight") { return (0.8, 0) }
    if shape.count == 1 { return (0.5, 1) }
    let terms =
      name.hasSuffix("conv_tr.weight") ? max(1, 2 * shape[0]) : max(1, shape.dropFirst().reduce(1, *))
    return ((3.0 / Double(terms)).squareRoot(), 0)
  }
}
