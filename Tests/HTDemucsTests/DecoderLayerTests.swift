import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// `demucs.hdemucs.HDecLayer`.
struct DecoderLayerTests {
  /// `demucs.hdemucs.MultiWrap`, and the `context_freq=False` that only it asks for.
  static let refused: Set = ["decoder/multi", "decoder/multi.last", "decoder/freq.context_time"]

  static let cases = LayerCase.names("decoder").filter { !refused.contains($0) }

  static func layer(
    _ layer: LayerCase, _ policy: PrecisionPolicy = PrecisionPolicy(.fp32)
  ) throws -> DecoderLayer {
    let kernel = layer["kernel_size"]?.intValue ?? 8
    let weights = LayerConfiguration.Weights(layer, policy: policy)
    let decoder = try DecoderLayer(
      weights.parameters, layer.name, try LayerConfiguration.around(layer, context: ("context", 1)),
      inputs: try layer.integer("chin"), outputs: try layer.integer("chout"), kernel: kernel,
      stride: layer["stride"]?.intValue ?? 4, padding: layer.flag("pad", true) ? kernel / 4 : 0,
      isFrequency: layer.flag("freq", true), hasNorm: layer.flag("norm", true),
      isLast: layer.flag("last", false),
      isEmpty: layer.flag("empty", false))
    #expect(weights.count == layer.weightCount)
    return decoder
  }

  /// Output and refined input of one item, which come as `[channels, (rows,) columns]`.
  static func run(
    _ layer: LayerCase, _ decoder: DecoderLayer, _ index: Int, skip next: FeatureMap? = nil,
    _ workspace: Workspace
  ) throws -> (output: FeatureMap, refined: FeatureMap) {
    let x = try layer.input("x").item(index)
    // The layer before has added the skip connection.
    if !layer.flag("empty", false) {
      let skip = try layer.input("skip").item(index)
      for position in 0..<x.count { x.data[position] += skip.data[position] }
    }
    let map = FeatureMap(x, in: workspace.arena)
    let output = decoder.outputMap(map, length: try layer.integer("length"), in: workspace.arena)
    let refined = decoder.refine(map, workspace: workspace)
    decoder.expand(refined, skip: next.map { DecoderLayer.Skip($0) }, into: output, workspace: workspace)
    #expect(output.hasCleanMargins && refined.hasCleanMargins)
    return (output, refined)
  }

  /// Outputs and refined inputs of all items.
  static func outputs(
    _ layer: LayerCase, _ policy: PrecisionPolicy = PrecisionPolicy(.fp32)
  ) throws -> (output: Tensor, refined: Tensor) {
    let decoder = try Self.layer(layer, policy)
    let isFrequency = layer.flag("freq", true)
    let workspace = Workspace(pool: WorkerPool(threadCount: 2))
    let results = try (0..<layer.input("x").shape[0]).map { try Self.run(layer, decoder, $0, workspace) }
    return (
      Tensor(items: results.map { isFrequency ? $0.output.image : $0.output.wave }),
      Tensor(items: results.map { isFrequency ? $0.refined.image : $0.refined.wave })
    )
  }

  @Test(arguments: cases) func equalsPyTorch(name: String) throws {
    let layer = try LayerCase(name)
    let outputs = try Self.outputs(layer)
    let output = try layer.deviation(outputs.output)
    #expect(output.relativeError < 1e-6, "\(output)")
    let refined = try layer.deviation(outputs.refined, suffix: "#1")
    #expect(refined.relativeError < 1e-6, "\(refined)")
  }

  /// The skip connection of the next layer is added to the result, after the activation.
  @Test(arguments: [
    "decoder/freq.8x9", "decoder/freq.norm", "decoder/freq.last", "decoder/time.61", "decoder/time.norm",
  ])
  func addsTheNextSkip(name: String) throws {
    let layer = try LayerCase(name)
    let decoder = try Self.layer(layer)
    let workspace = Workspace(pool: WorkerPool(threadCount: 2))
    let plain = try Self.run(layer, decoder, 0, workspace).output
    let skip = CounterGenerator.tensor(
      "skip",
      layer.flag("freq", true)
        ? [plain.channels, plain.rows, plain.columns] : [plain.channels, plain.columns])
    let sum = try Self.run(layer, decoder, 0, skip: FeatureMap(skip, in: workspace.arena), workspace).output
    let expected = zip(plain.image.values, skip.values).map { $0 + $1 }
    #expect(sum.image.values == expected)
  }

  @Test func refusedCasesAreKnown() {
    #expect(Self.refused.isSubset(of: LayerCase.all))
    #expect(Self.cases.count >= 22)
  }
}
