import CKernels

/// A floating-point format in which a device stores numbers, or computes with them.
///
/// Here all numbers are `Float`; those of a narrower format are floats that have a place in it. Rounding is that of IEEE 754,
/// to the nearest, ties to even: what is too large becomes infinity, what is too small for full precision loses digits one
/// by one and then is 0. It gives the bits of a round trip through `torch.Tensor.half` or `bfloat16`, or NumPy's `float16`.
public enum NumberFormat: String, Codable, CaseIterable, Sendable {
  /// IEEE 754 binary32.
  case fp32
  /// IEEE 754 binary16: 11 significant bits, up to 65 504.
  case fp16
  /// The upper half of a binary32: 8 significant bits, the range of float.
  case bf16

  public var isNarrow: Bool { self != .fp32 }

  /// Bytes of a number.
  public var bytes: Int { isNarrow ? 2 : 4 }

  /// The largest finite number.
  public var largest: Float {
    switch self {
    case .fp32: .greatestFiniteMagnitude
    case .fp16: 65_504
    case .bf16: 0x1.FEp127
    }
  }

  /// The smallest positive number of full precision; below it numbers lose digits.
  public var smallestNormal: Float { self == .fp16 ? 0x1p-14 : .leastNormalMagnitude }

  /// Rounds lines of numbers in place.
  /// - Parameter stride: floats from one line to the next.
  @inline(__always)
  public func round(_ x: UnsafeMutablePointer<Float>, stride: Int, lines: Int, columns: Int) {
    guard isNarrow else { return }
    kernel_round(x, stride, lines, columns, kernel)
  }

  /// Rounds `count` numbers in place.
  public func round(_ x: UnsafeMutablePointer<Float>, count: Int) {
    round(x, stride: count, lines: 1, columns: count)
  }

  /// The nearest number of the format.
  public func round(_ x: Float) -> Float {
    var result = x
    round(&result, count: 1)
    return result
  }

  /// A rounded copy; the tensor itself if there is nothing to round.
  public func rounded(_ tensor: Tensor) -> Tensor {
    guard isNarrow else { return tensor }
    let result = Tensor(shape: tensor.shape, zeroed: false)
    result.data.update(from: tensor.data, count: tensor.count)
    round(result.data, count: result.count)
    return result
  }

  private var kernel: kernel_format {
    switch self {
    case .fp32: kernel_fp32
    case .fp16: kernel_fp16
    case .bf16: kernel_bf16
    }
  }
}
