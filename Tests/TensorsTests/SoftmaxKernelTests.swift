import Foundation
import Testing

/// The online softmax: tile by tile it is the softmax of the whole row.
struct SoftmaxKernelTests {
  /// One over the root of a head's width, as attention has it: not a power of two.
  static let scale: Float = 1 / Float(48).squareRoot()

  /// `softmax(scale x scores) values` for one row of scores, keys taken `tile` at a time.
  private func attend(_ set: KernelSet, _ scores: [Float], _ values: [Float], width: Int, tile: Int) -> [Float] {
    var (maximum, sum): ([Float], [Float]) = ([-.infinity], [0])
    var gathered = [Float](repeating: 0, count: width)
    for start in stride(from: 0, to: scores.count, by: tile) {
      var part = Array(scores[start..<min(scores.count, start + tile)])
      set.run.softmax_step(
        &part, 1, part.count, part.count, Self.scale, &maximum, &sum, &gathered, start == 0 ? 0 : width, width)
      for (key, weight) in part.enumerated() {
        for i in 0..<width { gathered[i] += weight * values[(start + key) * width + i] }
      }
    }
    set.run.softmax_finish(&gathered, 1, width, width, sum)
    return gathered
  }

  private func exact(_ scores: [Float], _ values: [Float], width: Int) -> [Float] {
    let peak = Double(scores.max() ?? 0)
    let weights = scores.map { exp((Double($0) - peak) * Double(Self.scale)) }
    let total = weights.reduce(0, +)
    return (0..<width).map { i in
      Float(weights.enumerated().reduce(0.0) { $0 + $1.element * Double(values[$1.offset * width + i]) } / total)
    }
  }

  /// Logits of a few units, as networks have them, to 2e-6; logits of a hundred to as much as a float of that size resolves.
  @Test(arguments: KernelSet.all, awkwardSizes) func tilesMakeTheWhole(set: KernelSet, keys: Int) {
    var random = Random(UInt64(keys))
    let width = 5
    for (size, slope, bound) in [
      (Float(7), Float(0), Float(2e-6)), (60, 0, 3e-6), (700, 0, 2e-5), (7, 14, 2e-5), (7, -14, 2e-5), (0, 0, 2e-6),
    ] {
      // A slope makes every tile raise the maximum, or none.
      let scores = random.floats(keys).enumerated().map { $0.element * size + slope * Float($0.offset) }
      let values = random.floats(keys * width)
      let expected = exact(scores, values, width: width)
      for tile in [1, 3, 16, 17, keys] {
        let found = attend(set, scores, values, width: width, tile: tile)
        let error = largestDifference(found, expected)
        #expect(error < bound, "keys \(keys), tile \(tile), size \(size), slope \(slope)")
      }
    }
  }

  /// Several rows with a stride: weights are `exp(scale (score - maximum))`, sums their sums, and what lies between rows
  /// stays.
  @Test(arguments: KernelSet.all, awkwardSizes) func rowsAreApart(set: KernelSet, keys: Int) {
    var random = Random(9)
    let (rows, stride, width, valuesStride) = (3, keys + 3, 4, 6)
    let scores = random.floats(rows * stride).map { 10 * $0 }
    let before = random.floats(rows * valuesStride)
    var (weights, values) = (scores, before)
    var maximum: [Float] = [-.infinity, 15, -15]
    var sum: [Float] = [0, 2, 2]
    let (oldMaximum, oldSum) = (maximum, sum)
    let scale = Double(Self.scale)
    set.run.softmax_step(&weights, rows, keys, stride, Self.scale, &maximum, &sum, &values, width, valuesStride)
    for r in 0..<rows {
      let row = scores[r * stride..<r * stride + keys]
      let peak = max(oldMaximum[r], row.max() ?? 0)
      #expect(maximum[r] == peak)
      let expected = row.map { Float(exp((Double($0) - Double(peak)) * scale)) }
      #expect(largestDifference(weights[r * stride..<r * stride + keys], expected) < 1e-6)
      #expect(weights[r * stride + keys..<(r + 1) * stride] == scores[r * stride + keys..<(r + 1) * stride])
      let fade = oldMaximum[r] == -.infinity ? 0 : exp((Double(oldMaximum[r]) - Double(peak)) * scale)
      let total = expected.reduce(Double(oldSum[r]) * fade) { $0 + Double($1) }
      #expect(abs(Double(sum[r]) - total) < 2e-6 * total)
      for i in 0..<valuesStride {
        let factor = i < width ? fade : 1
        #expect(abs(Double(values[r * valuesStride + i]) - Double(before[r * valuesStride + i]) * factor) < 1e-6)
      }
    }
  }

  @Test(arguments: KernelSet.all) func finishDividesEveryRow(set: KernelSet) {
    var values: [Float] = [2, 4, 99, 9, 3, 99]
    set.run.softmax_finish(&values, 2, 2, 3, [2, 3])
    #expect(values == [1, 2, 99, 3, 1, 99])
  }
}
