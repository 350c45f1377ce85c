import Checkpoints

/// The hyper-parameters of a `demucs.transformer.CrossTransformerEncoder`.
package struct TransformerConfiguration: Sendable {
  enum Embedding: Sendable {
    case sine
    case cape(meanNormalised: Bool)
    case learned(positions: Int)
  }

  /// Layers in each branch; 0 leaves the transformer out.
  let layers: Int
  /// Features of a token.
  let width: Int
  let heads: Int
  let hiddenWidth: Int
  let crossFirst: Bool
  let embedding: Embedding
  let normIn: Bool
  /// Groups of the norm at the entrance if it is a group norm, else 0.
  let normInGroups: Int
  /// Groups of the norms inside a layer if they are group norms, else 0.
  let normGroups: Int
  let normFirst: Bool
  /// Groups of the group norm at the end of a layer, 0 for none.
  let normOutGroups: Int
  let hasLayerScale: Bool
  let usesGELU: Bool
  let maximumPeriod: Double
  let embeddingWeight: Float

  init(_ arguments: Arguments, layers shapes: [LayerShape], bottomChannels: Int) throws {
    layers = try arguments.integer("t_layers", 5, in: 0...256)
    heads = try arguments.integer("t_heads", 8, in: 1...4096)
    let hiddenScale = try arguments.number("t_hidden_scale", 4, in: 0.001...1024)
    crossFirst = try arguments.flag("t_cross_first", false)
    let name = arguments["t_emb"]?.stringValue ?? "sin"
    switch name {
    case "sin": embedding = .sine
    case "cape": embedding = .cape(meanNormalised: try arguments.flag("t_cape_mean_normalize", true))
    case "scaled":
      embedding = .learned(positions: try arguments.integer("t_max_positions", 10000, in: 1...(1 << 24)))
    default: throw ConfigurationError.notImplemented(parameter: "t_emb", value: "\"\(name)\"")
    }
    normIn = try arguments.flag("t_norm_in", true)
    normInGroups = try arguments.integer("t_norm_in_group", 0, in: 0...65536)
    normGroups = try arguments.integer("t_group_norm", 0, in: 0...65536)
    normFirst = try arguments.flag("t_norm_first", true)
    let normOut = try arguments.integer("t_norm_out", 1, in: 0...65536)
    // The constructor asks for `norm_first & norm_out`, of which the lowest bit alone counts.
    normOutGroups = normFirst && normOut & 1 != 0 ? normOut : 0
    hasLayerScale = try arguments.flag("t_layer_scale", true)
    usesGELU = try arguments.flag("t_gelu", true)
    maximumPeriod = try arguments.number("t_max_period", 10000, in: 1e-6...1e12)
    embeddingWeight = Float(try arguments.number("t_weight_pos_embed", 1, in: -1e6...1e6))

    let deepest = shapes[shapes.count - 1]
    width = bottomChannels > 0 ? bottomChannels : deepest.outputChannels
    hiddenWidth = Int(Double(width) * hiddenScale)
    guard layers > 0 else { return }
    guard deepest.isFrequency else {
      throw ConfigurationError.inconsistent(
        "the transformer needs frequencies, but they are used up before the last of \(shapes.count) layers")
    }
    guard deepest.time?.outputChannels == deepest.outputChannels else {
      throw ConfigurationError.inconsistent("the two branches do not meet with the same number of channels")
    }
    guard width % heads == 0 else {
      throw ConfigurationError.invalid(
        parameter: "t_heads", value: "\(heads)", expected: "a divisor of the \(width) transformer channels")
    }
    guard width % 4 == 0 else {
      throw ConfigurationError.inconsistent(
        "\(width) transformer channels are not a multiple of 4, as the positional embedding needs")
    }
    for groups in [normInGroups, normGroups, normOutGroups] where groups > 0 && width % groups != 0 {
      throw ConfigurationError.inconsistent("\(groups) norm groups do not divide \(width) channels")
    }
  }
}
