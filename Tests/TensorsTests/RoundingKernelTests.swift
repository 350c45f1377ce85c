import CKernels
import KernelVersions
import Tensors
import Testing

/// Rounding to half and bfloat16 against Swift's `Float16` and plain integer arithmetic, bit by bit.
struct RoundingKernelTests {
  static func halfBits(_ x: Float) -> UInt32 {
    x.isNaN ? Float.nan.bitPattern : Float(Float16(x)).bitPattern
  }

  /// Nearest, ties to even, on the bits of a float without its lower half.
  static func bfloat(_ x: Float) -> UInt32 {
    guard !x.isNaN else { return Float.nan.bitPattern }
    let bits = UInt64(x.bitPattern)
    let (upper, lower) = (bits >> 16, bits & 0xFFFF)
    let up = lower > 0x8000 || (lower == 0x8000 && upper % 2 == 1)
    return UInt32((upper + (up ? 1 : 0)) << 16)
  }

  static func rounded(_ set: KernelSet, _ x: [Float], _ format: kernel_format) -> [UInt32] {
    var values = x
    set.run.round(&values, values.count, 1, values.count, format)
    return values.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern }
  }

  /// Every half, the floats beside it, the middles between it and its neighbours, and the floats beside those.
  static let aroundHalves: [Float] = (UInt32(0)..<65_536).flatMap { pattern -> [Float] in
    let half = Float(Float16(bitPattern: UInt16(pattern)))
    guard half.isFinite else { return [half] }
    let next = Float16(bitPattern: UInt16(pattern)).nextUp
    let middle = next.isFinite ? half + (Float(next) - half) / 2 : half.sign == .plus ? 65_520 : half
    return [half, half.nextUp, half.nextDown, middle, middle.nextUp, middle.nextDown]
  }

  @Test(arguments: KernelSet.all) func allHalves(set: KernelSet) {
    #expect(Self.aroundHalves.count > 380_000)
    let found = Self.rounded(set, Self.aroundHalves, kernel_fp16)
    let wrong = zip(Self.aroundHalves, found).filter { Self.halfBits($0) != $1 }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    // A half is its own nearest half.
    for (x, bits) in zip(Self.aroundHalves, found).enumerated().filter({ $0.offset % 6 == 0 }).map(\.element)
    where Float(Float16(x)) == x {
      #expect(bits == x.bitPattern)
    }
  }

  @Test(arguments: KernelSet.all) func randomFloats(set: KernelSet) {
    var random = Random(5)
    // Any pattern of bits: most are far outside a half's range; then numbers in it.
    var x = (0..<200_000).map { _ in Float(bitPattern: UInt32.random(in: 0 ... .max, using: &random)) }
    x += (0..<200_000).map { _ in
      Float.random(in: -1..<1, using: &random)
        * Float(sign: .plus, exponent: Int.random(in: -28...17, using: &random), significand: 1)
    }
    let wrongHalves = zip(x, Self.rounded(set, x, kernel_fp16)).filter { Self.halfBits($0) != $1 }
    #expect(wrongHalves.isEmpty, "\(wrongHalves.prefix(5))")
    let wrongBfloats = zip(x, Self.rounded(set, x, kernel_bf16)).filter { Self.bfloat($0) != $1 }
    #expect(wrongBfloats.isEmpty, "\(wrongBfloats.prefix(5))")
  }

  @Test(arguments: KernelSet.all) func endsOfTheRange(set: KernelSet) {
    let x: [Float] = [
      65_504, 65_519.996, 65_520, -65_520, .infinity, -.infinity, 0x1p-24, 0x1p-25, 0x1.000002p-25, 0x1p-26, -0x1p-26,
      0,
      -0.0, 0x1p-14, 0x1.FFFFFEp-15, .leastNonzeroMagnitude,
    ]
    let expected: [Float] = [
      65_504, 65_504, .infinity, -.infinity, .infinity, -.infinity, 0x1p-24, 0, 0x1p-24, 0, -0.0, 0, -0.0, 0x1p-14,
      0x1p-14, 0,
    ]
    #expect(Self.rounded(set, x, kernel_fp16) == expected.map(\.bitPattern))
    let y: [Float] = [
      .greatestFiniteMagnitude, 0x1.FEp127, 0x1.FEFFFEp127, .leastNonzeroMagnitude, 1.00390625, 1.01171875,
    ]
    let bfloats: [Float] = [.infinity, 0x1.FEp127, 0x1.FEp127, 0, 1, 1.015625]
    #expect(Self.rounded(set, y, kernel_bf16) == bfloats.map(\.bitPattern))
    #expect(Self.rounded(set, [.nan, .signalingNaN], kernel_fp16).allSatisfy { Float(bitPattern: $0).isNaN })
    #expect(Self.rounded(set, [Float(bitPattern: 0x7F80_0001)], kernel_bf16).allSatisfy { Float(bitPattern: $0).isNaN })
    #expect(Self.rounded(set, x, kernel_fp32) == x.map(\.bitPattern))
  }

  @Test(arguments: KernelSet.all, awkwardSizes) func onlyTheLinesOfATile(set: KernelSet, columns: Int) {
    var random = Random(6)
    let (lines, stride) = (3, columns + 5)
    let x = random.floats(lines * stride)
    var out = x
    set.run.round(&out, stride, lines, columns, kernel_fp16)
    for (index, (before, after)) in zip(x, out).enumerated() {
      #expect(after.bitPattern == (index % stride < columns ? Self.halfBits(before) : before.bitPattern))
    }
  }

  @Test func overflowsAreCounted() {
    let before = kernel_overflow_count()
    var values: [Float] = [Float](repeating: 1, count: 40) + [70_000]
    NumberFormat.fp16.round(&values, count: 40)
    let quiet = kernel_overflow_count()
    NumberFormat.fp16.round(&values, count: 41)
    // Others count too, but only upwards.
    #expect(quiet >= before && kernel_overflow_count() > quiet)
    #expect(values[40] == .infinity)
  }
}
