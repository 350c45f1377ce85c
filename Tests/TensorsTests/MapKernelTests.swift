import CKernels
import Foundation
import Testing

/// The kernels on maps (`channels` lines, `stride` apart) against plain loops in double precision.
struct MapKernelTests {
  static func gelu(_ x: Double) -> Double { 0.5 * x * erfc(-x / 2.0.squareRoot()) }

  static func activate(_ x: Double, _ activation: kernel_activation) -> Double {
    switch activation {
    case kernel_activation_gelu: gelu(x)
    case kernel_activation_relu: max(0, x)
    default: x
    }
  }

  static let activations = [kernel_identity, kernel_activation_gelu, kernel_activation_relu]

  @Test(arguments: KernelSet.all, awkwardSizes) func affine(set: KernelSet, columns: Int) {
    var random = Random(1)
    let (channels, stride, outStride, residualStride) = (3, columns + 5, columns + 2, columns + 1)
    let x = random.floats(channels * stride).map { 4 * $0 }
    let (scale, shift) = (random.floats(channels), random.floats(channels))
    let residual = random.floats(channels * residualStride)
    for activation in Self.activations {
      for (hasScale, hasResidual) in [(false, false), (true, false), (false, true), (true, true)] {
        var out = [Float](repeating: 99, count: channels * outStride)
        scale.withUnsafeBufferPointer { scale in
          residual.withUnsafeBufferPointer { residual in
            set.run.affine(
              &out, outStride, x, stride, channels, columns, hasScale ? scale.baseAddress : nil, shift,
              activation,
              hasResidual ? residual.baseAddress : nil, residualStride)
          }
        }
        var expected = [Float](repeating: 99, count: channels * outStride)
        for c in 0..<channels {
          for i in 0..<columns {
            let linear = Double(x[c * stride + i]) * (hasScale ? Double(scale[c]) : 1) + Double(shift[c])
            expected[c * outStride + i] = Float(
              Self.activate(linear, activation) + (hasResidual ? Double(residual[c * residualStride + i]) : 0)
            )
          }
        }
        #expect(largestDifference(out, expected) < 1e-6, "\(activation) \(hasScale) \(hasResidual)")
      }
    }
  }

  @Test(arguments: KernelSet.all, awkwardSizes) func affineInPlace(set: KernelSet, columns: Int) {
    var random = Random(2)
    var x = random.floats(2 * columns)
    let expected = x.enumerated().map { index, value in Float(Double(value) * 3 + (index < columns ? 1 : -1))
    }
    x.withUnsafeMutableBufferPointer {
      set.run.affine(
        $0.baseAddress, columns, $0.baseAddress, columns, 2, columns, [3, 3], [1, -1], kernel_identity, nil, 0
      )
    }
    #expect(largestDifference(x, expected) < 1e-6)
  }

  @Test(arguments: KernelSet.all, awkwardSizes) func gatedLinearUnit(set: KernelSet, columns: Int) {
    var random = Random(3)
    let (channels, stride, outStride) = (3, columns + 4, columns + 1)
    let x = random.floats(2 * channels * stride).map { 3 * $0 }
    let (scale, shift) = (random.floats(2 * channels), random.floats(2 * channels))
    let layerScale = random.floats(channels)
    let before = random.floats(channels * outStride)
    for (hasScale, hasLayerScale) in [(false, false), (true, false), (false, true), (true, true)] {
      var out = before
      scale.withUnsafeBufferPointer { scale in
        layerScale.withUnsafeBufferPointer { layerScale in
          set.run.affine_glu(
            &out, outStride, x, stride, channels, columns, hasScale ? scale.baseAddress : nil, shift,
            hasLayerScale ? layerScale.baseAddress : nil)
        }
      }
      var expected = before
      for c in 0..<channels {
        for i in 0..<columns {
          func line(_ c: Int) -> Double {
            Double(x[c * stride + i]) * (hasScale ? Double(scale[c]) : 1) + Double(shift[c])
          }
          let gated = line(c) / (1 + exp(-line(channels + c)))
          expected[c * outStride + i] = Float(
            hasLayerScale ? gated * Double(layerScale[c]) + Double(before[c * outStride + i]) : gated)
        }
      }
      #expect(largestDifference(out, expected) < 1e-6)
    }
  }

  @Test(arguments: KernelSet.all, awkwardSizes) func moments(set: KernelSet, columns: Int) {
    var random = Random(4)
    let (channels, stride) = (5, columns + 3)
    // An offset shows sums in single precision at once.
    let x = random.floats(channels * stride).map { $0 + 100 }
    let shift = random.floats(channels)
    for hasShift in [false, true] {
      var sums = [1.0, 2.0]
      shift.withUnsafeBufferPointer {
        set.run.moments(x, channels, columns, stride, hasShift ? $0.baseAddress : nil, &sums)
      }
      var expected = [1.0, 2.0]
      for c in 0..<channels {
        for i in 0..<columns {
          let value = Double(x[c * stride + i] + (hasShift ? shift[c] : 0))
          expected[0] += value
          expected[1] += value * value
        }
      }
      #expect(
        abs(sums[0] - expected[0]) <= 1e-12 * expected[0] && abs(sums[1] - expected[1]) <= 1e-12 * expected[1]
      )
    }
  }

  @Test(arguments: KernelSet.all, awkwardSizes) func transpose(set: KernelSet, rows: Int) {
    for columns in [1, 16, 19, 40] {
      let (stride, outStride) = (columns + 2, rows + 3)
      let x = (0..<rows * stride).map { Float($0) }
      var out = [Float](repeating: -1, count: columns * outStride)
      set.run.transpose(&out, outStride, x, stride, rows, columns)
      var expected = [Float](repeating: -1, count: columns * outStride)
      for r in 0..<rows {
        for c in 0..<columns { expected[c * outStride + r] = x[r * stride + c] }
      }
      #expect(out == expected)
    }
  }

  @Test(arguments: KernelSet.all, awkwardSizes) func add(set: KernelSet, columns: Int) {
    var random = Random(5)
    let before = random.floats(3 * (columns + 2))
    let y = random.floats(3 * (columns + 1))
    var x = before
    set.run.add(&x, columns + 2, y, columns + 1, 3, columns)
    for c in 0..<3 {
      for i in 0..<columns + 2 {
        let expected = before[c * (columns + 2) + i] + (i < columns ? y[c * (columns + 1) + i] : 0)
        #expect(x[c * (columns + 2) + i] == expected)
      }
    }
  }
}
