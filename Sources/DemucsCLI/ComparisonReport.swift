import Evaluation
import Foundation

/// What `demucs-cli compare` found, as text or as JSON.
struct ComparisonReport {
  let comparison: Comparison

  init(_ comparison: Comparison) { self.comparison = comparison }

  var text: String {
    var table = TextTable([
      "stem", "verdict", "SNR dB", "SDR dB", "SI-SDR dB", "max diff", "mean diff", "rel. error", "outside %",
    ])
    for stem in comparison.stems {
      let figures = stem.figures
      func decibels(_ value: Double?) -> String { value.map { String(format: "%.2f", $0) } ?? "-" }
      func small(_ value: Double?) -> String { value.map { String(format: "%.2e", $0) } ?? "-" }
      let verdict = stem.verdict == .failed ? "FAILED" : stem.verdict.rawValue
      table.add([
        stem.name, verdict, decibels(figures?.snr), decibels(figures?.nsdr), decibels(figures?.siSDR),
        small(figures?.maximumDifference), small(figures?.meanDifference), small(figures?.meanRelativeError),
        figures.map { String(format: "%.3f", 100 * $0.shareOutside) } ?? "-",
      ])
    }
    var lines = table.lines
    for stem in comparison.stems where !(stem.failures + stem.notes).isEmpty {
      lines.append("\(stem.name): " + (stem.failures + stem.notes).joined(separator: "; "))
    }
    if !comparison.extra.isEmpty {
      lines.append("not in the reference: " + comparison.extra.joined(separator: ", "))
    }
    return lines.map(Console.printable).joined(separator: "\n")
  }

  private struct Document: Encodable {
    struct Stem: Encodable {
      let stem: String
      let reference: String
      let estimate: String?
      let verdict: StemComparison.Verdict
      let rule: StemComparison.Rule?
      let snr: Double?
      let sdr: Double?
      let siSdr: Double?
      let maxAbs: Double?
      let meanAbs: Double?
      let meanRelativeError: Double?
      let shareOutside: Double?
      let errorLevel: Double?
      let referenceLevel: Double?
      let estimateLevel: Double?
      let lag: Int?
      let gain: Double?
      let gainDecibels: Double?
      let channelsSwapped: Bool?
      let resembles: String?
      let frames: [Int]
      let sampleRates: [Int]
      let channels: [Int]
      let failures: [String]
      let notes: [String]
    }
    struct Thresholds: Encodable {
      let minSnr: Double
      let rtol: Double
      let atol: Double
      let maxOutside: Double
      let maxAbs: Double?
      let silence: Double
      let floor: Double
    }
    let passed: Bool
    let thresholds: Thresholds
    let stems: [Stem]
    let failed: [String]
    let notInReference: [String]
  }

  /// JSON knows no infinity: what is infinite or undefined is left out, and `verdict` tells why.
  func json() throws -> String {
    let tolerance = comparison.tolerance
    let document = Document(
      passed: comparison.failedStems.isEmpty,
      thresholds: .init(
        minSnr: tolerance.minimumSNR, rtol: tolerance.relative, atol: tolerance.absolute,
        maxOutside: tolerance.maximumOutside, maxAbs: tolerance.maximumDifference, silence: tolerance.silence,
        floor: tolerance.floor),
      stems: comparison.stems.map(Self.stem), failed: comparison.failedStems, notInReference: comparison.extra)
    return try DemucsCLI.json(document)
  }

  private static func stem(_ stem: StemComparison) -> Document.Stem {
    func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
    let (figures, explanation) = (stem.figures, stem.explanation)
    return Document.Stem(
      stem: stem.name, reference: stem.referencePath, estimate: stem.estimatePath, verdict: stem.verdict,
      rule: stem.rule, snr: finite(figures?.snr), sdr: finite(figures?.nsdr), siSdr: finite(figures?.siSDR),
      maxAbs: finite(figures?.maximumDifference), meanAbs: finite(figures?.meanDifference),
      meanRelativeError: finite(figures?.meanRelativeError), shareOutside: figures?.shareOutside,
      errorLevel: finite(figures?.errorLevel), referenceLevel: finite(figures?.referenceLevel),
      estimateLevel: finite(figures?.estimateLevel), lag: explanation?.lag, gain: explanation?.gain,
      gainDecibels: explanation?.gainDecibels, channelsSwapped: explanation?.channelsAreSwapped,
      resembles: stem.resembles, frames: stem.frames, sampleRates: stem.sampleRates, channels: stem.channels,
      failures: stem.failures, notes: stem.notes)
  }
}
