import AudioFiles
import Foundation

/// How one stem compares with its reference, and whether that is close enough.
public struct StemComparison: Sendable, Equatable {
  public enum Verdict: String, Sendable, Codable {
    /// Every sample is the same.
    case identical
    /// Both are silent: every sample is 0.
    case silent
    /// Within the tolerance.
    case within
    case failed
  }

  /// What the error is held against.
  public enum Rule: String, Sendable, Codable {
    /// The least SNR.
    case snr
    /// The absolute floor, as the reference is near-silent.
    case floor
  }

  /// The figures; those of a ratio that does not exist are nil. Infinite for signals that are equal.
  public struct Figures: Sendable, Equatable {
    public var snr: Double?
    public var nsdr: Double
    public var siSDR: Double?
    public var maximumDifference: Double
    public var meanDifference: Double
    public var meanRelativeError: Double?
    public var shareOutside: Double
    /// RMS in dBFS; minus infinity for silence.
    public var errorLevel: Double
    public var referenceLevel: Double
    public var estimateLevel: Double
  }

  public let name: String
  public let referencePath: String
  /// Nil where there is no estimate.
  public let estimatePath: String?
  public internal(set) var verdict = Verdict.failed
  public internal(set) var rule: Rule?
  /// Nil where there is nothing that could be compared sample by sample.
  public internal(set) var figures: Figures?
  /// Frames of reference and estimate.
  public internal(set) var frames: [Int] = []
  /// Hz of reference and estimate; of tensors none.
  public internal(set) var sampleRates: [Int] = []
  public internal(set) var channels: [Int] = []
  public internal(set) var explanation: Explanation?
  /// The other reference that the estimate is far closer to.
  public internal(set) var resembles: String?
  /// Why it failed, one clause each.
  public internal(set) var failures: [String] = []
  /// What else is to be known, such as which rule the stem was judged by.
  public internal(set) var notes: [String] = []

  /// A stem without an estimate.
  init(missing name: String, referencePath: String) {
    (self.name, self.referencePath, estimatePath) = (name, referencePath, nil)
    failures = ["the estimate lacks this stem"]
  }

  /// Compares two signals.
  /// - Throws: `AudioFileError`.
  init(name: String, reference: Signal, estimate: Signal, tolerance: Tolerance) throws {
    (self.name, referencePath, estimatePath) = (name, reference.path, estimate.path)
    sampleRates = [reference.sampleRate, estimate.sampleRate].compactMap(\.self)
    channels = [reference.channelCount, estimate.channelCount]
    if let one = reference.shape, let other = estimate.shape, one != other {
      failures.append("the shapes differ: \(one) and \(other)")
    }
    if sampleRates.count == 2, sampleRates[0] != sampleRates[1] {
      failures.append("the sample rates differ: \(sampleRates[0]) and \(sampleRates[1]) Hz")
    }
    if channels[0] != channels[1] {
      failures.append("the channels differ: \(channels[0]) and \(channels[1])")
    }
    guard failures.isEmpty else { return }

    let pair = try SignalPair(reference: reference, estimate: estimate, tolerance: tolerance)
    frames = [pair.reference.frames, pair.estimate.frames]
    notes += pair.reference.warnings + pair.estimate.warnings
    judgeContent(pair, sampleRate: reference.sampleRate)
    guard pair.reference.nonFinite == 0, pair.estimate.nonFinite == 0 else { return }
    figures = Figures(pair)
    judge(pair, tolerance)
    guard pair.sums.errorEnergy > 0 else { return }
    explain(pair, try Explanation(pair, reference: reference, estimate: estimate))
  }

  /// Lengths, and samples that are no numbers.
  private mutating func judgeContent(_ pair: SignalPair, sampleRate: Int?) {
    let difference = frames[1] - frames[0]
    if difference != 0 {
      let seconds = sampleRate.map { String(format: " (%.3f s)", Double(abs(difference)) / Double($0)) } ?? ""
      let what = difference < 0 ? "shorter" : "longer"
      failures.append("the estimate is \(abs(difference)) frames\(seconds) \(what): \(frames[1]) against \(frames[0])")
    }
    for (content, who) in [(pair.reference, "reference"), (pair.estimate, "estimate")] where content.nonFinite > 0 {
      failures.append(
        "\(content.nonFinite) samples of the \(who) are NaN or infinite, the first at frame "
          + "\(content.firstNonFinite ?? 0)")
    }
  }

  private mutating func judge(_ pair: SignalPair, _ tolerance: Tolerance) {
    let sums = pair.sums
    guard sums.errorEnergy > 0 else {
      verdict = failures.isEmpty ? (sums.referenceEnergy > 0 ? .identical : .silent) : .failed
      return
    }
    if sums.referenceLevel < tolerance.silence {
      rule = .floor
      let words =
        "near-silent reference (\(Self.level(sums.referenceLevel))): error RMS \(Self.level(sums.errorLevel)), "
        + "floor \(Self.number(tolerance.floor)) dBFS"
      notes.append(words)
      if sums.errorLevel > tolerance.floor {
        failures.append("the error of a near-silent stem is above the floor of \(Self.number(tolerance.floor)) dBFS")
      }
    } else {
      rule = .snr
      if let snr = sums.snr, snr < tolerance.minimumSNR {
        failures.append("SNR \(Self.number(snr)) dB is below \(Self.number(tolerance.minimumSNR))")
      }
      let share = pair.differences.shareOutside
      if share > tolerance.maximumOutside {
        failures.append(
          "\(String(format: "%.2f", 100 * share)) % of the samples are outside rtol \(tolerance.relative), "
            + "atol \(tolerance.absolute) (at most \(100 * tolerance.maximumOutside) % may be)")
      }
    }
    if let limit = tolerance.maximumDifference, pair.differences.largest > limit {
      failures.append("the largest difference, \(Float(pair.differences.largest)), is above \(limit)")
    }
    if failures.isEmpty { verdict = .within }
  }

  private mutating func explain(_ pair: SignalPair, _ explanation: Explanation?) {
    self.explanation = explanation
    if let explanation { notes.append("\(explanation)") }
    if pair.estimate.has16Bits, !pair.reference.has16Bits, pair.differences.largest <= 2 / 32768.0 {
      notes.append("the estimate is rounded to 16 bits")
    }
    if pair.sums.estimateEnergy == 0 { notes.append("the estimate is silent") }
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
  private static func level(_ value: Double) -> String { value.isFinite ? "\(number(value)) dBFS" : "silent" }
}

extension StemComparison.Figures {
  init(_ pair: SignalPair) {
    let (sums, differences) = (pair.sums, pair.differences)
    self.init(
      snr: sums.snr, nsdr: sums.nsdr, siSDR: sums.siSDR, maximumDifference: differences.largest,
      meanDifference: differences.mean, meanRelativeError: differences.meanRelative,
      shareOutside: differences.shareOutside, errorLevel: sums.errorLevel, referenceLevel: sums.referenceLevel,
      estimateLevel: sums.estimateLevel)
  }
}
