import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// What stands in the middle of HDemucs' inner residual branches: `demucs.demucs.BLSTM`, `LocalState`, and `DConv` with them.
/// The items of a batch are the rows of a map.
struct ContextTests {
  /// `[batch, channels, length]` as `[channels, batch, length]`, or back.
  private static func turned(_ tensor: Tensor) -> Tensor {
    let (a, b, length) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
    let result = Tensor(shape: [b, a, length])
    for i in 0..<a {
      for j in 0..<b {
        (result.data + (j * a + i) * length).update(from: tensor.data + (i * b + j) * length, count: length)
      }
    }
    return result
  }

  /// - Returns: what the layer returns; the numbers of parameters that it asked for and has.
  private static func output(
    _ name: String, threads: Int, _ policy: PrecisionPolicy,
    _ run: (LayerConfiguration.Weights, LayerCase, FeatureMap, Workspace) throws -> FeatureMap
  ) throws -> Tensor {
    let layer = try LayerCase(name)
    let weights = LayerConfiguration.Weights(layer, policy: policy)
    let workspace = Workspace(pool: WorkerPool(threadCount: threads))
    let map = FeatureMap(turned(try layer.input()), in: workspace.arena)
    let output = try run(weights, layer, map, workspace)
    #expect(weights.count == layer.weightCount)
    #expect(output.hasCleanMargins)
    return turned(output.image)
  }

  /// The families of cases.
  enum Family: String, CaseIterable {
    case blstm
    case localState = "local_state"
    case context

    var names: [String] { LayerCase.names(rawValue) }
  }

  static func output(
    _ family: Family, _ name: String, threads: Int = 2, policy: PrecisionPolicy = PrecisionPolicy(.fp32)
  ) throws -> Tensor {
    try output(name, threads: threads, policy) { weights, layer, map, workspace in
      let channels = try layer.integer("channels")
      switch family {
      case .blstm: return try BLSTM(weights.parameters, name, channels: channels)(map, workspace: workspace)
      case .localState: try LocalState(weights.parameters, name, channels: channels)(map, workspace: workspace)
      case .context:
        let dconv = try DConv(
          weights.parameters, name, channels: channels, depth: try layer.integer("depth"),
          compression: Double(try layer.integer("compress")),
          context: DConvContext(hasLSTM: layer.flag("lstm", false), hasAttention: layer.flag("attn", false)))
        dconv.applyToSequence(map, workspace: workspace)
      }
      return map
    }
  }

  @Test(arguments: Family.allCases, [1, 2]) func equalsPyTorch(family: Family, threads: Int) throws {
    #expect(!family.names.isEmpty)
    for name in family.names {
      let deviation = try LayerCase(name).deviation(try Self.output(family, name, threads: threads))
      #expect(deviation.relativeError < 2e-6, "\(deviation)")
    }
  }
}
