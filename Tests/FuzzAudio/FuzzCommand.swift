import ArgumentParser
import AudioFiles
import AudioFuzzing
import Foundation

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

  @Option(help: "How many.") var cases = 100_000
  @Option(help: "Number of the first case.") var first = 0
  @Option(help: "What the damage is drawn from.") var seed: UInt64 = 1
  @Option(help: "Of the formats only those whose name contains this, such as flac.") var format = ""
  @Option(help: "Where each case lies while it is read, and stays if it is the last.")
  var file = "/tmp/fuzz-audio.case"

  func run() throws {
    let seeds = try [150, 3000].flatMap { try SeedFiles.all(frameCount: $0, in: NSTemporaryDirectory()) }
      .filter { format.isEmpty || $0.name.contains(format) }
    guard !seeds.isEmpty else { throw ValidationError("No format is called \(format).") }
    // What libmpg123 says of files that are meant to be broken; some of libsndfile's words are on standard output.
    LibraryMessages.discard()
    let fuzzer = AudioFuzzer(seeds: seeds.map(\.bytes), path: file)
    var total = AudioFuzzer.Report()
    for start in stride(from: first, to: first + cases, by: 10_000) {
      let report = try fuzzer.run(start..<min(start + 10_000, first + cases), seed: seed)
      total.cases += report.cases
      total.read += report.read
      if report.slowest.seconds > total.slowest.seconds { total.slowest = report.slowest }
      if report.largest.peak > total.largest.peak { total.largest = report.largest }
      try say(
        "to case \(start + report.cases): peak memory \(total.largest.peak / 1024) MiB, case \(total.largest.number)")
      if let fault = report.faults.first {
        try say("case \(fault.number): \(fault.fault)")
        throw ExitCode.failure
      }
    }
    try say(
      "\(total.cases) cases of \(seeds.count) files: \(total.read) gave audio, all others ended in an AudioFileError; "
        + "slowest: case \(total.slowest.number), \(Int(total.slowest.seconds * 1e3)) ms")
    try FileManager.default.removeItem(atPath: file)
  }

  /// Past C's streams.
  private func say(_ line: String) throws { try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }
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
