import ArgumentParser
import Evaluation
import Foundation
import Layers
import ModelStore
import Separation
import Tensors

/// `demucs-cli golden record`.
struct GoldenRecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record", abstract: "Separate songs and keep their stems, to check others against.",
    discussion: """
      Writes DIR/golden.json and DIR/stems; a record that is there is replaced. Songs stay where they are: the record \
      holds their paths from DIR and their checksums.

      --storage flac keeps every sample in 24-bit FLAC, about 10 MB a stem and minute. --storage samples keeps 128 of \
      each second and channel as float32, 60 kB a stem and minute: enough to find a drift and its time. Both keep a hash \
      of every second.

        demucs-cli golden record golden songs/*.flac -n htdemucs_6s --seed 1
      """)

  @Argument(help: ArgumentHelp("Folder of the record.", valueName: "dir"))
  var folder: String

  @Argument(help: ArgumentHelp("Songs.", valueName: "song"))
  var songs: [String]

  @Option(help: ArgumentHelp("What is kept of the samples.", valueName: "kind"))
  var storage = GoldenRecord.Storage.flac

  @Flag(help: "Show no progress; warnings and errors stay.")
  var quiet = false

  @OptionGroup(title: "Separation options") var chunks: ChunkArguments
  @OptionGroup(title: "Model options") var model: ModelArguments
  @OptionGroup(title: "Precision options") var precision: PrecisionArguments

  mutating func validate() throws {
    let names = songs.map(ModelName.track)
    if let name = names.first(where: { name in names.filter { $0 == name }.count > 1 }) {
      throw ValidationError("Two songs are called \(name); give them different names, or a record of its own to each.")
    }
  }

  func run() throws {
    try runReporting(quiet: quiet) { console, interruption in
      let policy = try precision.makePolicy()
      let maker = try ChunkArguments.refusing {
        try StemMaker(
          model: model, precision: policy, options: chunks.options, console: console, interruption: interruption)
      }
      let files = try songs.map { song in
        GoldenRecord.File(
          path: GoldenPaths.relative(song, to: folder),
          sha256: try Checksum.sha256(of: song, check: interruption.check))
      }
      let isPath = FileManager.default.fileExists(atPath: model.name)
      var record = GoldenRecord(
        version: Version.text, processor: ProcessorName.text, instructionSet: Processor.instructionSet,
        model: .init(
          name: isPath ? GoldenPaths.relative(model.name, to: folder) : model.name, isPath: isPath,
          files: try GoldenPaths.files(of: maker.location, check: interruption.check)),
        options: .init(chunks.options, policy), storage: storage, songs: [])
      GoldenRecord.remove(from: folder)
      for (song, file) in zip(songs, files) {
        record.songs.append(try recorded(song, file, maker, interruption))
      }
      try record.write(to: folder)
      console.result("\(folder)/\(GoldenRecord.fileName)")
    }
  }

  private func recorded(
    _ song: String, _ file: GoldenRecord.File, _ maker: StemMaker, _ interruption: Interruption
  ) throws -> GoldenRecord.Song {
    let temporary = try interruption.makeTemporaryFolder()
    defer { interruption.removeFolder(temporary) }
    let name = ModelName.track(song)
    let place = "stems/\(name)"
    do {
      try FileManager.default.createDirectory(atPath: "\(folder)/\(place)", withIntermediateDirectories: true)
    } catch {
      throw EvaluationError.unwritable(path: "\(folder)/\(place)", reason: error.localizedDescription)
    }
    let stems = try maker.separate(song, name: name, into: temporary).map { stem in
      let file = "\(place)/\(stem.name).\(storage == .flac ? "flac" : "npy")"
      return try GoldenStem(
        recording: try Signal(path: stem.path), name: stem.name, storage: storage, to: "\(folder)/\(file)", file: file)
    }
    return GoldenRecord.Song(name: name, file: file, stems: stems)
  }
}

extension GoldenRecord.Storage: ExpressibleByArgument {}

extension GoldenRecord.Options {
  init(_ options: SeparationOptions, _ policy: PrecisionPolicy) {
    self.init(
      shifts: options.shifts, overlap: options.overlap, segment: options.segment,
      transitionPower: options.transitionPower, seed: options.seed, policy: policy)
  }

  var separation: SeparationOptions {
    SeparationOptions(
      shifts: shifts, overlap: overlap, segment: segment, transitionPower: transitionPower, seed: seed)
  }
}

/// Names that records are known by.
enum ModelName {
  /// A song's file without folders and its extension.
  static func track(_ path: String) -> String {
    PathParts.withoutExtension(PathParts.file(path))
  }
}

/// What the system calls the processor.
enum ProcessorName {
  static var text: String {
    let file = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = file.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").dropFirst().joined(separator: ":").trimmingCharacters(in: .whitespaces)
      ?? "unknown"
  }
}
