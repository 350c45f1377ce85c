import AudioFiles
import Foundation

/// 10 log10 of a ratio of powers or energies; minus infinity for 0.
func decibels(_ power: Double) -> Double { 10 * log10(power) }

/// How far an estimate e is from a reference r, over all samples and channels as one vector.
///
/// Sums are in double precision, block by block, and of the differences themselves, so that nothing cancels. No ratio
/// but `nsdr` holds an epsilon.
public struct SignalSums: Sendable, Equatable {
  /// Samples of all channels.
  public private(set) var count = 0
  /// sum r^2
  public private(set) var referenceEnergy = 0.0
  /// sum e^2
  public private(set) var estimateEnergy = 0.0
  /// sum (e - r)^2
  public private(set) var errorEnergy = 0.0
  /// sum r e
  private var product = 0.0
  /// sum r (e - r)
  private var errorProduct = 0.0

  public init() {}

  /// Adds a block; of channels and frames those are used that both have.
  mutating func add(reference: AudioBuffer, estimate: AudioBuffer) {
    for (reference, estimate) in zip(reference.channels, estimate.channels) { add(reference, estimate) }
  }

  /// Adds a block of one channel.
  mutating func add(_ reference: [Float], _ estimate: [Float]) {
    let frames = min(reference.count, estimate.count)
    var (signal, estimated, error, product, errorProduct) = (0.0, 0.0, 0.0, 0.0, 0.0)
    reference.withUnsafeBufferPointer { reference in
      estimate.withUnsafeBufferPointer { estimate in
        for index in 0..<frames {
          let (r, e) = (Double(reference[index]), Double(estimate[index]))
          let difference = e - r
          signal += r * r
          estimated += e * e
          error += difference * difference
          product += r * e
          errorProduct += r * difference
        }
      }
    }
    count += frames
    referenceEnergy += signal
    estimateEnergy += estimated
    errorEnergy += error
    self.product += product
    self.errorProduct += errorProduct
  }

  mutating func add(_ other: SignalSums) {
    count += other.count
    referenceEnergy += other.referenceEnergy
    estimateEnergy += other.estimateEnergy
    errorEnergy += other.errorEnergy
    product += other.product
    errorProduct += other.errorProduct
  }

  /// The factor a that brings a r closest to e: sum r e / sum r^2; 0 for a silent reference.
  public var gain: Double { referenceEnergy > 0 ? product / referenceEnergy : 0 }

  /// sum (e - a r)^2, from whichever of e and e - r is the smaller: less cancels.
  public var residualEnergy: Double {
    guard referenceEnergy > 0 else { return estimateEnergy }
    return errorEnergy < estimateEnergy
      ? max(0, errorEnergy - errorProduct * errorProduct / referenceEnergy)
      : max(0, estimateEnergy - product * product / referenceEnergy)
  }

  /// 10 log10(sum r^2 / sum (e - r)^2): infinite where they are equal, nil for a silent reference.
  public var snr: Double? { referenceEnergy > 0 ? decibels(referenceEnergy / errorEnergy) : nil }

  /// The SDR of the Music Demixing Challenge 2021 ("nSDR"), 10 log10((sum r^2 + 1e-7) / (sum (e - r)^2 + 1e-7)) over the
  /// whole song: `new_sdr` of `demucs.evaluate`. Its epsilon makes equal signals finite, and hides what is below it.
  public var nsdr: Double { decibels((referenceEnergy + Self.epsilon) / (errorEnergy + Self.epsilon)) }

  /// The scale-invariant SDR, 10 log10(sum (a r)^2 / sum (e - a r)^2) with the best factor a (Le Roux et al.,
  /// arXiv:1811.02508), no mean subtracted: nil where either is silent.
  public var siSDR: Double? {
    guard referenceEnergy > 0, estimateEnergy > 0 else { return nil }
    return decibels(gain * gain * referenceEnergy / residualEnergy)
  }

  /// RMS in dB relative to full scale; minus infinity for silence.
  public var referenceLevel: Double { level(referenceEnergy) }
  public var estimateLevel: Double { level(estimateEnergy) }
  public var errorLevel: Double { level(errorEnergy) }

  private func level(_ energy: Double) -> Double { decibels(energy / Double(max(1, count))) }

  private static let epsilon = 1e-7
}
