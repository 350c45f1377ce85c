import ArgumentParser
import Evaluation
import Foundation
import Separation

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

      Exit status: 0 if all songs are scored, 1 if one could not be, 64 for bad usage, 130 if interrupted.
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

  mutating func validate() throws {
    if estimates != nil, out != nil {
      throw ValidationError("--out keeps what is separated here; with a folder of estimates nothing is.")
    }
    if estimates != nil, precision.isGiven {
      throw ValidationError("Precision options are for what is separated here; with a folder of estimates nothing is.")
    }
  }

  func run() throws {
    try runReporting(quiet: quiet) { console, interruption in
      let songs = try SongFolder.songs(in: truth)
      let policy = try precision.makePolicy()
      let maker =
        estimates == nil
        ? try ChunkArguments.refusing {
          try StemMaker(
            model: model, precision: policy, options: chunks.options, console: console, interruption: interruption)
        } : nil
      var results: [SongEvaluation] = []
      var failed: [String] = []
      for song in songs {
        try interruption.check()
        do {
          let result = try evaluate(song, isOnlySong: songs.count == 1, maker, console, interruption)
          for note in result.notes { console.problem("Note: \(note)") }
          results.append(result)
        } catch let error as CancellationError {
          throw error
        } catch OutputError.abandoned {
          throw CancellationError()
        } catch {
          console.problem("Error: \(error)")
          failed.append(song.name)
        }
      }
      if !results.isEmpty {
        let report = EvaluationReport(
          songs: results, model: maker?.location.name, policy: maker == nil ? nil : policy, hasFilters: filters)
        console.result(json ? try report.json() : report.text)
      }
      guard failed.isEmpty else {
        let names = failed.joined(separator: ", ")
        console.problem("\(failed.count) of \(songs.count) songs could not be scored: \(names)")
        throw ExitCode.failure
      }
    }
  }

  private func evaluate(
    _ song: SongFolder, isOnlySong: Bool, _ maker: StemMaker?, _ console: Console, _ interruption: Interruption
  ) throws -> SongEvaluation {
    guard let maker else {
      let paths = try song.estimates(in: estimates ?? "", isOnlySong: isOnlySong)
      return try SongEvaluation(song: song, estimates: paths, filters: filters, check: interruption.check)
    }
    let folder = try interruption.makeTemporaryFolder()
    defer { interruption.removeFolder(folder) }
    let mixture: String
    if let path = song.mixture {
      mixture = path
    } else {
      mixture = folder + "/mixture.wav"
      try song.writeMixture(to: mixture)
    }
    let stems = try maker.separate(mixture, name: song.name, into: out ?? folder)
    return try SongEvaluation(
      song: song, estimates: Dictionary(stems.map { ($0.name, $0.path) }) { first, _ in first }, filters: filters,
      check: interruption.check)
  }
}
