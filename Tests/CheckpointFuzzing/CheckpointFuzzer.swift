import Checkpoints
import Fuzzing

/// Opens damaged copies of sound model files, each of which must end in tensors or in a `CheckpointError`.
public enum CheckpointFuzzer {
  /// - Parameters:
  ///   - seeds: sound files.
  ///   - path: where each case lies while it is opened.
  public static func make(seeds: [[UInt8]], path: String) -> Fuzzer {
    Fuzzer(
      path: path,
      makeCase: { seed in
        var mutator = ByteMutator(seed: seed)
        return mutator.mutated(seeds)
      },
      read: { path in
        try readEverything(path)
        return nil
      }, judge: { $0 is CheckpointError ? nil : "\($0)" })
  }

  /// Opens a file, and reads its arguments and all its tensors.
  public static func readEverything(_ path: String) throws {
    let checkpoint = try Checkpoint(opening: path)
    _ = try checkpoint.modelDescription()
    for name in checkpoint.names {
      guard let type = checkpoint.type(of: name) else { continue }
      if checkpoint.isWeight(name) {
        _ = try checkpoint.tensor(name)
      } else if type == .int64 || type == .int32 {
        _ = try checkpoint.int64s(name)
      }
    }
  }
}
