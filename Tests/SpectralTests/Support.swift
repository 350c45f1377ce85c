import Foundation
import GoldenSupport
import Spectral
import Tensors

/// Random numbers that are the same in every run.
struct Random: RandomNumberGenerator {
  private let seed: UInt64
  private var count = 0

  init(_ name: String) { seed = CounterGenerator.seed(name) }

  mutating func next() -> UInt64 {
    defer { count += 1 }
    return CounterGenerator.word(seed, count)
  }
}

extension ShortTimeFourierTransform {
  /// `[frames, bins, 2]` of frames that start every `hop` samples, as many as fit.
  func frames(of signal: [Float]) -> [[Float]] {
    let (frame, spectrum, scratch) = buffers
    return stride(from: 0, through: signal.count - size, by: hop).map { start in
      for n in 0..<size { frame.data[n] = signal[start + n] }
      analyse(frame.data, into: spectrum.data, scratch: scratch.data)
      return Array(spectrum.values.prefix(2 * binCount))
    }
  }

  /// Overlap-add of frames, divided by the sum of the squared windows that reach a sample; 0 where none does.
  func join(_ frames: [[Float]]) -> [Float] {
    let (_, spectrum, scratch) = buffers
    let length = (frames.count - 1) * hop + size
    var sum = [Float](repeating: 0, count: length)
    var weight = [Double](repeating: 0, count: length)
    for (index, frame) in frames.enumerated() {
      for (position, value) in frame.enumerated() { spectrum.data[position] = value }
      sum.withUnsafeMutableBufferPointer {
        synthesise(
          spectrum.data, range: 0..<size, addingTo: $0.baseAddress! + index * hop, scratch: scratch.data)
      }
      for n in 0..<size { weight[index * hop + n] += Double(window[n]) * Double(window[n]) }
    }
    return zip(sum, weight).map { $1 > 1e-11 ? Float(Double($0) / $1) : 0 }
  }

  /// A frame, a spectrum and scratch, aligned.
  private var buffers: (Tensor, Tensor, Tensor) {
    (Tensor(shape: [size]), Tensor(shape: [2 * binCount]), Tensor(shape: [scratchCount]))
  }
}

/// Reflect padding as `torch.stft(center=True)` has it, for signals longer than the padding.
func reflected(_ signal: [Float], by padding: Int) -> [Float] {
  let map = ReflectPadding(length: signal.count, left: padding, right: padding)
  return (0..<map.paddedLength).map { map.source($0).map { signal[$0] } ?? 0 }
}

/// The largest excess over `absolute + relative |b|`; at most 0 where all is within bounds, infinite for a NaN.
func largestExcess(_ a: [Float], _ b: [Float], relative: Float = 1e-5, absolute: Float = 1e-6) -> Float {
  guard a.count == b.count else { return .infinity }
  var largest = -Float.infinity
  for (x, y) in zip(a, b) {
    let excess = abs(x - y) - (absolute + relative * abs(y))
    largest = excess.isNaN ? .infinity : max(largest, excess)
  }
  return largest
}
