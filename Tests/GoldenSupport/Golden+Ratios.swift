import Foundation
import Tensors

extension Golden {
  /// Signal-to-noise ratio in dB of each stem at the positions that the file holds: infinite where all is equal, minus
  /// infinity for a NaN.
  ///
  /// Of a handful of samples a stem may be nearly 0 by chance, where others are not; such short stems are measured
  /// together.
  /// - Parameter values: all elements of the tensor `key`, whose first axis is the stems if there are several.
  public func ratios(_ key: String, stems: Int = 1, _ values: [Float]) throws -> [Double] {
    guard let shape = shape(key), shape.reduce(1, *) == values.count else {
      throw Failure(description: "\(key): \(values.count) values, oracle \(shape(key) ?? [])")
    }
    let size = max(1, values.count / stems)
    var signal = [Double](repeating: 0, count: stems)
    var noise = [Double](repeating: 0, count: stems)
    for (position, expected) in zip(try positions(key), try tensor(key).values) {
      let difference = Double(values[position]) - Double(expected)
      signal[position / size] += Double(expected) * Double(expected)
      noise[position / size] += difference.isFinite ? difference * difference : .infinity
    }
    if size < 16 {
      signal = signal.map { _ in signal.reduce(0, +) }
      noise = noise.map { _ in noise.reduce(0, +) }
    }
    return zip(signal, noise).map { $1 == 0 ? .infinity : 10 * log10($0 / $1) }
  }
}
