import Foundation
import Tensors

/// Sinusoidal positions, in the precision and order of operations of PyTorch: phases are float32.
package enum PositionalEmbedding {
  /// `demucs.transformer.create_sin_embedding`: `[length, width]`, cosines then sines.
  /// - Parameter offset: taken from every position (the mean, for CAPE).
  package static func sequence(
    length: Int, width: Int, maximumPeriod: Double, offset: Float = 0
  ) -> Tensor {
    let half = width / 2
    let periods = (0..<half).map { Float(pow(maximumPeriod, Double(Float($0) / Float(half - 1)))) }
    let result = Tensor(shape: [length, width], zeroed: false)
    for position in 0..<length {
      let row = result.data + position * width
      for i in 0..<half {
        let phase = Double((Float(position) - offset) / periods[i])
        row[i] = Float(cos(phase))
        row[half + i] = Float(sin(phase))
      }
    }
    return result
  }

  /// `demucs.transformer.create_2d_sin_embedding` as tokens `[columns x rows, width]`, the row running fastest: the first
  /// half of the features tells the column (time), the second the row (frequency), sines and cosines alternating.
  package static func image(rows: Int, columns: Int, width: Int, maximumPeriod: Double) -> Tensor {
    let half = width / 2
    let factor = Float(-(log(maximumPeriod) / Double(half)))
    let rates = stride(from: 0, to: half, by: 2).map { Float(exp(Double(Float($0) * factor))) }
    let column = waves(count: columns, rates: rates)
    let row = waves(count: rows, rates: rates)
    let result = Tensor(shape: [columns * rows, width], zeroed: false)
    for c in 0..<columns {
      for r in 0..<rows {
        let token = result.data + (c * rows + r) * width
        for i in 0..<half {
          token[i] = column[c * half + i]
          token[half + i] = row[r * half + i]
        }
      }
    }
    return result
  }

  private static func waves(count: Int, rates: [Float]) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(count * rates.count * 2)
    for position in 0..<count {
      for rate in rates {
        let phase = Double(Float(position) * rate)
        result.append(Float(sin(phase)))
        result.append(Float(cos(phase)))
      }
    }
    return result
  }
}
