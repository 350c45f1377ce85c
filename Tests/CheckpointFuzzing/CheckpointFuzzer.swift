import Checkpoints
import Foundation

/// Opens damaged copies of sound model files, each of which must end in tensors or in a `CheckpointError`.
///
/// A seed decides everything. Whatever kills the process leaves the file behind that did it.
public struct CheckpointFuzzer {
  /// What became of the cases.
  public struct Report {
    public var cases = 0
    /// Cases that could be read to the end, in spite of the damage.
    public var read = 0
    /// Errors other than `CheckpointError`, and the case that they came from.
    public var strangers: [(number: Int, error: String)] = []
    public var slowest: (number: Int, seconds: Double) = (0, 0)
  }

  private let seeds: [[UInt8]]
  private let path: String

  /// - Parameters:
  ///   - seeds: sound files.
  ///   - path: where each case lies while it is opened.
  public init(seeds: [[UInt8]], path: String) {
    self.seeds = seeds
    self.path = path
  }

  /// Runs the cases numbered `range` of the seed. A case depends on the seed and its number alone.
  public func run(_ range: Range<Int>, seed: UInt64) throws -> Report {
    var report = Report()
    for number in range {
      var mutator = ByteMutator(seed: seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
      let file = mutator.mutated(seeds)
      try Data(file).write(to: URL(fileURLWithPath: path))
      let start = ContinuousClock.now
      do {
        try CheckpointFuzzer.readEverything(path)
        report.read += 1
      } catch is CheckpointError {
      } catch {
        report.strangers.append((number, "\(error)"))
      }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      if seconds > report.slowest.seconds { report.slowest = (number, seconds) }
      report.cases += 1
    }
    return report
  }

  /// Opens a file, and reads its arguments and all its tensors.
  public static func readEverything(_ path: String) throws {
    let checkpoint = try Checkpoint(opening: path)
    _ = try checkpoint.modelDescription()
    for name in checkpoint.names {
      guard let type = checkpoint.type(of: name) else { continue }
      if type.isFloat {
        _ = try checkpoint.tensor(name)
      } else if type == .int64 || type == .int32 {
        _ = try checkpoint.int64s(name)
      }
    }
  }
}
