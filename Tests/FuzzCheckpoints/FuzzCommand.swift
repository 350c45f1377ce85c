import ArgumentParser
import CheckpointFuzzing
import Foundation
import Fuzzing

/// Many damaged model files, one after the other; how to use it is in docs/model-files.md.
@main
struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz-checkpoints",
    abstract: "Opens damaged copies of model files, which must end in tensors or in an error.")

  @OptionGroup var arguments: FuzzArguments
  @Option(help: "Folder of undamaged model files, each of at most 128 KiB.") var corpus = "Fixtures/checkpoints"
  @Option(help: "Where each case lies while it is opened, and stays if it is the last.")
  var file = "/tmp/fuzz-checkpoints.case"

  func run() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: corpus).sorted()
    let seeds = try names.map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: corpus + "/" + $0))) }
      .filter { !$0.isEmpty && $0.count <= 128 << 10 }
    guard !seeds.isEmpty else { throw ValidationError("\(corpus) has no files of at most 128 KiB.") }
    try arguments.run(
      CheckpointFuzzer.make(seeds: seeds, path: file), of: seeds.count,
      outcomes: ("read to the end", "ended in a CheckpointError"))
  }
}
