import ArgumentParser
import CheckpointFuzzing
import Foundation

/// Many damaged model files, one after the other; how to use it is in docs/model-files.md.
@main
struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz-checkpoints",
    abstract: "Opens damaged copies of model files, which must end in tensors or in an error.")

  @Option(help: "How many.") var cases = 100_000
  @Option(help: "Number of the first case.") var first = 0
  @Option(help: "What the damage is drawn from.") var seed: UInt64 = 1
  @Option(help: "Folder of sound files of at most 128 KiB.") var corpus = "Fixtures/checkpoints"
  @Option(help: "Where each case lies while it is opened, and stays if it is the last.")
  var file = "/tmp/fuzz-checkpoints.case"

  func run() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: corpus).sorted()
    let seeds = try names.map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: corpus + "/" + $0))) }
      .filter { !$0.isEmpty && $0.count <= 128 << 10 }
    guard !seeds.isEmpty else { throw ValidationError("\(corpus) has no files of at most 128 KiB.") }
    let fuzzer = CheckpointFuzzer(seeds: seeds, path: file)
    var (read, slowest) = (0, (number: 0, seconds: 0.0))
    for start in stride(from: first, to: first + cases, by: 10_000) {
      let report = try fuzzer.run(start..<min(start + 10_000, first + cases), seed: seed)
      read += report.read
      if report.slowest.seconds > slowest.seconds { slowest = report.slowest }
      print("to case \(start + report.cases): peak memory \(FuzzCommand.peakMemory / 1024) MiB")
      if let stranger = report.strangers.first {
        print("case \(stranger.number) ended in \(stranger.error)")
        throw ExitCode.failure
      }
    }
    print(
      "\(cases) cases of \(seeds.count) files: \(read) read to the end, all others ended in a CheckpointError; "
        + "slowest: case \(slowest.number), \(Int(slowest.seconds * 1e3)) ms")
    try FileManager.default.removeItem(atPath: file)
  }

  /// In KiB.
  private static var peakMemory: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }
}
