import GoldenSupport
import Testing

/// Every case of the golden file is somebody's, or is left out here on purpose.
struct CoverageTests {
  /// Tested in this target.
  static let here: Set = [
    "conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d", "group_norm", "layer_norm", "my_group_norm",
    "glu",
    "layer_scale", "gelu", "attention", "lstm",
  ]

  /// Tested in HTDemucsTests.
  static let elsewhere: Set = [
    "dconv", "encoder", "decoder", "transformer_layer", "cross_transformer_layer", "transformer",
    "sin_embedding",
    "cape_embedding", "sin_embedding_2d", "scaled_embedding", "blstm", "local_state", "context",
  ]

  @Test func everyFamilyIsTested() {
    #expect(LayerCase.all.count > 150, "HINT: run scripts/make_goldens.py layers")
    let families = Set(LayerCase.all.map { String($0.prefix { $0 != "/" }) })
    #expect(families == Self.here.union(Self.elsewhere))
  }
}
