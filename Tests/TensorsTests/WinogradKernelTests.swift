import Foundation
import Testing

/// Winograd's F(4, 3): transform, multiply value by value, transform back is a convolution with three taps.
struct WinogradKernelTests {
  /// Six values of three taps, in double precision, straight from the definition: the polynomial of the taps at each
  /// point, over the product of the point's distances from the others.
  private func weights(_ taps: [Float]) -> [Double] {
    let points = [0, 2.0 / 3, -2.0 / 3, 1.5, -1.5]
    let finite = points.map { point in
      let value = taps.enumerated().reduce(0.0) { $0 + Double($1.element) * pow(point, Double($1.offset)) }
      return points.filter { $0 != point }.reduce(value) { $0 / (point - $1) }
    }
    return finite + [Double(taps[2])]
  }

  @Test(arguments: KernelSet.all, [1, 2, 4, 5, 15, 16, 17, 63, 64, 65, 255, 257, 1100])
  func isAConvolution(set: KernelSet, columns: Int) {
    var random = Random(UInt64(columns))
    let channels = 2
    // Lines that end before, at and after the last column, begun before, at and after the first.
    for (first, length) in [(-1, columns), (0, columns + 9), (3, columns), (-7, max(1, columns - 5))] {
      let lineStride = length + 3
      // Whatever lies between the lines must not be taken for zeros.
      let x = random.floats(channels * lineStride)
      let taps = random.floats(3)
      let quads = (columns + 3) / 4
      let stride = quads + 16
      let plane = channels * stride
      var values = [Float](repeating: 0, count: 6 * plane)
      set.run.winograd_input(&values, plane, stride, x, lineStride, channels, first, quads, length)
      let weights = weights(taps)
      for (index, weight) in weights.enumerated() {
        for place in index * plane..<(index + 1) * plane { values[place] *= Float(weight) }
      }
      let outStride = columns + 2
      var out = [Float](repeating: 99, count: channels * outStride)
      set.run.winograd_output(&out, outStride, values, plane, stride, channels, columns)
      for c in 0..<channels {
        var worst = 0.0
        for i in 0..<columns {
          var sum = 0.0
          for tap in 0..<3 where (0..<length).contains(first + i + tap) {
            sum += Double(taps[tap]) * Double(x[c * lineStride + first + i + tap])
          }
          worst = max(worst, abs(Double(out[c * outStride + i]) - sum))
        }
        #expect(worst < 2e-6, "from \(first), \(length) long")
        #expect(out[c * outStride + columns] == 99 && out[c * outStride + columns + 1] == 99, "wrote too far")
      }
    }
  }
}
