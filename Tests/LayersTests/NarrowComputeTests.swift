import Foundation
import GoldenSupport
import Layers
import Tensors
import Testing

/// Sums that run in half precision.
struct NarrowComputeTests {
  static let half = NumberFormat.fp16

  /// Sums are rounded after every 16 products, tap after tap.
  @Test func productsAreRoundedBlockByBlock() {
    let (rows, depth, columns, taps) = (3, 37, 21, 2)
    let a = CounterGenerator.tensor("a", [taps, rows, depth])
    let b = CounterGenerator.tensor("b", [depth, columns + taps], scale: 4)
    let c = Tensor(shape: [rows, columns])
    MatrixMultiply.multiply(
      rows: rows, columns: columns, depth: depth, taps: taps, a.data, depth, tap: rows * depth, b.data, columns + taps,
      tap: 1, into: c.data, columns, compute: .fp16)
    var equal = 0
    for row in 0..<rows {
      for column in 0..<columns {
        var sum: Float16 = 0
        for tap in 0..<taps {
          for first in stride(from: 0, to: depth, by: 16) {
            var exact = Double(sum)
            for k in first..<min(first + 16, depth) {
              exact +=
                Double(a.data[(tap * rows + row) * depth + k]) * Double(b.data[k * (columns + taps) + column + tap])
            }
            sum = Float16(exact)
          }
        }
        equal += c.data[row * columns + column] == Float(sum) ? 1 : 0
        #expect(abs(c.data[row * columns + column] - Float(sum)) <= 0.04)
      }
    }
    // A sum in float may lie on the other side of a middle.
    #expect(equal > rows * columns * 95 / 100)
  }

  /// Convolutions with rounded sums are direct ones, even where others go by Winograd.
  @Test func roundedSumsAreNotThoseOfWinograd() throws {
    let weight = CounterGenerator.tensor("w", [32, 32, 1, 3])
    let input = CounterGenerator.tensor("x", [32, 64])
    let workspace = Workspace(pool: WorkerPool(threadCount: 1))
    func output(_ compute: NumberFormat) -> [Float] {
      let convolution = Convolution(
        weight: weight, bias: Tensor(shape: [32]), columnPadding: 1,
        precision: OperationPrecision(storage: .fp32, compute: compute))
      let map = FeatureMap(input, in: workspace.arena)
      let out = Tensor(shape: [32, 64])
      convolution.apply(map, row: 0, column: 0, columns: 64, into: out.data, 64, scratch: workspace.scratch[0])
      return out.values
    }
    let (wide, narrow) = (output(.fp32), output(.fp16))
    #expect(narrow.allSatisfy { Self.half.round($0) == $0 } && narrow != wide)
    let largest = zip(wide, narrow).map { abs($0 - $1) }.max() ?? .infinity
    #expect(largest < 0.1)
  }

  /// The squares add up to more than a half can hold, and infinity less infinity is no number.
  @Test func sumsOfANormOverflow() {
    func factors(_ values: [Float], _ compute: NumberFormat) -> (scale: Float, shift: Float) {
      let norm = GroupNorm(
        weight: Tensor(shape: [1], values: [2]), bias: Tensor(shape: [1], values: [0.5]),
        precision: OperationPrecision(storage: .fp32, compute: compute))
      var (sums, scale, shift) = ([0.0, 0.0], Float(0), Float(0))
      norm.gather(values, stride: values.count, columns: values.count, shift: nil, into: &sums)
      norm.affine(sums: sums, positions: values.count, added: nil, scale: &scale, shift: &shift)
      return (scale, shift)
    }
    let quiet = (0..<100).map { Float($0 % 2 == 0 ? 1 : 3) }
    // Mean 2, deviation 1.
    #expect(factors(quiet, .fp16) == (2, -3.5))
    let loud = quiet.map { $0 * 300 }
    #expect(abs(factors(loud, .fp32).scale - 2.0 / 300) < 1e-6)
    #expect(factors(loud, .fp16).scale.isNaN)
  }

  @Test(arguments: [NumberFormat.fp32, .fp16]) func attentionStoresEachStep(compute: NumberFormat) {
    let (queries, keys, width) = (70, 500, 8)
    let q = CounterGenerator.tensor("q", [queries, width], scale: 3)
    let k = CounterGenerator.tensor("k", [keys, width], scale: 3)
    let v = CounterGenerator.tensor("v", [keys, width])
    let precision = AttentionPrecision(
      product: OperationPrecision(storage: .fp16), softmax: OperationPrecision(storage: .fp16, compute: compute))
    let attention = Attention(heads: 1, headWidth: width, precision: precision)
    let out = Tensor(shape: [queries, width])
    let workspace = Workspace(pool: WorkerPool(threadCount: 2))
    attention(
      queries: .init(q.data, stride: width, count: queries), keys: .init(k.data, stride: width, count: keys),
      values: .init(v.data, stride: width, count: keys), into: out.data, width, workspace: workspace)
    func stored(_ x: Double) -> Double { Double(Float16(x)) }
    func computed(_ x: Double) -> Double { compute == .fp16 ? stored(x) : x }
    var equal = 0
    for query in 0..<queries {
      let scores = (0..<keys).map { key in
        let product = (0..<width).reduce(0.0) {
          $0 + Double(q.data[query * width + $1]) * Double(k.data[key * width + $1])
        }
        return computed(stored(product) / Double(width).squareRoot())
      }
      let peak = scores.max() ?? 0
      let powers = scores.map { computed(exp($0 - peak)) }
      let sum = computed(powers.reduce(0, +))
      let weights = powers.map { stored($0 / sum) }
      for i in 0..<width {
        let exact = (0..<keys).reduce(0.0) { $0 + weights[$1] * Double(v.data[$1 * width + i]) }
        let found = Double(out.data[query * width + i])
        #expect(abs(found - exact) < 3e-3)
        equal += found == stored(exact) ? 1 : 0
      }
    }
    #expect(equal > queries * width * 3 / 4)
  }
}
