import AudioFiles
import Checkpoints
import Foundation
import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// Whole networks against PyTorch: every tap, for every configuration in the golden files.
@Suite(.serialized) struct NetworkGoldenTests {
  static let pool = WorkerPool(threadCount: 2)

  static func model(_ kwargs: JSONValue) throws -> HTDemucsModel {
    let description = ModelDescription(klass: "demucs.htdemucs.HTDemucs", kwargs: kwargs.objectValue ?? [:])
    let network = try InnerNetwork(description) { CounterGenerator.parameter($0, $1) }
    return try HTDemucsModel(network, pool: pool)
  }

  /// Runs a network with taps on and compares each with the golden file.
  static func check(_ golden: Golden, _ kwargs: JSONValue, input: Tensor, prefix: String? = nil) throws {
    try check(try model(kwargs), golden, input: input, prefix: prefix)
  }

  static func check(_ model: HTDemucsModel, _ golden: Golden, input: Tensor, prefix: String? = nil) throws {
    let taps = TapRecorder()
    _ = try model.separate(input, taps: taps)
    let keys = golden.order.filter { $0.hasPrefix(prefix ?? "") }
    try #require(!keys.isEmpty)
    var compared = 0
    for key in keys {
      let name = String(key.dropFirst(prefix?.count ?? 0))
      guard let tap = taps[name] else {
        Issue.record("\(key): no such tap")
        continue
      }
      let deviation = try golden.deviation(key, tap)
      if !(deviation.relativeError < 1e-5) { Issue.record("\(deviation)") }
      compared += 1
    }
    #expect(compared == keys.count)
    // Where many networks share a file, only some of the taps are kept.
    guard prefix == nil else { return }
    let expected = Set(keys)
    // The oracle passes over modules that return their input.
    let identities = [
      "norm1", "norm2", "norm_in", "norm_in_t", "dropout", "dropout1", "dropout2", "gamma_1", "gamma_2",
    ]
    let extra = taps.names.filter { name in
      !expected.contains(name) && !identities.contains { name.hasSuffix("." + $0) }
    }
    #expect(extra.isEmpty, "taps that PyTorch does not have")
  }

  static func noise(_ one: JSONValue) throws -> Tensor {
    let shape = (one["shape"]?.arrayValue ?? []).compactMap(\.intValue)
    let stream = try #require(one["stream"]?.stringValue)
    return CounterGenerator.noise(stream, channels: shape[1], samples: shape[2])
  }

  @Test func smallNetwork() throws {
    let golden = try Golden("network-small")
    try Self.check(golden, try golden.json("kwargs"), input: try Self.noise(try #require(golden.cases.first)))
  }

  static let variants: [String] =
    (try? Golden("network-variants").cases.compactMap { $0["name"]?.stringValue }) ?? []

  @Test(arguments: variants) func variant(_ name: String) throws {
    let golden = try Golden("network-variants")
    let one = try #require(golden.cases.first { $0["name"]?.stringValue == name })
    if one["kwargs"]?["multi_freqs"] != nil {
      // Layers split by frequency band are in no published HTDemucs: refused by name.
      #expect { try Self.model(try #require(one["kwargs"])) } throws: { "\($0)".contains("multi_freqs") }
      return
    }
    try Self.check(golden, try #require(one["kwargs"]), input: try Self.noise(one), prefix: name + "/")
  }

  @Test func variantsAreThere() { #expect(Self.variants.count > 50) }

  @Test func fullSizeFourSources() throws {
    let golden = try Golden("htdemucs-4s")
    try Self.check(golden, try golden.json("kwargs"), input: try Self.noise(try #require(golden.cases.first)))
  }

  @Test func fullSizeSixSources() throws {
    let golden = try Golden("htdemucs_6s")
    let one = try #require(golden.cases.first)
    let start = try #require(one["start"]?.intValue)
    let count = try #require(one["shape"]?.arrayValue?.last?.intValue)
    let song = try AudioSource.load(
      path: Golden.fixtures.appendingPathComponent("song.flac").path, sampleRate: 44100, channelCount: 2
    ).audio
    let input = Tensor(
      shape: [2, count], values: song.channels.flatMap { $0[start..<start + count] })
    try Self.check(golden, try golden.json("kwargs"), input: input)
  }
}
