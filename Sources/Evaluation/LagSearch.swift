import AudioFiles
import Spectral
import Tensors

/// Finds by how many frames one signal is late against another.
enum LagSearch {
  /// Lags from minus this to below plus this are searched, in frames: 0.37 s at 44.1 kHz.
  static let maximumLag = 16384

  private static let block = 2 * maximumLag
  private static let size = block + 2 * maximumLag

  /// The lag with the largest cross-correlation, whatever its sign: `estimate[n + lag]` belongs to `reference[n]`. Nil
  /// if FFTW has no plan.
  ///
  /// The spectra of blocks of the reference and of what lies around them in the estimate are multiplied and summed over
  /// blocks and channels; one inverse transform gives the correlation. Memory does not grow with the signals.
  static func lag(reference: Signal, estimate: Signal) throws -> Int? {
    guard let transform = RealFourierTransform(size: size) else { return nil }
    let (signal, spectrum) = (Tensor(shape: [size]), Tensor(shape: [2 * transform.binCount]))
    let (other, sum) = (Tensor(shape: [2 * transform.binCount]), Tensor(shape: [2 * transform.binCount]))
    let (references, estimates) = (try reference.reader(), try estimate.reader())
    // The estimate from `maximumLag` before the block to `maximumLag` after it; silence before its start.
    let silence = [Float](repeating: 0, count: maximumLag)
    var around = try estimates.read(maximumLag).channels.map { silence + $0 }
    while true {
      let block = try references.read(Self.block)
      if block.isEmpty { break }
      let ahead = try estimates.read(Self.block)
      for (index, channel) in block.channels.enumerated() {
        around[index] += ahead.channels[index]
        copy(channel, to: signal)
        transform.forward(signal.data, spectrum.data)
        copy(around[index], to: signal)
        transform.forward(signal.data, other.data)
        addProduct(conjugate: spectrum, other, to: sum)
        around[index].removeFirst(min(Self.block, around[index].count))
      }
    }
    transform.inverse(sum.data, signal.data)
    let best = (0..<2 * maximumLag).max { abs(signal.data[$0]) < abs(signal.data[$1]) }
    return best.map { $0 - maximumLag }
  }

  /// The samples, and 0 up to the end of `target`.
  private static func copy(_ samples: [Float], to target: Tensor) {
    let count = min(samples.count, target.count)
    samples.withUnsafeBufferPointer { source in
      for index in 0..<count { target.data[index] = source[index] }
    }
    for index in count..<target.count { target.data[index] = 0 }
  }

  private static func addProduct(conjugate a: Tensor, _ b: Tensor, to sum: Tensor) {
    let (a, b, result) = (a.data, b.data, sum.data)
    for real in stride(from: 0, to: sum.count, by: 2) {
      let imaginary = real + 1
      result[real] += a[real] * b[real] + a[imaginary] * b[imaginary]
      result[imaginary] += a[real] * b[imaginary] - a[imaginary] * b[real]
    }
  }
}
