import Foundation
import Testing

/// exp, erf, sigmoid and GELU against the double-precision functions of the C library.
struct ElementaryFunctionTests {
  enum Function: CaseIterable, CustomTestStringConvertible {
    case exp, exp2, erf, sigmoid, tanh

    var testDescription: String { "\(self)" }

    func exact(_ x: Double) -> Double {
      switch self {
      case .exp: Foundation.exp(x)
      case .exp2: Foundation.exp2(x)
      case .erf: Foundation.erf(x)
      case .sigmoid: 1 / (1 + Foundation.exp(-x))
      case .tanh: Foundation.tanh(x)
      }
    }

    func apply(_ set: KernelSet, _ x: inout [Float]) {
      switch self {
      case .exp: set.run.exp(&x, x.count)
      case .exp2: set.run.exp2(&x, x.count)
      case .erf: set.run.erf(&x, x.count)
      case .sigmoid: set.run.sigmoid(&x, x.count)
      case .tanh: set.run.tanh(&x, x.count)
      }
    }

    /// Where the result is a normal number, and the largest error there, measured, in ulp.
    var accurate: (range: ClosedRange<Float>, bound: Double) {
      switch self {
      case .exp: (-87.3365...88.7228, 1)
      case .exp2: (-125...1, 1.2)
      case .erf: (-10...10, 1.3)
      case .sigmoid: (-87.3...100, 2.3)
      case .tanh: (-100...100, 3)
      }
    }
  }

  /// Even steps, and floats evenly spread over their bit patterns, down to the smallest.
  static func inputs(_ range: ClosedRange<Float>) -> [Float] {
    let count = 400_001
    var values = (0..<count).map { index in
      range.lowerBound + (range.upperBound - range.lowerBound) * Float(index) / Float(count - 1)
    }
    for pattern in stride(from: UInt32(0), to: range.upperBound.bitPattern, by: 4099) {
      let value = Float(bitPattern: pattern)
      values.append(value)
      if -value >= range.lowerBound { values.append(-value) }
    }
    return values
  }

  @Test(arguments: Function.allCases, KernelSet.all) func isAccurate(function: Function, set: KernelSet) {
    let (range, bound) = function.accurate
    let inputs = Self.inputs(range)
    var outputs = inputs
    function.apply(set, &outputs)
    var worst = (ulps: 0.0, at: Float(0))
    for (x, y) in zip(inputs, outputs) {
      let error = ulps(y, function.exact(Double(x)))
      if error > worst.ulps { worst = (error, x) }
    }
    #expect(worst.ulps <= bound, "\(function)(\(worst.at)) is \(worst.ulps) ulp off")
  }

  @Test(arguments: KernelSet.all) func specialValues(set: KernelSet) {
    let tiny = Float.leastNonzeroMagnitude
    let huge = Float.greatestFiniteMagnitude
    let inputs: [Float] = [0, -0, .infinity, -.infinity, .nan, tiny, -tiny, huge, -huge, 1e-30, -1e-30]
    func values(_ function: Function) -> [Float] {
      var outputs = inputs
      function.apply(set, &outputs)
      return outputs
    }
    for (x, y) in zip(inputs, values(.exp)) { #expect(ulps(y, exp(Double(x))) <= 1, "exp(\(x)) is \(y)") }
    for (x, y) in zip(inputs, values(.sigmoid)) {
      // Below the smallest normal number nothing depends on how small it is.
      let exact = 1 / (1 + exp(-Double(x)))
      #expect(
        ulps(y, exact) <= 1 || abs(Double(y) - exact) < Double(Float.leastNormalMagnitude), "sigmoid(\(x)) is \(y)")
    }
    for (x, y) in zip(inputs, values(.erf)) {
      #expect(ulps(y, erf(Double(x))) <= 1, "erf(\(x)) is \(y)")
      #expect(x.isNaN || y.sign == x.sign, "erf(\(x)) is \(y)")
    }
    for (x, y) in zip(inputs, values(.tanh)) {
      #expect(ulps(y, tanh(Double(x))) <= 1, "tanh(\(x)) is \(y)")
      #expect(x.isNaN || y.sign == x.sign, "tanh(\(x)) is \(y)")
    }
  }

  /// Below the normal numbers the exponential is cut to zero, which no softmax or sigmoid can tell.
  @Test(arguments: KernelSet.all) func exponentialUnderflowsToZero(set: KernelSet) {
    var values: [Float] = [-87.34, -88, -100, -103, -104, -1000]
    set.run.exp(&values, values.count)
    #expect(values == [0, 0, 0, 0, 0, 0])
    var large: [Float] = [88.72283, 88.7228394, 88.73, 1000]
    set.run.exp(&large, large.count)
    #expect(large[0].isFinite && large[2] == .infinity && large[3] == .infinity)
    var gates: [Float] = [-88, -89, -103, -1000]
    set.run.sigmoid(&gates, gates.count)
    #expect(gates.allSatisfy { $0 >= 0 && $0 < 0x1p-126 })
  }

  /// What the softmax gives to a score far below the largest: nothing that counts, and no NaN from a finite one.
  @Test(arguments: KernelSet.all) func powerOfTwoEndsSmall(set: KernelSet) {
    var values: [Float] = [0, -1, -125, -126, -1000, -.infinity, .nan]
    set.run.exp2(&values, values.count)
    #expect(values[..<3] == [1, 0.5, 0x1p-125] && values[3..<6].allSatisfy { $0 == 0x1p-125 } && values[6].isNaN)
  }

  /// GELU is x times a probability that cancels for negative x: its error is measured against |x| * 2^-24, the size of
  /// half an ulp of a product with a factor near 1, and against its own size for positive x.
  @Test(arguments: KernelSet.all) func geluIsAccurate(set: KernelSet) {
    let inputs = Self.inputs(-12...12)
    var outputs = inputs
    set.run.gelu(&outputs, outputs.count)
    var worst = (relative: 0.0, absolute: 0.0)
    for (x, y) in zip(inputs, outputs) {
      let x = Double(x)
      let exact = 0.5 * x * erfc(-x / 2.0.squareRoot())
      let error = abs(Double(y) - exact)
      if x >= 0 { worst.relative = max(worst.relative, ulps(y, exact)) }
      worst.absolute = max(worst.absolute, (error - 0x1p-149) / (abs(x) * 0x1p-24))
    }
    #expect(worst.relative <= 1.6)
    #expect(worst.absolute <= 1.8)
  }

  /// Minus infinity gives NaN (infinity times 0), as in PyTorch.
  @Test(arguments: KernelSet.all) func geluOfSpecialValues(set: KernelSet) {
    let tiny = Float.leastNonzeroMagnitude
    var values: [Float] = [0, -0, .infinity, .nan, -20, 20, 1e30, tiny, 1e-30]
    set.run.gelu(&values, values.count)
    #expect(values[0] == 0 && values[1] == 0 && values[2] == .infinity && values[3].isNaN)
    #expect(values[4] == 0 && values[5] == 20 && values[6] == 1e30)
    #expect(values[7] == 0 || values[7] == tiny)
    #expect(values[8] == 0.5e-30)
  }

  /// A value does not depend on the lane it is computed in, nor on how many there are, and nothing is written beyond.
  @Test(arguments: KernelSet.all, awkwardSizes) func lanesAreAlike(set: KernelSet, count: Int) {
    var random = Random(7)
    let inputs = random.floats(count).map { $0 * 5 }
    for apply in [set.run.exp, set.run.erf, set.run.gelu, set.run.sigmoid, set.run.tanh] {
      var together = inputs + [42]
      apply!(&together, count)
      let alone = inputs.map { x -> Float in
        var value = x
        apply!(&value, 1)
        return value
      }
      #expect(together == alone + [42])
    }
  }
}
