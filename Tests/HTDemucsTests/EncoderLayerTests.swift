import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// `demucs.hdemucs.HEncLayer`.
struct EncoderLayerTests {
  /// `demucs.hdemucs.MultiWrap` is what `multi_freqs` asks for, which is refused.
  static let refused: Set = ["encoder/multi"]

  static let cases = LayerCase.names("encoder").filter { !refused.contains($0) }

  /// The layer of a case, and the number of its parameters checked.
  static func layer(
    _ layer: LayerCase, _ policy: PrecisionPolicy = PrecisionPolicy(.fp32)
  ) throws -> (EncoderLayer, isFrequency: Bool) {
    let isFrequency = layer.flag("freq", true)
    let kernel = layer["kernel_size"]?.intValue ?? 8
    let weights = LayerConfiguration.Weights(layer, policy: policy)
    let encoder = try EncoderLayer(
      weights.parameters, layer.name, try LayerConfiguration.around(layer, context: ("context_enc", 0)),
      inputs: try layer.integer("chin"), outputs: try layer.integer("chout"), kernel: kernel,
      stride: layer["stride"]?.intValue ?? 4, padding: layer.flag("pad", true) ? kernel / 4 : 0,
      isFrequency: isFrequency, hasNorm: layer.flag("norm", true), isEmpty: layer.flag("empty", false),
      isInjected: layer["inputs"]?["inject"] != nil)
    #expect(weights.count == layer.weightCount)
    return (encoder, isFrequency)
  }

  /// The output of a layer for the inputs of its case.
  static func output(_ layer: LayerCase, _ policy: PrecisionPolicy = PrecisionPolicy(.fp32)) throws -> Tensor {
    let (encoder, isFrequency) = try Self.layer(layer, policy)
    let isInjected = layer["inputs"]?["inject"] != nil
    let input = try layer.input(isInjected ? "x" : "input")
    let injected = isInjected ? try layer.input("inject") : nil
    let workspace = Workspace(pool: WorkerPool(threadCount: 2))
    let items = (0..<input.shape[0]).map { index -> Tensor in
      let map = FeatureMap(input.item(index), in: workspace.arena)
      let output = encoder(
        map, injected: injected.map { FeatureMap($0.item(index), in: workspace.arena) }, workspace: workspace)
      #expect(output.hasCleanMargins)
      return isFrequency ? output.image : output.wave
    }
    return Tensor(items: items)
  }

  @Test(arguments: cases) func equalsPyTorch(name: String) throws {
    let layer = try LayerCase(name)
    let deviation = try layer.deviation(try Self.output(layer))
    #expect(deviation.relativeError < 1e-6, "\(deviation)")
  }

  @Test func refusedCasesAreKnown() {
    #expect(Self.refused.isSubset(of: LayerCase.all))
    #expect(Self.cases.count >= 26)
  }
}
