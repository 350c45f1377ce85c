import ArgumentParser
import AudioFiles
import Evaluation
import Foundation
import Separation
import Synchronization

/// `demucs-cli evaluate`: how good stems are where the true ones are known.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Score a model, or stems that are there, against true stems.",
    discussion: """
      TRUTH is the folder of a song with one file a stem (drums.wav, vocals.flac, ...), or a folder of such folders. \
      Without ESTIMATES each song is separated first, from its mixture.* or, if there is none, from the sum of its stems. \
      Estimates of the song NAME are looked for in ESTIMATES/NAME, of a single song also in ESTIMATES itself.

      For each stem, over the whole song and both channels:
        nSDR     10 log10((sum s^2 + 1e-7) / (sum (s - e)^2 + 1e-7))
        SDR      BSSEval v4: the median over seconds, as museval
        SI-SDR   scale-invariant SDR
      and what the mixture divided by the number of stems would score. Zero scores 0 dB nSDR and SDR. A stem that is \
      silent in the truth (below -60 dBFS RMS) has no ratio; the level of its estimate is given instead, in dBFS. \
      No figure is beyond 120 or -120 dB.

        demucs-cli evaluate musdb/test
        demucs-cli evaluate song/ separated/open_6s/song --json
        demucs-cli evaluate songs/ -n htdemucs_6s --out estimates
        demucs-cli evaluate songs/ --precision mixed

      Exit status: 0 if all songs are scored, 1 if one could not be, 64 for bad usage, 130 if interrupted; then the \
      songs that were scored by then are shown.
      """)

  @Argument(help: ArgumentHelp("A folder of true stems, or a folder of such folders.", valueName: "truth"))
  var truth: String

  @Argument(help: ArgumentHelp("A folder of estimates. (default: separate the songs)", valueName: "estimates"))
  var estimates: String?

  @Flag(help: "Find the 512-tap filters of BSSEval too, for ISR, SIR and SAR: slow, and 0.5 GB for six stems.")
  var filters = false

  @Flag(help: "Print one JSON object instead of tables.")
  var json = false

  @Option(
    name: [.customShort("o", allowingJoined: true), .long],
    help: ArgumentHelp("Folder to keep the separated stems in, as DIR/SONG/STEM.wav.", valueName: "dir"))
  var out: String?

  @Flag(help: "Show no progress; warnings and errors stay.")
  var quiet = false

  @OptionGroup(title: "Separation options") var chunks: ChunkArguments
  @OptionGroup(title: "Model options") var model: ModelArguments
  @OptionGroup(title: "Precision options") var precision: PrecisionArguments

  /// Refuses options of what is not done where estimates are given. Not in `validate`: that runs before the parser reports
  /// an unknown option, whose value it has taken for the estimates.
  private func refuseUnused() throws {
    if estimates != nil, out != nil {
      throw ValidationError("--out keeps what is separated here; with a folder of estimates nothing is.")
    }
    if estimates != nil, precision.isGiven {
      throw ValidationError("Precision options are for what is separated here; with a folder of estimates nothing is.")
    }
    if estimates != nil, model.isGiven || chunks.isGiven {
      throw ValidationError(
        "Model and separation options are for what is separated here; with a folder of estimates nothing is.")
    }
  }

  func run() throws {
    try refuseUnused()
    try runReporting(quiet: quiet) { console, interruption in
      let songs = try SongFolder.songs(in: truth)
      try estimates.map(SongFolder.checkEstimates)
      if let out { try refuseTruth(of: songs, in: out) }
      let policy = try precision.makePolicy()
      let maker =
        estimates == nil
        ? try ChunkArguments.refusing {
          try StemMaker(
            model: model, precision: policy, options: chunks.options, console: console, interruption: interruption)
        } : nil
      var results: [SongEvaluation] = []
      var failures: [EvaluationReport.Failure] = []
      // What was scored may have taken hours: it is shown even if the program ends in the middle of a song.
      let report = LastReport()
      interruption.finally { report.take().map { [$0] } ?? [] }
      func renew() throws {
        guard json || !results.isEmpty else { return }
        let document = EvaluationReport(
          songs: results, model: maker?.location.name, policy: maker == nil ? nil : policy, hasFilters: filters,
          failures: failures)
        report.renew(json ? try document.json() : document.text)
      }
      try renew()
      func show() { report.take().map(console.result) }
      // When it is interrupted, too.
      defer { show() }
      for song in songs {
        try interruption.check()
        do {
          let result = try evaluate(song, isOnlySong: songs.count == 1, maker, console, interruption)
          for note in result.notes { console.problem("Note: \(note)") }
          results.append(result)
        } catch let error where Interruption.isStop(error) {
          throw CancellationError()
        } catch {
          console.problem("Error: \(error)")
          failures.append(.init(song: song.name, message: "\(error)"))
        }
        try renew()
      }
      show()
      guard failures.isEmpty else {
        let names = failures.map(\.song).joined(separator: ", ")
        console.problem("\(failures.count) of \(songs.count) songs could not be scored: \(names)")
        throw ExitCode.failure
      }
    }
  }

  /// Text that is shown once, by whoever takes it first.
  private final class LastReport: Sendable {
    private let text = Mutex<String?>(nil)

    func renew(_ value: String) { text.withLock { $0 = value } }

    func take() -> String? {
      text.withLock { text in
        defer { text = nil }
        return text
      }
    }
  }

  /// Stems of a model that took the place of the true ones would be lost, and perfect.
  private func refuseTruth(of songs: [SongFolder], in out: String) throws {
    var places = FilePlaces()
    func place(in folder: String) -> FilePlaces.Place { places.place(of: FilePath(PathParts.join(folder, "stem"))) }
    let owners = Dictionary(songs.map { (place(in: $0.path), $0.name) }) { first, _ in first }
    for song in songs {
      let folder = PathParts.join(out, song.name)
      if let other = owners[place(in: folder)] {
        throw ValidationError(
          "--out '\(out)': the stems of \(song.name) would go to \(folder), among the true ones of \(other). "
            + "Choose another --out.")
      }
    }
  }

  private func evaluate(
    _ song: SongFolder, isOnlySong: Bool, _ maker: StemMaker?, _ console: Console, _ interruption: Interruption
  ) throws -> SongEvaluation {
    if let fault = song.fault { throw fault }
    guard let maker else {
      let paths = try song.estimates(in: estimates ?? "", isOnlySong: isOnlySong)
      return try SongEvaluation(song: song, estimates: paths, filters: filters, check: interruption.check)
    }
    let (names, sources) = (song.stems.keys.sorted(), maker.separator.sources)
    guard names.contains(where: sources.contains) else {
      throw EvaluationError.noCommonStems(song: song.name, truth: names, model: sources)
    }
    let folder = try interruption.makeTemporaryFolder()
    defer { interruption.removeFolder(folder) }
    let mixture: String
    if let path = song.mixture {
      mixture = path
    } else {
      mixture = folder + "/mixture.wav"
      try song.writeMixture(to: mixture, check: interruption.check)
    }
    let stems = try maker.separate(mixture, name: song.name, into: out ?? folder)
    return try SongEvaluation(
      song: song, estimates: Dictionary(stems.map { ($0.name, $0.path) }) { first, _ in first }, filters: filters,
      check: interruption.check)
  }
}
