import Checkpoints
import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// No kind of operation in a plan is without effect: if one alone is rounded, the stems are others.
struct EveryOperationTests {
  /// A network of each kind, small enough to be run for each of its operations.
  enum Kind: CaseIterable {
    case htdemucs, hdemucs

    func network(_ policy: PrecisionPolicy) throws -> InnerNetwork {
      let (golden, variant) = self == .htdemucs ? ("network-variants", "base") : ("hdemucs-variants", "context_early")
      let one = try #require(try Golden(golden).cases.first { $0["name"]?.stringValue == variant })
      let description = ModelDescription(
        klass: self == .htdemucs ? "demucs.htdemucs.HTDemucs" : "demucs.hdemucs.HDemucs",
        kwargs: try #require(one["kwargs"]?.objectValue))
      return try InnerNetwork(description, precision: policy) { CounterGenerator.parameter($0, $1) }
    }
  }

  static func stems(_ kind: Kind, _ rule: PrecisionPolicy.Rule?) throws -> [Float] {
    let network = try kind.network(PrecisionPolicy(.fp32, rules: rule.map { [$0] } ?? []))
    let model = try HTDemucsModel(network, pool: WorkerPool(threadCount: 1))
    let mix = CounterGenerator.noise(
      "every operation", channels: model.audioChannels, samples: min(1500, model.segmentLength))
    return try model.separate(mix).values
  }

  @Test(arguments: Kind.allCases) func roundingAResultShows(kind: Kind) throws {
    let plain = try Self.stems(kind, nil)
    let operations = try kind.network(PrecisionPolicy(.fp32)).plan.operations
    #expect(Set(operations.map(\.operation)).count >= 11 && operations.count > 60)
    var seen = Set<String>()
    // Layers that differ by their number alone are built alike.
    for entry in operations
    where seen.insert("\(entry.operation)@\(entry.module.filter { !$0.isNumber })").inserted {
      let rounded = try Self.stems(kind, .init(entry.operation, modules: entry.module, storage: .fp16)) != plain
      #expect(rounded, "\(entry.operation.rawValue)@\(entry.module)")
      guard entry.operation.hasSums else { continue }
      let summed = try Self.stems(kind, .init(entry.operation, modules: entry.module, compute: .fp16)) != plain
      #expect(summed, "the sums of \(entry.operation.rawValue)@\(entry.module)")
    }
  }
}
