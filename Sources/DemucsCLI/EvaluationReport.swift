import Evaluation
import Foundation
import Layers

/// What `demucs-cli evaluate` found, as text or as JSON.
struct EvaluationReport {
  let songs: [SongEvaluation]
  /// The model that made the estimates; nil where they were there.
  let model: String?
  /// The precision that it computed in.
  let policy: PrecisionPolicy?
  /// Whether there are ISR, SIR and SAR.
  let hasFilters: Bool
  /// Songs that could not be scored, and why.
  var failures: [Failure] = []

  struct Failure: Encodable {
    let song: String
    let message: String
  }

  private var summary: EvaluationSummary { EvaluationSummary(songs) }

  /// How the mixture's share is called: songs may have different numbers of stems.
  private var share: String {
    let counts = Set(songs.map(\.stemCount))
    return counts.count == 1 ? "mixture/\(counts.first ?? 0)" : "mixture/stems"
  }

  var text: String {
    var lines: [String] = []
    let ratios = ["nSDR", "SDR", "SI-SDR"] + (hasFilters ? ["ISR", "SIR", "SAR"] : [])
    var table = TextTable(["song", "stem"] + ratios + ["\(share): nSDR", "SDR", "SI-SDR"])
    for song in songs {
      for stem in song.stems {
        guard let own = stem.estimate, let mixture = stem.mixture else { continue }
        let filtered = hasFilters ? [own.isr, own.sir, own.sar] : []
        table.add(
          [song.name, stem.name]
            + cells([own.nsdr, own.sdr, own.siSDR] + filtered + [mixture.nsdr, mixture.sdr, mixture.siSDR]))
      }
    }
    if table.hasRows { lines += table.lines }
    lines += means
    let silent = songs.flatMap { song in
      song.stems.filter { $0.estimate == nil }
        .map { "\(song.name) \($0.name) \(String(format: "%.1f", $0.estimateLevel))" }
    }
    if let level = summary.silentLevel {
      lines += lines.isEmpty ? [] : [""]
      lines += [
        "Silent in the truth, level of the estimate in dBFS: " + silent.joined(separator: ", "),
        "mean \(String(format: "%.1f", level)) dBFS",
      ]
    }
    return lines.map(Console.printable).joined(separator: "\n")
  }

  private var means: [String] {
    guard let all = summary.all else { return [] }
    var table = TextTable([
      "mean over songs", "songs", "nSDR", "SDR", "SI-SDR", "\(share): nSDR", "SDR", "SI-SDR", "zero: nSDR", "SDR",
    ])
    for row in summary.rows + [all] {
      let (own, mixture) = (row.estimate, row.mixture)
      table.add(
        [row.name, "\(row.songs)"]
          + cells([own.nsdr, own.sdr, own.siSDR, mixture.nsdr, mixture.sdr, mixture.siSDR, 0, 0]))
    }
    return [""] + table.lines
  }

  private func cells(_ values: [Double?]) -> [String] { values.map { $0.map { String(format: "%.2f", $0) } ?? "-" } }

  private struct Document: Encodable {
    struct Scores: Encodable {
      var nsdr: Double?
      var sdr: Double?
      var siSdr: Double?
      var isr: Double?
      var sir: Double?
      var sar: Double?
    }
    struct Stem: Encodable {
      let stem: String
      let silentTruth: Bool
      let truthLevel: Double
      let estimateLevel: Double
      let estimate: Scores?
      let mixture: Scores?
      let zero: Scores?
    }
    struct Song: Encodable {
      let song: String
      let sampleRate: Int
      let frames: Int
      let stemCount: Int
      let stems: [Stem]
      let notes: [String]
    }
    struct Mean: Encodable {
      let stem: String
      let songs: Int
      let estimate: Scores
      let mixture: Scores
      let zero: Scores
    }
    let model: String?
    let precision: PrecisionPolicy?
    let songs: [Song]
    let stemMeans: [Mean]
    let mean: Mean?
    let silentLevel: Double?
    let failed: [Failure]
  }

  func json() throws -> String {
    let zero = Document.Scores(nsdr: 0, sdr: 0)
    func scores(_ scores: SongEvaluation.Scores) -> Document.Scores {
      .init(
        nsdr: scores.nsdr, sdr: scores.sdr, siSdr: scores.siSDR, isr: scores.isr, sir: scores.sir, sar: scores.sar)
    }
    func means(_ means: EvaluationSummary.Means) -> Document.Scores {
      .init(nsdr: means.nsdr, sdr: means.sdr, siSdr: means.siSDR, isr: means.isr, sir: means.sir, sar: means.sar)
    }
    func mean(_ row: EvaluationSummary.Row) -> Document.Mean {
      .init(
        stem: row.name, songs: row.songs, estimate: means(row.estimate), mixture: means(row.mixture), zero: zero)
    }
    let document = Document(
      model: model, precision: policy,
      songs: songs.map { song in
        .init(
          song: song.name, sampleRate: song.sampleRate, frames: song.frames, stemCount: song.stemCount,
          stems: song.stems.map {
            .init(
              stem: $0.name, silentTruth: $0.estimate == nil, truthLevel: $0.truthLevel,
              estimateLevel: $0.estimateLevel, estimate: $0.estimate.map(scores), mixture: $0.mixture.map(scores),
              zero: $0.estimate == nil ? nil : zero)
          }, notes: song.notes)
      }, stemMeans: summary.rows.map(mean), mean: summary.all.map(mean), silentLevel: summary.silentLevel,
      failed: failures)
    return try DemucsCLI.json(document)
  }
}
