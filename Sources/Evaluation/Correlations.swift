import AudioFiles
import Spectral

/// Sums x(t - lag) y(t) of every row of x with every row of y, for lags from 0 to below `taps`, over a song of any length.
///
/// The spectrum of each block of y is multiplied with that of the block and the `taps - 1` samples of x before it; one
/// inverse transform a pair, at the end, gives the sums.
final class Correlations {
  private static let size = 1 << 15

  private let taps: Int
  private let transform: DoubleFourierTransform
  /// Samples of a block.
  let block: Int
  /// The end of what was added of each row of x.
  private var history: [[Double]]
  /// Interleaved complex sums by row of x, then row of y.
  private var sums: [[Double]]
  private let columns: Int

  /// - Throws: `EvaluationError.noFourierTransform`.
  init(rows: Int, columns: Int, taps: Int) throws {
    guard let transform = DoubleFourierTransform(size: Self.size) else {
      throw EvaluationError.noFourierTransform(Self.size)
    }
    (self.transform, self.taps, self.columns) = (transform, taps, columns)
    block = Self.size - taps + 1
    history = Array(repeating: Array(repeating: 0, count: taps - 1), count: rows)
    sums = Array(repeating: Array(repeating: 0, count: 2 * transform.binCount), count: rows * columns)
  }

  /// Adds at most `block` samples of each row, as many of all.
  func add(_ x: [[Float]], _ y: [[Float]]) {
    let others = y.map { spectrum($0.map(Double.init)) }
    for (row, samples) in x.enumerated() {
      history[row] += samples.map(Double.init)
      let own = spectrum(history[row])
      history[row].removeFirst(samples.count)
      for (column, other) in others.enumerated() {
        addProduct(own, conjugate: other, to: &sums[row * columns + column])
      }
    }
  }

  /// The sums of a pair by lag.
  func sums(_ row: Int, _ column: Int) -> [Double] {
    for (index, value) in sums[row * columns + column].enumerated() { transform.spectrum[index] = value }
    transform.inverse()
    // x starts taps - 1 samples before y.
    return (0..<taps).map { transform.signal[taps - 1 - $0] / Double(Self.size) }
  }

  private func spectrum(_ samples: [Double]) -> [Double] {
    for index in 0..<Self.size { transform.signal[index] = index < samples.count ? samples[index] : 0 }
    transform.forward()
    return Array(transform.spectrum.prefix(2 * transform.binCount))
  }

  /// Adds a conj(b), whose transform is the sum over t of a(t + n) b(t).
  private func addProduct(_ a: [Double], conjugate b: [Double], to sum: inout [Double]) {
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        sum.withUnsafeMutableBufferPointer { sum in
          for real in stride(from: 0, to: sum.count - 1, by: 2) {
            sum[real] += a[real] * b[real] + a[real + 1] * b[real + 1]
            sum[real + 1] += a[real + 1] * b[real] - a[real] * b[real + 1]
          }
        }
      }
    }
  }
}
