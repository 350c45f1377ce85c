import Evaluation
import Foundation
import Layers
import Tensors

/// What `demucs-cli golden check` found, as text or as JSON.
struct GoldenCheckReport {
  struct Song {
    let name: String
    let stems: [GoldenCheck]
  }

  let record: GoldenRecord
  /// What was checked.
  let policy: PrecisionPolicy
  let songs: [Song]
  let tolerance: GoldenCheck.Tolerance

  var passed: Bool { songs.allSatisfy { $0.stems.allSatisfy(\.passed) } }

  var text: String {
    let lines = songs.flatMap { song in song.stems.map { "\(song.name) \($0.stem): \(Self.words($0))" } }
    let stems = songs.flatMap(\.stems)
    let identical = stems.filter(\.isIdentical).count
    let failed = stems.filter { !$0.passed && $0.wasCompared }.count
    let within = stems.filter(\.passed).count - identical
    let sum =
      "\(stems.count) stems: \(identical) identical, \(within) within, \(failed) failed"
      + (unread > 0 ? ", \(unread) not compared" : "")
    return (lines + [sum]).map(Console.printable).joined(separator: "\n")
  }

  /// Stems that could not be compared.
  private var unread: Int { songs.flatMap(\.stems).filter { !$0.wasCompared }.count }

  /// What keeps the check from passing, and what may have brought it.
  var problems: [String] {
    let drifted = songs.contains { $0.stems.contains { !$0.passed && $0.wasCompared } }
    let stems = unread == 1 ? "a stem" : "\(unread) stems"
    return (drifted ? ["Error: stems have drifted from the record."] + hints : [])
      + (unread == 0 ? [] : ["Error: \(stems) could not be compared with the record."])
  }

  /// That the precision is not that of the record, if so.
  var precisionNote: String? {
    let recorded = record.options.policy
    guard recorded != policy else { return nil }
    let other = recorded.summary == policy.summary ? "with other rules" : "in \(policy.summary)"
    return "Note: recorded in \(recorded.summary), checked \(other)."
  }

  /// What may have brought the drift.
  private var hints: [String] {
    var lines: [String] = []
    if record.version != Version.text {
      lines.append("Recorded by version \(record.version); this is \(Version.text).")
    }
    if (record.processor, record.instructionSet) != (ProcessorName.text, Processor.instructionSet) {
      lines.append(
        "Recorded on \(record.processor) (\(record.instructionSet)); this is \(ProcessorName.text) "
          + "(\(Processor.instructionSet)).")
    }
    return lines
  }

  private static func words(_ stem: GoldenCheck) -> String {
    if let failure = stem.failure { return (stem.wasCompared ? "FAILED: " : "could not be compared: ") + failure }
    if stem.isIdentical { return "identical" }
    let snr = stem.snr.map { $0.isFinite ? String(format: "SNR %.1f dB", $0) : "no known sample differs" }
    let error = String(format: "error RMS %.1f dBFS", stem.errorLevel)
    let whole = snr ?? error
    guard !stem.drifts.isEmpty else { return "within, \(whole)" }
    let passages = stem.drifts.map { drift in
      let worst =
        drift.worstSNR.map { String(format: "SNR %.1f dB", $0) }
        ?? String(format: "error RMS %.1f dBFS", drift.errorLevel)
      return "\(ProgressFormat.time(drift.start)) to \(ProgressFormat.time(drift.end)) (worst second: \(worst))"
    }
    return "DRIFTED, \(whole): " + passages.joined(separator: ", ")
  }

  private struct Document: Encodable {
    struct Drift: Encodable {
      let start: Double
      let end: Double
      let worstSnr: Double?
      let errorLevel: Double?
    }
    struct Stem: Encodable {
      let song: String
      let stem: String
      let passed: Bool
      let compared: Bool
      let identical: Bool
      let snr: Double?
      let errorLevel: Double?
      let drifts: [Drift]
      let failure: String?
    }
    struct Machine: Encodable {
      let version: String
      let processor: String
      let instructionSet: String
      let precision: PrecisionPolicy
    }
    let passed: Bool
    let minSnr: Double
    let floor: Double
    let recorded: Machine
    let checked: Machine
    let stems: [Stem]
  }

  func json() throws -> String {
    func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
    let document = Document(
      passed: passed, minSnr: tolerance.minimumSNR, floor: tolerance.floor,
      recorded: .init(
        version: record.version, processor: record.processor, instructionSet: record.instructionSet,
        precision: record.options.policy),
      checked: .init(
        version: Version.text, processor: ProcessorName.text, instructionSet: Processor.instructionSet,
        precision: policy),
      stems: songs.flatMap { song in
        song.stems.map { stem in
          .init(
            song: song.name, stem: stem.stem, passed: stem.passed, compared: stem.wasCompared,
            identical: stem.isIdentical, snr: finite(stem.snr), errorLevel: finite(stem.errorLevel),
            drifts: stem.drifts.map {
              .init(
                start: $0.start, end: $0.end, worstSnr: finite($0.worstSNR), errorLevel: finite($0.errorLevel))
            }, failure: stem.failure)
        }
      })
    return try DemucsCLI.json(document)
  }
}
