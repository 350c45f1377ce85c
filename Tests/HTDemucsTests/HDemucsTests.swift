import Checkpoints
import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// `demucs.hdemucs.HDemucs` against PyTorch: every tap that the golden files hold, of every configuration and length in them.
@Suite(.serialized) struct HDemucsTests {
  static func description(_ kwargs: [String: JSONValue]) -> ModelDescription {
    ModelDescription(klass: "demucs.hdemucs.HDemucs", kwargs: kwargs)
  }

  static func model(_ kwargs: [String: JSONValue], threads: Int = 2) throws -> HTDemucsModel {
    let network = try InnerNetwork(description(kwargs)) { CounterGenerator.parameter($0, $1) }
    return try HTDemucsModel(network, pool: WorkerPool(threadCount: threads))
  }

  static let variants = Result { try Golden("hdemucs-variants") }
  static let names = (try? variants.get().cases.compactMap { $0["name"]?.stringValue }) ?? []

  static func variant(_ name: String) throws -> JSONValue {
    try #require(try variants.get().cases.first { $0["name"]?.stringValue == name })
  }

  /// The arguments of the configuration that the others vary.
  static func base() throws -> [String: JSONValue] { try #require(try variant("base")["kwargs"]?.objectValue) }

  @Test(arguments: names) func equalsPyTorch(_ name: String) throws {
    let one = try Self.variant(name)
    let model = try Self.model(try #require(one["kwargs"]?.objectValue))
    try NetworkGoldenTests.check(
      model, try Self.variants.get(), input: try NetworkGoldenTests.noise(one), prefix: name + "/")
  }

  @Test func variantsAreThere() { #expect(Self.names.count > 35, "HINT: run scripts/make_goldens.py hdemucs") }

  @Test func fullSize() throws {
    let golden = try Golden("hdemucs_mmi")
    let model = try Self.model(try #require(try golden.json("kwargs").objectValue))
    #expect(model.segmentLength == 1_764_000)
    try NetworkGoldenTests.check(model, golden, input: try NetworkGoldenTests.noise(try #require(golden.cases.first)))
  }

  /// The same bits from any number of threads, and from a workspace that was used for something else before.
  @Test(arguments: ["base", "context_early", "length.30001", "hybrid_old.long"])
  func threadsDoNotMatter(_ name: String) throws {
    let one = try Self.variant(name)
    let kwargs = try #require(one["kwargs"]?.objectValue)
    let input = try NetworkGoldenTests.noise(one)
    let expected = try Self.model(kwargs, threads: 1).separate(input).values
    for threads in [2, 3] {
      let model = try Self.model(kwargs, threads: threads)
      _ = try model.separate(CounterGenerator.noise("other", channels: input.shape[0], samples: 777))
      #expect(try model.separate(input).values == expected)
      #expect(try model.separate(input).values == expected)
    }
  }

  /// What a segment takes is found out by the first of its length.
  @Test func memoryDoesNotGrow() throws {
    let one = try Self.variant("length.30001")
    // With one thread, as it is chance how many of several work at a time.
    let model = try Self.model(try #require(one["kwargs"]?.objectValue), threads: 1)
    let input = try NetworkGoldenTests.noise(one)
    for _ in 0..<2 { _ = try model.separate(input) }
    let bytes = model.workspaceBytes
    for _ in 0..<3 { _ = try model.separate(input) }
    #expect(model.workspaceBytes == bytes)
  }

  struct Change: CustomTestStringConvertible, Sendable {
    let values: [String: JSONValue]
    let says: String
    var testDescription: String { values.map { "\($0.key) \($0.value.text)" }.sorted().joined(separator: ", ") }
  }

  static let refused: [Change] = [
    // PyTorch runs these; no published model has them.
    Change(values: ["cac": .bool(false)], says: "'cac' is false, which is not implemented"),
    Change(values: ["hybrid": .bool(false)], says: "'hybrid' is false, which is not implemented"),
    Change(values: ["multi_freqs": .array([.number(0.5)])], says: "'multi_freqs'"),
    // These it does not run.
    Change(values: ["depth": .integer(2)], says: "never merge"),
    Change(values: ["channels": .integer(6)], says: "heads"),
    Change(values: ["norm_groups": .integer(5)], says: "norm groups"),
    Change(values: ["channels": .integer(2), "dconv_comp": .integer(64)], says: "dconv_comp"),
    Change(values: ["dconv_lstm": .string("4")], says: "dconv_lstm"),
    Change(values: ["segment": .integer(0)], says: "segment"),
  ]

  @Test(arguments: refused) func isRefused(_ change: Change) throws {
    let kwargs = try Self.base().merging(change.values) { $1 }
    #expect {
      _ = try InnerNetwork(Self.description(kwargs)) { CounterGenerator.parameter($0, $1) }
    } throws: {
      "\($0)".contains(change.says)
    }
  }

  /// Branches that do not meet are found out before the first layer runs.
  @Test func otherHopIsRefused() throws {
    let model = try Self.model(try Self.base().merging(["nfft": .integer(128)]) { $1 })
    #expect { try model.check(segment: 16_800) } throws: { "\($0)".contains("where the branches merge") }
    #expect { try model.separate(Tensor(shape: [2, 16_800])) } throws: { "\($0)".contains("where the branches merge") }
  }

  /// The constructor's own defaults are those of the published model.
  @Test func defaultsAreThoseOfPyTorch() throws {
    let sources: [String: JSONValue] = ["sources": .array([.string("a"), .string("b")])]
    let all: [String: JSONValue] = [
      "audio_channels": .integer(2), "channels": .integer(48), "channels_time": .null, "growth": .integer(2),
      "nfft": .integer(4096), "wiener_iters": .integer(0), "end_iters": .integer(0), "wiener_residual": .bool(false),
      "cac": .bool(true), "depth": .integer(6), "rewrite": .bool(true), "hybrid": .bool(true),
      "hybrid_old": .bool(false), "multi_freqs": .null, "multi_freqs_depth": .integer(2), "freq_emb": .number(0.2),
      "emb_scale": .integer(10), "emb_smooth": .bool(true), "kernel_size": .integer(8), "time_stride": .integer(2),
      "stride": .integer(4), "context": .integer(1), "context_enc": .integer(0), "norm_starts": .integer(4),
      "norm_groups": .integer(4), "dconv_mode": .integer(1), "dconv_depth": .integer(2), "dconv_comp": .integer(4),
      "dconv_attn": .integer(4), "dconv_lstm": .integer(4), "dconv_init": .number(1e-4), "rescale": .number(0.1),
      "samplerate": .integer(44100), "segment": .integer(40),
    ]
    func shapes(_ kwargs: [String: JSONValue]) throws -> [String: [Int]] {
      var found: [String: [Int]] = [:]
      _ = try InnerNetwork(Self.description(kwargs)) { name, shape in
        found[name] = shape
        return Tensor(shape: shape)
      }
      return found
    }
    #expect(try shapes(sources) == shapes(sources.merging(all) { $1 }))
    let configuration = try Configuration(Self.description(sources.merging(all) { $1 }))
    #expect(configuration.ignoredParameters.isEmpty)
    #expect(configuration.segmentLength == 40 * 44100)
    #expect(!configuration.usesTrainingSegment && configuration.takesLongSegments)
  }
}
