import Checkpoints
import GoldenSupport
import HTDemucs
import Tensors
import Testing

/// Configurations that PyTorch builds and then fails to run: here they are refused before a tensor is touched.
struct RefusedConfigurationTests {
  static let tiny: [String: JSONValue] = [
    "sources": .array([.string("drums"), .string("rest")]), "channels": .integer(8), "depth": .integer(3),
    "nfft": .integer(512), "t_layers": .integer(0), "segment": .number(0.4875), "samplerate": .integer(8000),
  ]

  struct Change: CustomTestStringConvertible, Sendable {
    let values: [String: JSONValue]
    let says: String
    var testDescription: String { values.map { "\($0.key) \($0.value.text)" }.sorted().joined(separator: ", ") }
  }

  static let changes: [Change] = [
    // The branches have 61 and 122 steps where they merge.
    Change(values: ["nfft": .integer(128)], says: "where the branches merge"),
    Change(values: ["nfft": .integer(128), "depth": .integer(4)], says: "where the branches merge"),
    Change(
      values: ["nfft": .integer(256), "kernel_size": .integer(128), "depth": .integer(1)],
      says: "where the branches merge"),
    // A kernel longer than what it is laid on.
    Change(
      values: [
        "nfft": .integer(256), "kernel_size": .integer(128), "stride": .integer(32), "depth": .integer(1),
        "segment": .number(0.001),
      ], says: "layer 0"),
    Change(
      values: [
        "nfft": .integer(64), "kernel_size": .integer(1024), "stride": .integer(1024), "depth": .integer(1),
        "segment": .integer(40),
      ], says: "layer 0"),
    Change(values: ["t_emb": .null, "t_layers": .integer(1)], says: "t_emb"),
    Change(values: ["t_emb": .integer(3), "t_layers": .integer(1)], says: "t_emb"),
    Change(values: ["segment": .number(1e6)], says: "segment"),
  ]

  @Test(arguments: changes) func isRefused(_ change: Change) {
    let kwargs = Self.tiny.merging(change.values) { $1 }
    let description = ModelDescription(klass: "demucs.htdemucs.HTDemucs", kwargs: kwargs)
    #expect {
      _ = try InnerNetwork(description) { CounterGenerator.parameter($0, $1) }
    } throws: {
      "\($0)".contains(change.says)
    }
  }

  @Test func theTinyOneItselfRuns() throws {
    let description = ModelDescription(klass: "demucs.htdemucs.HTDemucs", kwargs: Self.tiny)
    let network = try InnerNetwork(description) { CounterGenerator.parameter($0, $1) }
    let model = try HTDemucsModel(network, pool: WorkerPool(threadCount: 1))
    #expect(try model.separate(Tensor(shape: [2, 100])).shape == [2, 2, 100])
  }

  /// A segment that no machine holds is refused when it is asked for, not when memory runs out.
  @Test func tooMuchMemoryIsRefused() throws {
    let kwargs = Self.tiny.merging(["segment": .integer(100_000), "channels": .integer(4096)]) { $1 }
    let description = ModelDescription(klass: "demucs.htdemucs.HTDemucs", kwargs: kwargs)
    #expect {
      let configuration = try Configuration(description)
      try configuration.checkMemory(configuration.segmentLength, in: .now)
    } throws: {
      "\($0)".contains("GB of memory")
    }
  }

  /// A file that names no tensor but describes a giant is refused without making the giant.
  @Test func missingTensorsOfAGiantAreNamed() {
    let kwargs = Self.tiny.merging(["t_layers": .integer(256), "bottom_channels": .integer(2048)]) { $1 }
    let checkpoint = Checkpoint(
      path: "giant.safetensors", description: ModelDescription(klass: "demucs.htdemucs.HTDemucs", kwargs: kwargs),
      tensors: [:])
    #expect {
      _ = try InnerNetwork(checkpoint)
    } throws: {
      "\($0)".contains("missing")
    }
  }
}
