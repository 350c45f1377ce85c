import Checkpoints
import Tensors

/// Gives out the tensors of a checkpoint and keeps account of what was asked for.
final class CheckpointAudit {
  private let checkpoint: Checkpoint
  private var requested: [String: [Int]] = [:]
  private var hasProblem = false
  /// Floats that stand in for tensors the checkpoint does not have.
  private var standIns = 0

  init(_ checkpoint: Checkpoint) { self.checkpoint = checkpoint }

  /// The tensor of that name; zeros if it is missing or misshapen, which `finish` reports.
  func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
    requested[name] = shape
    if checkpoint.shape(of: name) == shape { return try checkpoint.tensor(name, shape: shape) }
    hasProblem = true
    // A hostile configuration may ask for any size, and any number: a bounded list of what is wrong is enough.
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= 1 << 24 else { throw mismatch() }
      count = product
    }
    standIns += count
    guard standIns <= 1 << 25 else { throw mismatch() }
    return Tensor(shape: shape)
  }

  /// - Throws: one error that names every missing, extra and misshapen tensor.
  func finish() throws {
    if hasProblem || checkpoint.names.count != requested.count { throw mismatch() }
  }

  private func mismatch() -> any Error {
    do {
      try checkpoint.check(expected: requested)
    } catch {
      return error
    }
    return ConfigurationError.inconsistent("its tensors are larger than can be")
  }
}
