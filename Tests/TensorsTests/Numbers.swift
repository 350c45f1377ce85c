import Foundation
import KernelVersions
import Tensors
import Testing

/// Random numbers that are the same in every run (splitmix64).
struct Random: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// `count` numbers in -1..<1.
  mutating func floats(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float.random(in: -1..<1, using: &self) }
  }
}

/// The kernels for one instruction set.
struct KernelSet: Sendable, CustomTestStringConvertible {
  nonisolated(unsafe) let run: kernel_version

  var name: String { String(cString: run.name) }
  var testDescription: String { name }

  /// All that this processor can run; the first is the one that the program takes.
  static let all = (0..<kernel_version_count()).map { KernelSet(run: kernel_version_at($0)) }
}

/// Lengths around the width of a vector.
let awkwardSizes = [1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100]

/// How many floats lie between a float and an exact value, in units of the float's own spacing (at least that of the
/// subnormal numbers). Infinite for a NaN or a wrong infinity.
func ulps(_ value: Float, _ exact: Double) -> Double {
  if exact.isNaN || value.isNaN { return exact.isNaN && value.isNaN ? 0 : .infinity }
  let rounded = Float(exact)
  if rounded.isInfinite || value.isInfinite { return rounded == value ? 0 : .infinity }
  let spacing = max(Double(rounded.ulp), 0x1p-149)
  return abs(Double(value) - exact) / spacing
}

/// The largest difference of two sequences relative to 1 or to the larger magnitude; infinite where one is a NaN.
func largestDifference(_ left: some Sequence<Float>, _ right: some Sequence<Float>) -> Float {
  var largest: Float = 0
  for (a, b) in zip(left, right) where a != b {
    let difference = abs(a - b) / max(1, abs(b))
    largest = difference.isNaN ? .infinity : max(largest, difference)
  }
  return largest
}
