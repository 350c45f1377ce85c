import Checkpoints
import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// `demucs.transformer`: the two kinds of layer, and the encoder made of them.
struct TransformerTests {
  static func configuration(_ arguments: [String: JSONValue?]) throws -> Configuration {
    try LayerConfiguration.make(
      ["channels": .integer(32), "t_layers": .integer(1)].merging(arguments.compactMapValues(\.self)) { $1 })
  }

  /// The configuration of a layer alone.
  static func configuration(layer: LayerCase) throws -> Configuration {
    try configuration([
      "t_heads": layer["nhead"], "t_hidden_scale": .number(Double(try layer.integer("dim_feedforward")) / 32),
      "t_norm_first": layer["norm_first"], "t_norm_out": layer["norm_out"] ?? .integer(0),
      "t_group_norm": layer["group_norm"], "t_layer_scale": layer["layer_scale"],
      "t_gelu": .bool(layer["activation"]?.stringValue == "gelu"),
    ])
  }

  static let layers = LayerCase.names("transformer_layer") + LayerCase.names("cross_transformer_layer")

  static func output(_ layer: LayerCase, _ policy: PrecisionPolicy = PrecisionPolicy(.fp32)) throws -> Tensor {
    let isCross = layer.name.hasPrefix("cross")
    let weights = LayerConfiguration.Weights(layer, policy: policy)
    let transformer = try TransformerLayer(
      weights.parameters, layer.name, try #require(try Self.configuration(layer: layer).transformer), isCross: isCross)
    #expect(weights.count == layer.weightCount)
    let workspace = Workspace(pool: WorkerPool(threadCount: 2))
    func tokens(_ tensor: Tensor) -> Tokens {
      let tokens = Tokens(in: workspace.arena, count: tensor.shape[0], width: tensor.shape[1])
      tokens.data.update(from: tensor.data, count: tensor.count)
      return tokens
    }
    let input = try layer.input(isCross ? "q" : "input")
    let memory = isCross ? try layer.input("k") : nil
    let items = (0..<input.shape[0]).map { index -> Tensor in
      let item = input.item(index)
      let x = tokens(item)
      let other = memory.map { $0.item(index) }
      let seen = other.map(tokens)
      transformer(x, memory: seen, workspace: workspace)
      if let seen, let other {
        #expect(UnsafeBufferPointer(start: seen.data, count: other.count).elementsEqual(other.values))
      }
      return Tensor(shape: item.shape, values: UnsafeBufferPointer(start: x.data, count: item.count))
    }
    return Tensor(items: items)
  }

  @Test(arguments: layers) func layerEqualsPyTorch(name: String) throws {
    let layer = try LayerCase(name)
    let deviation = try layer.deviation(try Self.output(layer))
    #expect(deviation.relativeError < 1e-6, "\(deviation)")
  }

  /// The configuration of an encoder.
  static func configuration(encoder: LayerCase) throws -> Configuration {
    try configuration([
      "t_heads": encoder["num_heads"], "t_layers": encoder["num_layers"],
      "t_hidden_scale": encoder["hidden_scale"],
      "t_norm_first": encoder["norm_first"], "t_norm_out": encoder["norm_out"],
      "t_norm_in": encoder["norm_in"],
      "t_norm_in_group": encoder["norm_in_group"], "t_group_norm": encoder["group_norm"],
      "t_layer_scale": encoder["layer_scale"], "t_gelu": encoder["gelu"],
      "t_max_positions": encoder["max_positions"],
      "t_max_period": encoder["max_period"], "t_emb": encoder["emb"], "t_cross_first": encoder["cross_first"],
      "t_weight_pos_embed": encoder["weight_pos_embed"],
      "t_cape_mean_normalize": encoder["cape_mean_normalize"],
    ])
  }

  @Test(arguments: LayerCase.names("transformer"), [1, 2])
  func encoderEqualsPyTorch(name: String, threads: Int) throws {
    let layer = try LayerCase(name)
    let weights = LayerConfiguration.Weights(layer, prefix: "crosstransformer.")
    let encoder = try CrossTransformerEncoder(
      weights.parameters, try #require(try Self.configuration(encoder: layer).transformer))
    #expect(weights.count == layer.weightCount)
    let workspace = Workspace(pool: WorkerPool(threadCount: threads))
    let x = FeatureMap(try layer.input("x").item(0), in: workspace.arena)
    let time = FeatureMap(try layer.input("xt").item(0), in: workspace.arena)
    // Twice, for the embeddings of the second pass come from the first.
    for _ in 0..<2 {
      let output = FeatureMap(
        in: workspace.arena, rows: x.rows, channels: x.channels, columns: x.columns, margin: 16)
      let timeOutput = FeatureMap(
        in: workspace.arena, rows: 1, channels: time.channels, columns: time.columns, margin: 16)
      try encoder(x, time, into: output, timeOutput, workspace: workspace)
      let frequency = try layer.deviation(Tensor(items: [output.image]))
      #expect(frequency.relativeError < 1e-6, "\(frequency)")
      let waveform = try layer.deviation(Tensor(items: [timeOutput.wave]), suffix: "#1")
      #expect(waveform.relativeError < 1.5e-6, "\(waveform)")
    }
  }

  @Test func aLearnedEmbeddingHasAnEnd() throws {
    let layer = try LayerCase("transformer/scaled")
    let encoder = try CrossTransformerEncoder(
      LayerConfiguration.Weights(layer, prefix: "crosstransformer.").parameters,
      try #require(try Self.configuration(encoder: layer).transformer))
    let workspace = Workspace(pool: WorkerPool(threadCount: 1))
    func map(_ columns: Int) -> FeatureMap {
      FeatureMap(Tensor(shape: [32, columns]), in: workspace.arena)
    }
    try encoder(map(9), map(64), into: map(9), map(64), workspace: workspace)
    #expect(throws: ConfigurationError.self) {
      try encoder(map(9), map(65), into: map(9), map(65), workspace: workspace)
    }
  }
}
