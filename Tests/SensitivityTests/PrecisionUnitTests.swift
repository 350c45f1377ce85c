import Layers
import Sensitivity
import Testing

/// What a set of operations is called.
struct PrecisionUnitTests {
  /// Operations of a made-up network, under `mixed` and sums in half precision.
  static let operations: [PrecisionPlan.Operation] = {
    let plan = PrecisionPlan(PrecisionPolicy(.mixed, rules: [.init(.addition, storage: .fp16)]))
    _ = plan.precision(.convolution, "encoder.0.conv")
    _ = plan.precision(.norm, "encoder.0.norm1")
    _ = plan.precision(.activation, "encoder.0")
    _ = plan.precision(.activation, "encoder.0.dconv.layers.0.2")
    _ = plan.precision(.convolution, "encoder.1.conv")
    _ = plan.precision(.addition, "output")
    return plan.operations
  }()

  static func words(_ names: Set<String>) -> [String] {
    PrecisionUnit.words(PrecisionUnit.parts(operations).filter { names.contains($0.name) }, operations)
  }

  @Test func partsAreClassesInLayers() {
    #expect(
      PrecisionUnit.parts(Self.operations).map(\.name) == [
        "convolution@encoder.0", "activation@encoder.0", "norm@encoder.0", "convolution@encoder.1", "add@output",
      ])
  }

  @Test func aLayerThatIsWholeIsNamedOnce() {
    // Norms are in fp32 as it is.
    #expect(Self.words(["convolution@encoder.0", "activation@encoder.0"]) == ["encoder.0", "encoder.0.*"])
    #expect(Self.words(["activation@encoder.0"]) == ["activation@encoder.0", "activation@encoder.0.*"])
    #expect(Self.words(["convolution@encoder.1"]) == ["encoder.1.*"])
  }

  /// What is printed is what `--fp32-ops` takes.
  @Test func everyWordIsAnOption() throws {
    #expect(Self.words(["add@output"]) == ["add@output"])
    let all = PrecisionUnit.words(PrecisionUnit.parts(Self.operations), Self.operations)
    let policy = PrecisionPolicy(.half, rules: try PrecisionPolicy.rules(all.joined(separator: ","), in: .fp32))
    for entry in Self.operations where entry.operation != .norm {
      #expect(policy.precision(of: entry.operation, module: entry.module).isFull, "\(entry.module)")
    }
  }
}
