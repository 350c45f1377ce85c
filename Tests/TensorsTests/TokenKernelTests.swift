import CKernels
import Foundation
import Testing

/// The kernels on tokens (rows of `width` features) against plain loops in double precision.
struct TokenKernelTests {
  @Test(arguments: KernelSet.all, awkwardSizes) func layerNorm(set: KernelSet, width: Int) {
    var random = Random(1)
    let tokens = 4
    let (weight, bias) = (random.floats(width), random.floats(width))
    for offset in [Float(0), 30] {
      let x = random.floats(tokens * width).map { $0 + offset }
      var out = [Float](repeating: 99, count: tokens * width + 1)
      set.run.layer_norm(&out, x, tokens, width, weight, bias, 1e-5)
      for t in 0..<tokens {
        let row = x[t * width..<(t + 1) * width].map(Double.init)
        let mean = row.reduce(0, +) / Double(width)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
        let expected = row.enumerated().map { i, value in
          Float((value - mean) / (variance + 1e-5).squareRoot() * Double(weight[i]) + Double(bias[i]))
        }
        // x - mean is rounded once at the size of the mean.
        #expect(largestDifference(out[t * width..<(t + 1) * width], expected) < (offset == 0 ? 2e-6 : 2e-5))
      }
      #expect(out.last == 99)
      var place = x
      place.withUnsafeMutableBufferPointer {
        set.run.layer_norm($0.baseAddress, $0.baseAddress, tokens, width, weight, bias, 1e-5)
      }
      #expect(place == Array(out.dropLast()))
    }
  }

  @Test(arguments: KernelSet.all) func layerNormOfAConstant(set: KernelSet) {
    var out = [Float](repeating: 99, count: 33)
    set.run.layer_norm(
      &out, [Float](repeating: 0.1, count: 33), 1, 33, [Float](repeating: 2, count: 33),
      [Float](repeating: 7, count: 33), 1e-5)
    #expect(out.allSatisfy { abs($0 - 7) < 1e-4 })
  }

  @Test(arguments: KernelSet.all, awkwardSizes) func affine(set: KernelSet, width: Int) {
    var random = Random(2)
    let (tokens, stride) = (3, width + 4)
    let before = random.floats(tokens * stride).map { 3 * $0 }
    let (scale, shift) = (random.floats(width), random.floats(width))
    for activation in MapKernelTests.activations {
      for hasScale in [false, true] {
        var x = before
        scale.withUnsafeBufferPointer {
          set.run.token_affine(&x, tokens, width, stride, hasScale ? $0.baseAddress : nil, shift, activation)
        }
        var expected = before
        for t in 0..<tokens {
          for i in 0..<width {
            let linear = Double(before[t * stride + i]) * (hasScale ? Double(scale[i]) : 1) + Double(shift[i])
            expected[t * stride + i] = Float(MapKernelTests.activate(linear, activation))
          }
        }
        #expect(largestDifference(x, expected) < 1e-6, "\(activation) \(hasScale)")
      }
    }
  }

  @Test(arguments: KernelSet.all, awkwardSizes) func residual(set: KernelSet, width: Int) {
    var random = Random(3)
    let (tokens, stride, branchStride) = (3, width + 4, width + 1)
    let before = random.floats(tokens * stride)
    let branch = random.floats(tokens * branchStride)
    let (scale, shift) = (random.floats(width), random.floats(width))
    for hasScale in [false, true] {
      var x = before
      scale.withUnsafeBufferPointer {
        set.run.token_residual(
          &x, stride, branch, branchStride, tokens, width, hasScale ? $0.baseAddress : nil, shift)
      }
      var expected = before
      for t in 0..<tokens {
        for i in 0..<width {
          let value = Double(branch[t * branchStride + i]) + Double(shift[i])
          expected[t * stride + i] = Float(
            Double(before[t * stride + i]) + value * (hasScale ? Double(scale[i]) : 1))
        }
      }
      #expect(largestDifference(x, expected) < 1e-6)
    }
  }
}
