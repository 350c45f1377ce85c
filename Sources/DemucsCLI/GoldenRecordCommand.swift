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
      Writes DIR/golden.json and DIR/stems. A record that is there is replaced once the new one is whole; until then, and \
      if that fails, it stays. Songs stay where they are: the record holds their paths from DIR and their checksums.

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

  /// Refuses names that no record can be made of. Not in `validate`: that runs before the parser reports an unknown option,
  /// whose value it has taken for the folder or a song.
  private func refuseNames() throws {
    let names = songs.map(ModelName.track)
    if let song = zip(songs, names).first(where: { [".", ".."].contains($0.1) })?.0 {
      throw ValidationError("'\(song)': its stems would lie in no folder of their own; give the song another name.")
    }
    if let name = names.first(where: { name in names.filter { $0 == name }.count > 1 }) {
      throw ValidationError("Two songs are called \(name); give them different names, or a record of its own to each.")
    }
  }

  func run() throws {
    try refuseNames()
    try runReporting(quiet: quiet) { console, interruption in
      let old = try GoldenRecord.replaced(in: folder)
      try refuseSongs(of: old)
      let policy = try precision.makePolicy()
      let maker = try ChunkArguments.refusing {
        try StemMaker(
          model: model, precision: policy, options: chunks.options, console: console, interruption: interruption)
      }
      try refuseToOverwrite(stems: maker.separator.sources, old)
      let files = try songs.map { song in
        GoldenRecord.File(
          path: GoldenPaths.relative(song, to: folder),
          sha256: try Checksum.sha256(of: song, check: interruption.check))
      }
      let isPath = ModelStore.isPath(model.name)
      var record = GoldenRecord(
        version: Version.text, processor: ProcessorName.text, instructionSet: Processor.instructionSet,
        model: .init(
          name: isPath ? GoldenPaths.relative(model.name, to: folder) : model.name, isPath: isPath,
          files: try GoldenPaths.files(of: maker.location, check: interruption.check)),
        options: .init(chunks.options, policy), storage: storage, songs: [])
      let staging = try GoldenStaging(in: folder)
      defer { staging.discard() }
      interruption.whenAbandoned(staging.discard)
      for (song, file) in zip(songs, files) {
        record.songs.append(try recorded(song, file, in: staging, maker, interruption))
      }
      try interruption.check()
      // By now it may be another one.
      try staging.publish(record) { try GoldenRecord.replaced(in: folder) }
      console.result(PathParts.join(folder, GoldenRecord.fileName))
    }
  }

  /// Songs that would go with the old record.
  private func refuseSongs(of old: GoldenRecord?) throws {
    guard let old else { return }
    let places = Set(old.stemFiles.map { GoldenPaths.real(PathParts.join(folder, $0)) })
    if let song = songs.first(where: { places.contains(GoldenPaths.real($0)) }) {
      throw GoldenRefusal.songOfRecord(song, folder: folder)
    }
  }

  /// Files of someone else where stems are to go.
  private func refuseToOverwrite(stems: [String], _ old: GoldenRecord?) throws {
    let ours = Set(old?.stemFiles ?? [])
    for song in songs {
      for stem in stems {
        let file = file(of: stem, song: ModelName.track(song))
        let path = PathParts.join(folder, file)
        if !ours.contains(file), access(path, F_OK) == 0 { throw GoldenRefusal.inTheWay(path, folder: folder) }
      }
    }
  }

  /// Where a stem goes, from the folder of the record.
  private func file(of stem: String, song: String) -> String {
    "stems/\(song)/\(stem).\(storage == .flac ? "flac" : "npy")"
  }

  private func recorded(
    _ song: String, _ file: GoldenRecord.File, in staging: GoldenStaging, _ maker: StemMaker,
    _ interruption: Interruption
  ) throws -> GoldenRecord.Song {
    let temporary = try interruption.makeTemporaryFolder()
    defer { interruption.removeFolder(temporary) }
    let name = ModelName.track(song)
    let stems = try maker.separate(song, name: name, into: temporary).map { stem in
      let file = self.file(of: stem.name, song: name)
      try staging.makeFolder(PathParts.folder(file))
      return try GoldenStem(
        recording: try Signal(path: stem.path), name: stem.name, storage: storage,
        to: PathParts.join(staging.path, file), file: file)
    }
    return GoldenRecord.Song(name: name, file: file, stems: stems)
  }
}

/// Why nothing is recorded: something of value would be lost.
enum GoldenRefusal: Error, CustomStringConvertible {
  case songOfRecord(String, folder: String)
  case inTheWay(String, folder: String)

  var description: String {
    switch self {
    case .songOfRecord(let path, let folder):
      "\(path): is a stem of the record in \(folder), which the new one would replace. Copy it elsewhere, or record in "
        + "another folder."
    case .inTheWay(let path, let folder):
      "\(path): would be overwritten, but does not belong to a record in \(folder). Move it away, or record in another "
        + "folder."
    }
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
