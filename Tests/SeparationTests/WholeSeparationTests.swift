import AudioFiles
import Checkpoints
import Foundation
import GoldenSupport
import HTDemucs
import Separation
import Tensors
import Testing

/// Whole separations with a real network against `apply_model` and `Separator.separate_tensor` of demucs.
struct WholeSeparationTests {
  static let golden = Result { try GoldenSupport.Golden("apply") }
  static let cases = (try? golden.get().cases) ?? []

  static func names(_ isIncluded: (JSONValue) -> Bool) -> [String] {
    cases.filter(isIncluded).compactMap { $0["name"]?.stringValue }
  }

  /// Tested by `BagTests`.
  static let bags = names { $0["via"]?.stringValue == "bag" }
  static let accepted = names { $0["refused"] == nil }.filter { !bags.contains($0) }
  static let refused = names { $0["refused"] != nil }

  static func model(_ changes: JSONValue?, threads: Int = 2, salt: UInt64? = nil) throws -> HTDemucsModel {
    let kwargs = try golden.get().json("kwargs").objectValue ?? [:]
    let description = ModelDescription(
      klass: "demucs.htdemucs.HTDemucs", kwargs: kwargs.merging(changes?.objectValue ?? [:]) { $1 })
    let network = try InnerNetwork(description) { CounterGenerator.parameter($0, $1, salt: salt) }
    return try HTDemucsModel(network, pool: WorkerPool(threadCount: threads))
  }

  static func options(_ fact: JSONValue, shifts: Int) -> SeparationOptions {
    let options = fact["options"]
    return SeparationOptions(
      shifts: shifts, overlap: options?["overlap"]?.doubleValue ?? 0.25,
      segment: options?["segment"]?.doubleValue,
      transitionPower: options?["transition_power"]?.doubleValue ?? 1)
  }

  static let song = Result {
    try AudioSource.load(
      path: GoldenSupport.Golden.fixtures.appendingPathComponent("song.flac").path, sampleRate: 44100,
      channelCount: 2
    ).audio
  }

  /// The input of a case, by channel.
  static func input(_ fact: JSONValue) throws -> [[Float]] {
    let shape = (fact["shape"]?.arrayValue ?? []).compactMap(\.intValue)
    try #require(shape.count == 2)
    let name = try #require(fact["name"]?.stringValue)
    switch fact["signal"]?.stringValue {
    case "silence": return [[Float]](repeating: [Float](repeating: 0, count: shape[1]), count: shape[0])
    case "song": return try song.get().channels.prefix(shape[0]).map { Array($0[44100..<44100 + shape[1]]) }
    default:
      let noise = CounterGenerator.noise("\(name).input", channels: shape[0], samples: shape[1])
      return (0..<shape[0]).map { noise.item($0).values }
    }
  }

  private func fact(_ name: String) throws -> JSONValue {
    try #require(Self.cases.first { $0["name"]?.stringValue == name })
  }

  /// Every row of every stem of a case.
  static func separate(_ fact: JSONValue, with model: HTDemucsModel) throws -> [[Float]] {
    let channels = try Self.input(fact)
    if fact["options"]?["split"]?.boolValue == false, !model.usesTrainingSegment {
      // Without a segment to cut into, `split=False` is one pass of the network.
      let mix = Tensor(shape: [channels.count, channels[0].count], values: channels.flatMap { $0 })
      let stems = try model.separate(mix)
      return (0..<stems.shape[0]).flatMap { source in
        (0..<stems.shape[1]).map { stems.item(source).item($0).values }
      }
    }
    let offsets = (fact["offsets"]?.arrayValue ?? []).compactMap(\.intValue)
    let shifts = Shifts(offsets: offsets, sampleRate: model.sampleRate)
    let separator = try Separator(model: model, options: Self.options(fact, shifts: offsets.count))
    guard fact["via"]?.stringValue == "apply" else {
      return try separator.separate(AudioBuffer(channels: channels), shifts: shifts).flatMap(\.audio.channels)
    }
    let track = NormalizedTrack(channels: channels, statistics: TrackStatistics(mean: 0, deviation: 1))
    return try separator.estimate(track, shifts: shifts)
  }

  @Test(arguments: accepted) func equalsPyTorch(name: String) throws {
    let fact = try fact(name)
    let golden = try Self.golden.get()
    let shape = try #require(golden.shape(name))
    let rows = try Self.separate(fact, with: try Self.model(fact["kwargs"]))
    #expect(rows.count == shape[0] * shape[1] && rows.allSatisfy { $0.count == shape[2] })
    for (stem, decibels) in try golden.ratios(name, stems: shape[0], rows.flatMap { $0 }).enumerated() {
      #expect(decibels >= 105, "stem \(stem): \(decibels) dB")
    }
  }

  /// What the oracle cannot do is refused by name, but for a track of one sample, which has an answer.
  @Test(arguments: refused) func refusesWhatPyTorchCannotDo(name: String) throws {
    let fact = try fact(name)
    func run() throws -> [[Float]] {
      let model = try Self.model(fact["kwargs"])
      let separator = try Separator(model: model, options: Self.options(fact, shifts: 0))
      return try separator.separate(AudioBuffer(channels: Self.input(fact))).flatMap(\.audio.channels)
    }
    if name == "separator.one_sample" {
      let rows = try run()
      #expect(rows.count == 8 && rows.allSatisfy { $0.count == 1 && $0[0].isFinite })
    } else {
      #expect(throws: SeparationError.self) { try run() }
    }
  }

  @Test func everyCaseIsTested() {
    #expect(Self.accepted.count >= 45 && Self.refused.count == 5 && Self.bags == ["bag", "bag.shifts1"])
  }
}
