import AudioFiles
import Checkpoints
import GoldenSupport
import HTDemucs
import Separation
import Tensors
import Testing

/// Whole separations with an HDemucs against `apply_model` and `Separator.separate_tensor` of demucs.
struct HDemucsSeparationTests {
  static let golden = Result { try GoldenSupport.Golden("hdemucs-apply") }
  static let names = (try? golden.get().cases.compactMap { $0["name"]?.stringValue }) ?? []

  static func model(_ changes: JSONValue? = nil, threads: Int = 2) throws -> HTDemucsModel {
    let kwargs = try golden.get().json("kwargs").objectValue ?? [:]
    let description = ModelDescription(
      klass: "demucs.hdemucs.HDemucs", kwargs: kwargs.merging(changes?.objectValue ?? [:]) { $1 })
    let network = try InnerNetwork(description) { CounterGenerator.parameter($0, $1) }
    return try HTDemucsModel(network, pool: WorkerPool(threadCount: threads))
  }

  @Test(arguments: names) func equalsPyTorch(name: String) throws {
    let golden = try Self.golden.get()
    let fact = try #require(golden.cases.first { $0["name"]?.stringValue == name })
    let shape = try #require(golden.shape(name))
    let rows = try WholeSeparationTests.separate(fact, with: try Self.model(fact["kwargs"]))
    #expect(rows.count == shape[0] * shape[1] && rows.allSatisfy { $0.count == shape[2] })
    for (stem, decibels) in try golden.ratios(name, stems: shape[0], rows.flatMap { $0 }).enumerated() {
      #expect(decibels >= 105, "stem \(stem): \(decibels) dB")
    }
  }

  @Test func everyCaseIsTested() { #expect(Self.names.count > 15) }

  /// A segment that no machine holds, or no number, is refused before a song is begun.
  @Test(arguments: [20_000.0, 1e9, 1e300, .infinity, .nan, 0]) func absurdSegmentsAreRefused(seconds: Double) throws {
    let model = try Self.model()
    #expect(throws: (any Error).self) {
      try Separator(model: model, options: SeparationOptions(segment: seconds))
    }
  }
}
