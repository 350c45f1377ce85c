import Checkpoints
import GoldenSupport
import HTDemucs
import Layers
import Tensors

/// Layers alone want a configuration around them; this one is of no network.
enum LayerConfiguration {
  /// The smallest configuration that has the given arguments.
  static func make(_ arguments: [String: JSONValue] = [:]) throws -> Configuration {
    let base: [String: JSONValue] = [
      "sources": .array([.string("a")]), "nfft": .integer(128), "depth": .integer(1), "t_layers": .integer(0),
      "channels": .integer(8), "norm_groups": .integer(4), "dconv_comp": .integer(4),
      "dconv_mode": .integer(3),
    ]
    return try Configuration(
      ModelDescription(klass: "demucs.htdemucs.HTDemucs", kwargs: base.merging(arguments) { $1 }))
  }

  /// The configuration that the keyword arguments of an `HEncLayer` or `HDecLayer` stand for.
  /// - Parameter context: the name of the argument in the network's constructor, and the layer's default.
  static func around(_ layer: LayerCase, context: (name: String, missing: Int)) throws -> Configuration {
    try make([
      "norm_groups": .integer(try layer.integer("norm_groups")),
      "rewrite": .bool(layer.flag("rewrite", true)),
      "dconv_mode": .integer(layer.flag("dconv", true) ? 3 : 0),
      "dconv_depth": try value(layer["dconv_kw"]?["depth"]),
      "dconv_comp": try value(layer["dconv_kw"]?["compress"]),
      context.name: .integer(layer["context"]?.intValue ?? context.missing),
    ])
  }

  private static func value(_ json: JSONValue?) throws -> JSONValue {
    guard let json else { throw Golden.Failure(description: "the case lacks an argument of DConv") }
    return json
  }

  /// Gives a layer the weights of a case, and keeps account: a layer that asks for fewer than PyTorch's has is wrong.
  final class Weights {
    private let layer: LayerCase
    private let prefix: String
    private let policy: PrecisionPolicy
    private(set) var count = 0

    /// - Parameter prefix: what the layer puts before the names, which the case does not have.
    init(_ layer: LayerCase, prefix: String = "", policy: PrecisionPolicy = PrecisionPolicy(.fp32)) {
      self.layer = layer
      self.prefix = prefix
      self.policy = policy
    }

    var parameters: Parameters {
      Parameters(plan: PrecisionPlan(policy)) { [self] name, shape in
        count += 1
        return try layer.weight(String(name.dropFirst(prefix.count)), shape)
      }
    }
  }
}
