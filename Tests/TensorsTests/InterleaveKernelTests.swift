import CKernels
import Foundation
import Testing

/// Splitting lines into the phases of a stride, and weaving phases back into lines.
struct InterleaveKernelTests {
  struct Split: Sendable {
    let step: Int
    let columns: Int
    let first: Int
    let length: Int
  }

  /// Windows before, across, inside and beyond the ends of a line.
  static let splits: [Split] = [1, 2, 3, 4, 5, 16, 17].flatMap { step in
    [
      (20, -7, 61), (20, 0, 20 * step), (9, 5, 33), (12, -100, 30), (12, 100, 30), (1, -1, 1),
      (33, -2, 33 * step - 3),
    ]
    .map { Split(step: step, columns: $0.0, first: $0.1, length: $0.2) }
  }

  @Test(arguments: KernelSet.all, splits) func deinterleave(set: KernelSet, split: Split) {
    var random = Random(1)
    let (channels, stride, outStride) = (3, split.length + 2, split.columns + 1)
    // Beyond the length there is something, which must not be seen.
    let x = random.floats(channels * stride)
    var out = [Float](repeating: 99, count: split.step * channels * outStride)
    set.run.deinterleave(
      &out, outStride, x, stride, channels, split.first, split.columns, split.step, split.length)
    for phase in 0..<split.step {
      for c in 0..<channels {
        let line = out[(phase * channels + c) * outStride..<(phase * channels + c + 1) * outStride]
        let expected = (0..<split.columns).map { column -> Float in
          let position = split.first + column * split.step + phase
          return (0..<split.length).contains(position) ? x[c * stride + position] : 0
        }
        #expect(Array(line) == expected + [99])
      }
    }
  }

  @Test(arguments: KernelSet.all, splits) func interleave(set: KernelSet, split: Split) {
    var random = Random(2)
    let (channels, stride) = (3, split.columns + 2)
    let (outStride, residualStride) = (split.length + 3, split.length + 1)
    let x = random.floats(split.step * channels * stride)
    let bias = random.floats(channels)
    let residual = random.floats(channels * residualStride)
    let low = min(2, split.length)
    for activation in MapKernelTests.activations {
      for hasResidual in [false, true] {
        var out = [Float](repeating: 99, count: channels * outStride)
        residual.withUnsafeBufferPointer {
          set.run.interleave(
            &out, outStride, x, stride, channels, split.columns, split.step, split.first, low, split.length,
            bias,
            activation, hasResidual ? $0.baseAddress : nil, residualStride)
        }
        var expected = [Float](repeating: 99, count: channels * outStride)
        for c in 0..<channels {
          for index in 0..<split.columns * split.step {
            let (column, phase) = index.quotientAndRemainder(dividingBy: split.step)
            let target = split.first + index
            guard (low..<split.length).contains(target) else { continue }
            let value = Double(x[(phase * channels + c) * stride + column]) + Double(bias[c])
            expected[c * outStride + target] = Float(
              MapKernelTests.activate(value, activation)
                + (hasResidual ? Double(residual[c * residualStride + target]) : 0))
          }
        }
        #expect(largestDifference(out, expected) < 1e-6, "\(split) \(activation)")
      }
    }
  }

  @Test(arguments: KernelSet.all, [1, 2, 3, 4, 5, 16]) func oneUndoesTheOther(set: KernelSet, step: Int) {
    var random = Random(3)
    let (channels, columns) = (2, 70)
    let length = columns * step - 1
    let x = random.floats(channels * length)
    var phases = [Float](repeating: 99, count: step * channels * columns)
    set.run.deinterleave(&phases, columns, x, length, channels, 0, columns, step, length)
    var back = [Float](repeating: 99, count: channels * length)
    set.run.interleave(
      &back, length, phases, columns, channels, columns, step, 0, 0, length, [0, 0], kernel_identity, nil, 0)
    #expect(back == x)
  }

  /// Bins of lines to frames of bins, with what lies between spectra left alone.
  @Test(arguments: KernelSet.all, [1, 2, 15, 16, 40]) func gatherSpectra(set: KernelSet, frames: Int) {
    var random = Random(5)
    let (bins, stride) = (37, 2 * frames + 3)
    let lines = random.floats(bins * stride)
    let outStride = 2 * bins + 3
    var out = [Float](repeating: 99, count: frames * outStride)
    lines.withUnsafeBufferPointer { lines in
      let real = lines.baseAddress!
      set.run.gather_spectra(&out, outStride, real, real + frames + 1, stride, bins, frames, 2, 0.5)
    }
    for frame in 0..<frames {
      for bin in 0..<bins {
        #expect(abs(out[frame * outStride + 2 * bin] - (lines[bin * stride + frame] * 2 + 0.5)) < 1e-6)
        #expect(abs(out[frame * outStride + 2 * bin + 1] - (lines[bin * stride + frames + 1 + frame] * 2 + 0.5)) < 1e-6)
      }
      #expect(out[frame * outStride + 2 * bins..<(frame + 1) * outStride].allSatisfy { $0 == 99 })
    }
  }
}
