import Foundation
import Layers
import Tensors
import Testing

/// Which operation is carried out in which precision.
struct PrecisionPolicyTests {
  static let half = OperationPrecision(storage: .fp16)

  static func policy(_ json: String) throws -> PrecisionPolicy {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("policy-\(UUID().uuidString).json").path
    try Data(json.utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try PrecisionPolicy(contentsOf: path)
  }

  @Test func mixedIsThePublishedSelection() {
    let policy = PrecisionPolicy(.mixed)
    for operation in OperationClass.allCases {
      let narrow: [OperationClass] = [.convolution, .transposedConvolution, .linear, .activation, .layerScale]
      #expect(policy.precision(of: operation, module: "x") == (narrow.contains(operation) ? Self.half : .full))
      #expect(PrecisionPolicy(.fp32).precision(of: operation, module: "x").isFull)
    }
    #expect(PrecisionPolicy(.bf16).precision(of: .linear, module: "x") == OperationPrecision(storage: .bf16))
  }

  @Test func halfRoundsSumsWhereThereAreSome() {
    let policy = PrecisionPolicy(.half)
    #expect(policy.precision(of: .norm, module: "x") == OperationPrecision(storage: .fp16, compute: .fp16))
    #expect(policy.precision(of: .convolution, module: "x") == OperationPrecision(storage: .fp16, compute: .fp16))
    #expect(policy.precision(of: .addition, module: "x") == Self.half)
  }

  @Test func listsNameClassesModulesOrBoth() throws {
    var policy = PrecisionPolicy(.mixed)
    policy.rules = try PrecisionPolicy.rules("softmax, attention.matmul,norm@encoder.*", in: .fp16)
    #expect(policy.precision(of: .softmax, module: "x") == OperationPrecision(storage: .fp16, compute: .fp16))
    #expect(policy.precision(of: .attentionProduct, module: "x") == Self.half)
    #expect(policy.precision(of: .norm, module: "encoder.0.dconv.layers.0.1").storage == .fp16)
    #expect(policy.precision(of: .norm, module: "tencoder.0.dconv.layers.0.1").isFull)
    policy.rules = try PrecisionPolicy.rules("tdecoder.3*", in: .fp32)
    for operation in OperationClass.allCases {
      #expect(policy.precision(of: operation, module: "tdecoder.3.conv_tr").isFull)
    }
    #expect(policy.precision(of: .convolution, module: "decoder.3.conv_tr") == Self.half)
  }

  @Test func theLastRuleThatFitsCounts() throws {
    let policy = try Self.policy(
      """
      {"preset": "half", "rules": [
        {"operation": "norm", "storage": "fp32", "compute": "fp32"},
        {"operation": "norm", "modules": "decoder.*", "compute": "bf16"},
        {"modules": "encoder.0*", "storage": "bf16"}]}
      """)
    #expect(policy.precision(of: .norm, module: "encoder.1").isFull)
    #expect(policy.precision(of: .norm, module: "decoder.1") == OperationPrecision(storage: .fp32, compute: .bf16))
    #expect(policy.precision(of: .norm, module: "encoder.0") == OperationPrecision(storage: .bf16, compute: .fp32))
    #expect(policy.precision(of: .linear, module: "encoder.0") == OperationPrecision(storage: .bf16, compute: .fp16))
  }

  @Test func onlyResultsOfOneNarrowFormatAreFused() {
    #expect(Self.half.isFused(with: .fp16))
    for next in [NumberFormat.bf16, .fp32, nil] { #expect(!Self.half.isFused(with: next)) }
    #expect(!OperationPrecision.full.isFused(with: .fp32) && !OperationPrecision.full.isFused(with: .fp16))
  }

  @Test func survivesJSON() throws {
    var policy = PrecisionPolicy(.mixed)
    policy.rules = try PrecisionPolicy.rules("norm@encoder.*", in: .bf16)
    #expect(try Self.policy(try policy.json()) == policy)
  }

  @Test(arguments: [
    ("{\"preset\": \"full\"}", "'full' is none of fp32, mixed, half, bf16, at .preset"),
    ("{\"presets\": \"mixed\"}", "'presets' is unknown; there are preset, rules"),
    ("{\"rules\": [{\"operation\": \"norms\", \"storage\": \"fp16\"}]}", "'norms' is none of convolution"),
    (
      "{\"rules\": [{\"operation\": \"norm\", \"storage\": \"fp8\"}]}",
      "'fp8' is none of fp32, fp16, bf16, at .rules[0].storage"
    ),
    ("{\"rules\": [{\"operation\": \"norm\"}]}", "neither 'storage' nor 'compute'"),
    ("{\"rules\": [{\"class\": \"norm\", \"storage\": \"fp16\"}]}", "'class' is unknown"),
    ("{\"rules\": {}}", "at .rules"),
    ("[]", "not a precision policy"),
    ("{", "not a precision policy"),
    ("", "not a precision policy"),
  ]) func saysWhatIsWrongWithAFile(json: String, message: String) {
    #expect { try Self.policy(json) } throws: {
      "\($0)".contains(message) && "\($0)".contains(".json") && !"\($0)".contains("..")
    }
  }

  @Test(arguments: ["softmx", "norm,", "", "norm@", "nor@encoder.*", "encoder"])
  func refusesWordsThatNameNothing(list: String) {
    #expect(throws: PolicyError.self) { try PrecisionPolicy.rules(list, in: .fp16) }
  }

  @Test func refusesRulesThatFitNothing() throws {
    let plan = PrecisionPlan(PrecisionPolicy(.mixed, rules: try PrecisionPolicy.rules("norm@encoder.9*", in: .fp16)))
    _ = plan.precision(.norm, "encoder.0.norm1")
    _ = plan.precision(.linear, "encoder.9.linear")
    #expect { try plan.check() } throws: { "\($0)".contains("'norm@encoder.9*'") && "\($0)".contains("encoder") }
    let good = PrecisionPlan(PrecisionPolicy(.mixed, rules: try PrecisionPolicy.rules("encoder.9*", in: .fp16)))
    _ = good.precision(.norm, "encoder.9.norm1")
    try good.check()
  }
}
