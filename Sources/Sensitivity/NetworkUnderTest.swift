import Checkpoints
import Foundation
import HTDemucs
import Layers
import Tensors

/// One network that is built again for each policy; its tensors are read once.
public final class NetworkUnderTest {
  /// A pass over all excerpts.
  public struct Run {
    /// `[sources, channels, samples]` of each excerpt.
    public let stems: [Tensor]
    public let seconds: Double
  }

  private let description: ModelDescription
  private let pool: WorkerPool
  private let provide: (_ name: String, _ shape: [Int]) throws -> Tensor

  /// The network of a model file.
  /// - Throws: `CheckpointError`, `ConfigurationError`.
  public init(_ checkpoint: Checkpoint, pool: WorkerPool) throws {
    description = try checkpoint.modelDescription()
    self.pool = pool
    // Whether the file fits the network is found out by the network.
    _ = try InnerNetwork(checkpoint)
    var tensors: [String: Tensor] = [:]
    provide = { name, shape in
      if let known = tensors[name] { return known }
      let tensor = try checkpoint.tensor(name, shape: shape)
      tensors[name] = tensor
      return tensor
    }
  }

  /// A network whose tensors are made.
  package init(
    _ description: ModelDescription, pool: WorkerPool,
    tensor: @escaping (_ name: String, _ shape: [Int]) throws -> Tensor
  ) {
    self.description = description
    self.pool = pool
    provide = tensor
  }

  /// The network under a policy.
  /// - Throws: `PolicyError` for a rule that fits nothing.
  public func model(_ policy: PrecisionPolicy) throws -> HTDemucsModel {
    try HTDemucsModel(try InnerNetwork(description, precision: policy, tensor: provide), pool: pool)
  }

  /// Separates every excerpt under a policy.
  /// - Parameters:
  ///   - excerpts: `[channels, samples]` each, normalised as a track is.
  ///   - taps: receives the intermediate tensors of the first excerpt.
  public func run(_ policy: PrecisionPolicy, _ excerpts: [Tensor], taps: TapRecorder? = nil) throws -> Run {
    let model = try model(policy)
    let start = ContinuousClock.now
    let stems = try excerpts.enumerated().map { try model.separate($1, taps: $0 == 0 ? taps : nil) }
    let duration = (ContinuousClock.now - start).components
    return Run(stems: stems, seconds: Double(duration.seconds) + Double(duration.attoseconds) * 1e-18)
  }
}
