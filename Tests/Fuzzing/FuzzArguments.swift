import ArgumentParser
import Foundation

/// Which cases a command runs, and what it tells of them.
public struct FuzzArguments: ParsableArguments {
  @Option(help: "How many.") var cases = 100_000
  @Option(help: "Number of the first case.") var first = 0
  @Option(help: "What the damage is drawn from.") var seed: UInt64 = 1

  public init() {}

  /// Runs the cases, and removes the last if nothing was wrong with any.
  /// - Parameter outcomes: what those were that could be read, and all others.
  public func run(_ fuzzer: Fuzzer, of seedCount: Int, outcomes: (read: String, others: String)) throws {
    var total = Fuzzer.Report()
    for start in stride(from: first, to: first + cases, by: 10_000) {
      total.add(try fuzzer.run(start..<min(start + 10_000, first + cases), seed: seed))
      try say(
        "to case \(first + total.cases): peak memory \(total.largest.peak >> 20) MiB, case \(total.largest.number)")
      if let fault = total.faults.first {
        try say("case \(fault.number): \(fault.fault)")
        throw ExitCode.failure
      }
    }
    try say(
      "\(total.cases) cases of \(seedCount) files: \(total.read) \(outcomes.read), all others \(outcomes.others); "
        + "slowest: case \(total.slowest.number), \(Int(total.slowest.seconds * 1e3)) ms")
    try FileManager.default.removeItem(atPath: fuzzer.path)
  }

  /// Past C's streams, which a reader's libraries may need to be kept from.
  private func say(_ line: String) throws { try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }
}
