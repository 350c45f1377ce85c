/// Conversions between the float types of checkpoints and float32, as IEEE 754 defines them: widening is
/// exact for every value, narrowing rounds to nearest, ties to even, and overflows to infinity; a NaN stays a
/// NaN.
///
/// On integers rather than Swift's `Float16`: without F16C in the target's baseline, that one is a library
/// call per value, and these loops vectorise on any machine (27 million halves in 15 ms against 105 ms).
enum FloatConversion {
  /// binary16 -> binary32.
  @inline(__always)
  static func widen(half: UInt16) -> UInt32 {
    let sign = UInt32(half & 0x8000) << 16
    let magnitude = UInt32(half & 0x7FFF)
    // All three answers are computed and one is chosen, which vectorises where branches would not.
    let normal = (magnitude << 13) &+ 0x3800_0000  // exponent bias 15 -> 127
    let subnormal = (Float(Int32(truncatingIfNeeded: magnitude)) * 0x1p-24).bitPattern
    let infinity = (magnitude << 13) | 0x7F80_0000
    let nan = infinity | 0x0040_0000  // quiet
    var result = magnitude < 0x0400 ? subnormal : normal
    result = magnitude >= 0x7C00 ? infinity : result
    result = magnitude > 0x7C00 ? nan : result
    return result | sign
  }

  /// binary32 -> binary16.
  static func half(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let magnitude = value.bitPattern & 0x7FFF_FFFF
    let result: UInt16
    if magnitude > 0x7F80_0000 {
      result = 0x7E00 | UInt16(truncatingIfNeeded: (magnitude >> 13) & 0x03FF)
    } else if magnitude >= 0x477F_F000 {
      result = 0x7C00  // from 65520, half-way between the largest half and the next power of two
    } else if magnitude < 0x3880_0000 {
      // Below 2^-14 halves are whole multiples of the smallest one, 2^-24.
      let units = (Float(bitPattern: magnitude) * 0x1p24).rounded(.toNearestOrEven)
      result = UInt16(units)
    } else {
      let rebiased = magnitude &- 0x3800_0000
      result = UInt16(truncatingIfNeeded: (rebiased &+ 0x0FFF &+ ((rebiased >> 13) & 1)) >> 13)
    }
    return sign | result
  }

  /// binary32 -> bfloat16.
  static func bfloat(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x0040 }
    // The largest finite value rounds up to infinity; a sum cannot pass 32 bits because NaNs are gone.
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
  }

  /// Widens `count` elements of `type`, little-endian at any alignment, into `result`; `type` must be a float's.
  static func widen(
    _ bytes: UnsafeRawPointer, _ type: TensorType, into result: UnsafeMutablePointer<Float>, count: Int
  ) {
    switch type {
    case .float16:
      for index in 0..<count {
        result[index] = Float(bitPattern: widen(half: load(bytes, index)))
      }
    case .bfloat16:
      for index in 0..<count {
        let bits: UInt16 = load(bytes, index)
        result[index] = Float(bitPattern: UInt32(bits) << 16)
      }
    case .float32:
      for index in 0..<count { result[index] = Float(bitPattern: load(bytes, index)) }
    case .float64:
      for index in 0..<count { result[index] = Float(Double(bitPattern: load(bytes, index))) }
    case .bool, .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64:
      assertionFailure("\(type) is no float")
    }
  }

  /// Element `index` of little-endian integers.
  @inline(__always)
  static func load<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: UnsafeRawPointer, _ index: Int
  ) -> Bits {
    Bits(littleEndian: bytes.loadUnaligned(fromByteOffset: index &* MemoryLayout<Bits>.size, as: Bits.self))
  }

  /// Index of the first NaN or infinity.
  static func firstNonFinite(_ values: UnsafeBufferPointer<Float>) -> Int? {
    // One pass without an early exit vectorises; only a bad tensor pays for a second.
    var largest: UInt32 = 0
    for value in values { largest = max(largest, value.bitPattern & 0x7F80_0000) }
    return largest < 0x7F80_0000 ? nil : values.firstIndex { !$0.isFinite }
  }
}
