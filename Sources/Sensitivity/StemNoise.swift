import Foundation
import Tensors

/// What a policy does to each stem, against the stems of float32.
public struct StemNoise: Sendable {
  /// Energy of each stem in float32, and of the difference to it; infinite where that is no number.
  public let signal: [Double]
  public let noise: [Double]
  /// Energy of the mix in the same excerpts.
  public let mix: Double

  /// - Parameters:
  ///   - reference, estimate: `[sources, channels, samples]` of each excerpt.
  ///   - excerpts: the mixes.
  init(_ reference: [Tensor], _ estimate: [Tensor], of excerpts: [Tensor]) {
    let count = reference.first?.shape[0] ?? 0
    var signal = [Double](repeating: 0, count: count)
    var noise = signal
    for (a, b) in zip(reference, estimate) {
      let size = a.count / max(1, count)
      for stem in 0..<count {
        for index in stem * size..<(stem + 1) * size {
          let difference = Double(b.data[index]) - Double(a.data[index])
          signal[stem] += Double(a.data[index]) * Double(a.data[index])
          noise[stem] += difference.isFinite ? difference * difference : .infinity
        }
      }
    }
    self.signal = signal
    self.noise = noise
    mix = excerpts.reduce(0) { total, mix in mix.elements.reduce(total) { $0 + Double($1) * Double($1) } }
  }

  /// Energies that are known.
  package init(signal: [Double], noise: [Double], mix: Double) {
    (self.signal, self.noise, self.mix) = (signal, noise, mix)
  }

  /// Signal-to-noise ratio of each stem in dB: infinite for equal stems, minus infinity for infinities and NaNs.
  public var ratios: [Double] {
    zip(signal, noise).map { $1 == 0 ? .infinity : $1.isFinite && $0 > 0 ? 10 * log10($0 / $1) : -.infinity }
  }

  public var worst: Double { ratios.min() ?? .infinity }

  public var isFinite: Bool { noise.allSatisfy(\.isFinite) }

  /// The most noise that a stem may have to reach a ratio of `target` dB.
  ///
  /// A stem that is more than 25 dB below the mix reaches it too when its noise is 15 dB below that of a stem as loud as
  /// the mix: it has hardly anything to keep.
  public func budget(_ target: Double) -> [Double] {
    signal.map { energy in
      let own = energy * pow(10, -target / 10)
      return energy < mix * pow(10, -2.5) ? max(own, mix * pow(10, -(target + 15) / 10)) : own
    }
  }

  /// Whether every stem reaches a ratio.
  public func reaches(_ target: Double) -> Bool { zip(noise, budget(target)).allSatisfy { $0 <= $1 } }
}
