import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// What stands in the middle of HDemucs' inner residual branches: `demucs.demucs.BLSTM`, `LocalState`, and `DConv` with them.
/// The items of a batch are the rows of a map.
struct ContextTests {
  /// `[batch, channels, length]` as `[channels, batch, length]`, or back.
  private func turned(_ tensor: Tensor) -> Tensor {
    let (a, b, length) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
    let result = Tensor(shape: [b, a, length])
    for i in 0..<a {
      for j in 0..<b {
        (result.data + (j * a + i) * length).update(from: tensor.data + (i * b + j) * length, count: length)
      }
    }
    return result
  }

  private func check(
    _ name: String, threads: Int,
    _ run: (LayerConfiguration.Weights, LayerCase, FeatureMap, Workspace) throws -> FeatureMap
  ) throws {
    let layer = try LayerCase(name)
    let weights = LayerConfiguration.Weights(layer)
    let workspace = Workspace(pool: WorkerPool(threadCount: threads))
    let map = FeatureMap(turned(try layer.input()), in: workspace.arena)
    let output = try run(weights, layer, map, workspace)
    #expect(weights.count == layer.weightCount)
    #expect(output.hasCleanMargins)
    let deviation = try layer.deviation(turned(output.image))
    #expect(deviation.relativeError < 2e-6, "\(deviation)")
  }

  @Test(arguments: LayerCase.names("blstm"), [1, 2]) func blstm(name: String, threads: Int) throws {
    try check(name, threads: threads) { weights, layer, map, workspace in
      try BLSTM(weights.parameters, name, channels: try layer.integer("channels"))(map, workspace: workspace)
    }
  }

  @Test(arguments: LayerCase.names("local_state"), [1, 2]) func localState(name: String, threads: Int) throws {
    try check(name, threads: threads) { weights, layer, map, workspace in
      try LocalState(weights.parameters, name, channels: try layer.integer("channels"))(map, workspace: workspace)
      return map
    }
  }

  @Test(arguments: LayerCase.names("context"), [1, 2]) func residualBranch(name: String, threads: Int) throws {
    try check(name, threads: threads) { weights, layer, map, workspace in
      let dconv = try DConv(
        weights.parameters, name, channels: try layer.integer("channels"), depth: try layer.integer("depth"),
        compression: Double(try layer.integer("compress")),
        context: DConvContext(hasLSTM: layer.flag("lstm", false), hasAttention: layer.flag("attn", false)))
      dconv.applyToSequence(map, workspace: workspace)
      return map
    }
  }
}
