import Checkpoints
import Layers
import Tensors

/// Hands the tensors of a checkpoint to the layers that ask for them, and keeps account of what was asked.
final class Parameters {
  private let checkpoint: Checkpoint
  private var requested: [String: [Int]] = [:]
  private var hasProblem = false

  init(_ checkpoint: Checkpoint) { self.checkpoint = checkpoint }

  /// The tensor of that name; zeros if it is missing or misshapen, which `finish` reports.
  func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
    requested[name] = shape
    if checkpoint.shape(of: name) == shape { return try checkpoint.tensor(name, shape: shape) }
    hasProblem = true
    // A hostile configuration may ask for any size: only what a file can hold is worth standing in for.
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= 1 << 24 else { throw mismatch() }
      count = product
    }
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

  func convolution(
    _ name: String, inputs: Int, outputs: Int, rowKernel: Int? = nil, columnKernel: Int = 1, rowStride: Int = 1,
    rowPadding: Int = 0, columnPadding: Int = 0, columnDilation: Int = 1
  ) throws -> Convolution {
    let kernel = rowKernel.map { [$0, columnKernel] } ?? [columnKernel]
    return Convolution(
      weight: try tensor(name + ".weight", [outputs, inputs] + kernel), bias: try tensor(name + ".bias", [outputs]),
      rowStride: rowStride, rowPadding: rowPadding, columnPadding: columnPadding, columnDilation: columnDilation)
  }

  func groupNorm(_ name: String, groups: Int, channels: Int) throws -> GroupNorm {
    guard channels % groups == 0 else {
      throw ConfigurationError.inconsistent("\(groups) norm groups do not divide the \(channels) channels of \(name)")
    }
    return GroupNorm(
      groups: groups, weight: try tensor(name + ".weight", [channels]), bias: try tensor(name + ".bias", [channels]))
  }

  func linear(_ name: String, inputs: Int, outputs: Int) throws -> Linear {
    Linear(
      weight: try tensor(name + ".weight", [outputs, inputs]), bias: try tensor(name + ".bias", [outputs]))
  }
}
