import ArgumentParser
import AudioFiles
import AudioFuzzing
import Foundation
import Fuzzing

/// Audio files that are not what they seem; how to use it is in docs/faults.md.
@main
struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz-audio", abstract: "Bad audio files, in any number.",
    subcommands: [Read.self, Corpus.self], defaultSubcommand: Read.self)
}

/// Many damaged files, one after the other.
struct Read: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reads damaged copies of audio files, which must end in samples or in an error.")

  @OptionGroup var arguments: FuzzArguments
  @Option(help: "Of the formats only those whose name contains this, such as flac.") var format = ""
  @Option(help: "Where each case lies while it is read, and stays if it is the last.")
  var file = "/tmp/fuzz-audio.case"

  func run() throws {
    let seeds = try [150, 3000].flatMap { try SeedFiles.all(frameCount: $0, in: NSTemporaryDirectory()) }
      .filter { format.isEmpty || $0.name.contains(format) }
    guard !seeds.isEmpty else { throw ValidationError("No format is called \(format).") }
    // What libmpg123 says of files that are meant to be broken; some of libsndfile's words are on standard output.
    LibraryMessages.discard()
    try arguments.run(
      AudioFuzzer.make(seeds: seeds.map(\.bytes), path: file), of: seeds.count,
      outcomes: ("gave audio", "ended in an AudioFileError"))
  }
}

/// The files of `BadFiles`, for a script that runs the program on them.
struct Corpus: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes some hundred files that lie, are cut short or are no audio.")

  @Argument(help: "An empty folder for them.") var folder: String

  func run() throws {
    for file in try BadFiles.all(in: folder) {
      try Data(file.bytes).write(to: URL(filePath: folder + "/" + file.name))
      print(file.name, file.outcome, separator: "\t")
    }
  }
}
