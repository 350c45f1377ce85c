import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// Layers in mixed precision against PyTorch under the same policy (`scripts/oracle/emulation.py`).
///
/// Where a sum of another order lies on the other side of a rounding step, a value differs by a whole step, about 5e-4 of
/// itself, and the layer goes on from there. Most layers are small enough to have no such value: those equal PyTorch's as
/// fp32 does, which a single rounding too many, too few or elsewhere would end.
struct MixedPrecisionTests {
  static let mixed = PrecisionPolicy(.mixed)
  static let golden = Result { try Golden("layers-mixed") }

  struct Agreement {
    var equal = 0
    var count = 0
    var worst = 0.0

    mutating func add(_ key: String, _ tensor: Tensor) throws {
      let deviation = try MixedPrecisionTests.golden.get().deviation(key, tensor)
      count += 1
      equal += deviation.relativeError < 2e-6 ? 1 : 0
      worst = max(worst, deviation.relativeError)
      #expect(deviation.relativeError < 1e-3, "\(deviation)")
    }
  }

  @Test func encoderLayers() throws {
    var agreement = Agreement()
    for name in EncoderLayerTests.cases {
      let layer = try LayerCase(name)
      // The emulation does not know what is injected between convolution and activation.
      guard layer["inputs"]?["inject"] == nil else { continue }
      try agreement.add(name, try EncoderLayerTests.output(layer, Self.mixed))
    }
    #expect(agreement.count >= 20 && agreement.equal * 4 >= agreement.count * 3, "\(agreement)")
  }

  @Test func decoderLayers() throws {
    var agreement = Agreement()
    for name in DecoderLayerTests.cases {
      let outputs = try DecoderLayerTests.outputs(try LayerCase(name), Self.mixed)
      try agreement.add(name, outputs.output)
      try agreement.add(name + "#1", outputs.refined)
    }
    #expect(agreement.count >= 44 && agreement.equal * 4 >= agreement.count * 3, "\(agreement)")
  }

  @Test(arguments: DConvTests.Form.allCases) func residualBranches(form: DConvTests.Form) throws {
    var agreement = Agreement()
    for name in LayerCase.names("dconv") where !DConvTests.delicate.contains(name) {
      try agreement.add(name, try DConvTests.output(try LayerCase(name), form, Self.mixed))
    }
    // A line of 384 channels has a value on a step more often than not.
    #expect(agreement.count >= 7 && agreement.equal * 2 >= agreement.count, "\(agreement)")
  }

  /// What HDemucs has beside: recurrent layers and local attention, alone and inside residual branches.
  @Test func contextLayers() throws {
    for family in ContextTests.Family.allCases {
      var agreement = Agreement()
      for name in family.names {
        try agreement.add(name, try ContextTests.output(family, name, policy: Self.mixed))
      }
      // The longest lines have a value on a step.
      let least = family == .context ? 1 : agreement.count - 1
      #expect(agreement.count >= 3 && agreement.equal >= least, "\(family): \(agreement)")
    }
  }

  @Test func transformerLayers() throws {
    var agreement = Agreement()
    for name in TransformerTests.layers {
      try agreement.add(name, try TransformerTests.output(try LayerCase(name), Self.mixed))
    }
    // Few tokens of many features: some value is on a step in most layers, and no more than that.
    #expect(agreement.count >= 16 && agreement.equal >= 2 && agreement.worst < 6e-5, "\(agreement)")
    // What the rounding of all of the layer does is a multiple of it.
    let layer = try LayerCase(try #require(TransformerTests.layers.first))
    var plain = Agreement()
    try plain.add(layer.name, try TransformerTests.output(layer))
    #expect(plain.worst > 1.5e-4, "\(plain)")
  }

  /// The goldens tell whether a class of operations is rounded at all.
  @Test(arguments: [OperationClass.convolution, .transposedConvolution, .activation, .layerScale])
  func aClassThatIsNotRoundedShows(operation: OperationClass) throws {
    let without = PrecisionPolicy(.mixed, rules: [.init(operation, storage: .fp32)])
    var (agreement, mutant) = (Agreement(), Agreement())
    for name in DecoderLayerTests.cases {
      let layer = try LayerCase(name)
      try agreement.add(name, try DecoderLayerTests.outputs(layer, Self.mixed).output)
      try mutant.add(name, try DecoderLayerTests.outputs(layer, without).output)
    }
    #expect(mutant.equal < agreement.equal - 3, "\(agreement), \(mutant)")
  }

  /// Weights and results are halves, and what is not chosen is not.
  @Test func storesWhatThePolicySays() throws {
    let layer = try LayerCase(try #require(LayerCase.names("encoder").first))
    let output = try EncoderLayerTests.output(layer, Self.mixed)
    #expect(output.elements.allSatisfy { NumberFormat.fp16.round($0) == $0 })
    let plain = try EncoderLayerTests.output(layer)
    #expect(!plain.elements.allSatisfy { NumberFormat.fp16.round($0) == $0 })
    #expect(output.values != plain.values)
    let untouched = PrecisionPolicy(.mixed, rules: try PrecisionPolicy.rules("*", in: .fp32))
    #expect(try EncoderLayerTests.output(layer, untouched).values == plain.values)
  }
}
