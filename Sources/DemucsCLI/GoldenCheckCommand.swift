import ArgumentParser
import Evaluation
import Foundation
import Layers
import ModelStore
import Separation
import Tensors

/// `demucs-cli golden check`.
struct GoldenCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Separate the songs of a record again; exit 1 if a stem has drifted.",
    discussion: """
      Model, options and songs are those of the record, and their checksums have to be. The precision is that of the \
      record, too, unless a precision option asks for another: so a record in fp32 tells what a device of less precision changes. Each second of each stem passes \
      if it has the same bits, or an SNR of at least --min-snr, or an error of at most --floor: other processors give \
      other last bits, which lie below -100 dB. What drifted is named with its time.

        demucs-cli golden check golden
        demucs-cli golden check golden --precision mixed --min-snr 58

      A song or a record that cannot be read is no drift: its stems could not be compared.

      Exit status: 0 if every stem passes, 1 if one drifted or could not be compared.
      """)

  @Argument(help: ArgumentHelp("Folder of the record.", valueName: "dir"))
  var folder: String

  // A level begins with a dash, as options do.
  @Option(parsing: .unconditional, help: ArgumentHelp("Least SNR of a second of a stem.", valueName: "dB"))
  var minSnr = GoldenCheck.Tolerance().minimumSNR

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("RMS of the error of a second that is no drift, whatever its SNR.", valueName: "dBFS"))
  var floor = GoldenCheck.Tolerance().floor

  @Flag(help: "Print one JSON object instead of lines.")
  var json = false

  @Flag(help: "Show no progress; warnings and errors stay.")
  var quiet = false

  @Option(
    help: ArgumentHelp("Folder with the songs. (default: where they were when recorded)", valueName: "dir"))
  var songs: String?

  @Option(
    name: [.customShort("n", allowingJoined: true), .long],
    help: ArgumentHelp("Name or path of the model, if it is not where it was.", valueName: "name|path"))
  var name: String?

  @OptionGroup var folders: ModelFolderArguments

  @Option(
    name: [.customShort("j", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("CPU threads; 0 uses all. Results do not depend on it.", valueName: "n"))
  var jobs = 0

  @OptionGroup(title: "Precision options") var precision: PrecisionArguments

  mutating func validate() throws {
    guard jobs >= 0 else { throw ValidationError("--jobs is \(jobs); it must be 0 or more.") }
    guard minSnr.isFinite, floor.isFinite else { throw ValidationError("--min-snr and --floor are numbers of dB.") }
  }

  func run() throws {
    try runReporting(quiet: quiet) { console, interruption in
      let record = try GoldenRecord(in: folder)
      var model = try ModelArguments.parse([])
      model.name =
        name ?? (record.model.isPath ? GoldenPaths.resolve(record.model.name, in: folder) : record.model.name)
      (model.folders, model.jobs) = (folders, jobs)
      let policy = precision.isGiven ? try precision.makePolicy() : record.options.policy
      let maker = try StemMaker(
        model: model, precision: policy, options: record.options.separation, console: console,
        interruption: interruption)
      let files = try GoldenPaths.files(of: maker.location, check: interruption.check)
      guard files.map(\.sha256) == record.model.files.map(\.sha256) else {
        throw GoldenMismatch.model(
          path: maker.location.path, found: files.map(\.sha256), recorded: record.model.files.map(\.sha256))
      }
      let tolerance = GoldenCheck.Tolerance(minimumSNR: minSnr, floor: floor)
      let results = try record.songs.map { song in
        try interruption.check()
        return GoldenCheckReport.Song(
          name: song.name, stems: try check(song, record.storage, tolerance, maker, interruption))
      }
      let report = GoldenCheckReport(record: record, policy: policy, songs: results, tolerance: tolerance)
      console.result(json ? try report.json() : report.text)
      if let note = report.precisionNote { console.problem(note) }
      for line in report.problems { console.problem(line) }
      guard report.passed else { throw ExitCode.failure }
    }
  }

  /// Separates a song again. What is wrong with it alone is said of its stems.
  private func check(
    _ song: GoldenRecord.Song, _ storage: GoldenRecord.Storage, _ tolerance: GoldenCheck.Tolerance,
    _ maker: StemMaker, _ interruption: Interruption
  ) throws -> [GoldenCheck] {
    let path =
      songs.map { PathParts.join($0, PathParts.file(song.file.path)) }
      ?? GoldenPaths.resolve(song.file.path, in: folder)
    let temporary = try interruption.makeTemporaryFolder()
    defer { interruption.removeFolder(temporary) }
    do {
      let found = try Checksum.sha256(of: path, check: interruption.check)
      guard found == song.file.sha256 else { throw GoldenMismatch.song(path: path) }
      let stems = try maker.separate(path, name: song.name, into: temporary)
      let recorded = Set(song.stems.map(\.name))
      let extra = stems.filter { !recorded.contains($0.name) }
        .map { GoldenCheck(stem: $0.name, failure: "the record has no such stem") }
      return song.stems.map { stem in
        guard let path = stems.first(where: { $0.name == stem.name })?.path else {
          return GoldenCheck(stem: stem.name, failure: "the model gives no such stem")
        }
        do {
          return try GoldenCheck(
            stem, storage: storage, folder: folder, against: Signal(path: path), tolerance: tolerance)
        } catch {
          return GoldenCheck(stem: stem.name, unread: "\(error)")
        }
      } + extra
    } catch let error where Interruption.isStop(error) {
      throw CancellationError()
    } catch {
      return song.stems.map { GoldenCheck(stem: $0.name, unread: "\(error)") }
    }
  }
}

/// Why a record cannot be checked.
enum GoldenMismatch: Error, CustomStringConvertible {
  case model(path: String, found: [String], recorded: [String])
  case song(path: String)

  var description: String {
    switch self {
    case .model(let path, let found, let recorded):
      "\(path): is not the model of the record: its SHA-256 is \(found.joined(separator: ", ")), where "
        + "\(recorded.joined(separator: ", ")) is recorded. If the new one is meant, record again with demucs-cli "
        + "golden record."
    case .song(let path):
      "\(path): is not the song of the record: its SHA-256 differs. Restore it, or record again."
    }
  }
}
