import AudioFiles
import Checkpoints
import Foundation
import GoldenSupport
import HTDemucs
import ModelStore
import Separation
import Synchronization
import Tensors
import Testing

/// Bags of networks against `apply_model` of a `BagOfModels`, from their YAML and model files on.
struct BagTests {
  static let golden = Result { try GoldenSupport.Golden("bags") }
  static let names = ((try? golden.get().cases) ?? []).compactMap { $0["name"]?.stringValue }

  /// A folder with the members' files and the bag's YAML, removed after `body`.
  private func withBag<Result>(_ fact: JSONValue, _ body: (ModelLocation) throws -> Result) throws -> Result {
    let golden = try Self.golden.get()
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("bag-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    let members = (fact["members"]?.arrayValue ?? []).compactMap(\.intValue)
    for member in Set(members) {
      let changes = try golden.json("members").arrayValue?[member].objectValue ?? [:]
      let kwargs = (try golden.json("kwargs").objectValue ?? [:]).merging(changes) { $1 }
      let description = ModelDescription(klass: "demucs.htdemucs.HTDemucs", kwargs: kwargs)
      let collected = Mutex<[(name: String, tensor: Tensor)]>([])
      _ = try InnerNetwork(description) { name, shape in
        let tensor = CounterGenerator.parameter(name, shape, salt: UInt64(member + 1))
        collected.withLock { $0.append((name, tensor)) }
        return tensor
      }
      let tensors = collected.withLock { $0 }
      try SafetensorsWriter.write(
        to: url.appendingPathComponent("member\(member).safetensors").path, tensors: tensors,
        metadata: description.metadata)
    }
    var yaml = "models: [\(members.map { "'member\($0)'" }.joined(separator: ", "))]\n"
    if let weights = fact["weights"], !weights.isNull { yaml += "weights: \(weights.text)\n" }
    if let segment = fact["segment"], !segment.isNull { yaml += "segment: \(segment.text)\n" }
    let path = url.appendingPathComponent("my_bag.yaml").path
    try Data(yaml.utf8).write(to: URL(fileURLWithPath: path))
    let location = try ModelStore.locate(path)
    #expect(location.name == "my_bag" && location.members.count == members.count)
    return try body(location)
  }

  private func fact(_ name: String) throws -> JSONValue {
    try #require(try Self.golden.get().cases.first { $0["name"]?.stringValue == name })
  }

  @Test(arguments: names) func equalsPyTorch(name: String) throws {
    let fact = try fact(name)
    let shape = (fact["shape"]?.arrayValue ?? []).compactMap(\.intValue)
    let noise = CounterGenerator.noise("bags.\(name).input", channels: shape[0], samples: shape[1])
    let track = NormalizedTrack(
      channels: (0..<shape[0]).map { noise.item($0).values }, statistics: TrackStatistics(mean: 0, deviation: 1))
    let offsets = (fact["offsets"]?.arrayValue ?? []).compactMap(\.intValue)
    let count = fact["members"]?.arrayValue?.count ?? 0
    let rows = try withBag(fact) { location in
      let bag = try ModelBag(location, pool: WorkerPool(threadCount: 2))
      let options = WholeSeparationTests.options(fact, shifts: offsets.count / count)
      return try Separator(bag: bag, options: options)
        .estimate(track, shifts: Shifts(offsets: offsets, sampleRate: 8000))
    }
    let golden = try Self.golden.get()
    for (stem, decibels) in try golden.ratios(name, stems: 4, rows.flatMap { $0 }).enumerated() {
      #expect(decibels >= 105, "stem \(stem): \(decibels) dB")
    }
  }

  @Test func everyCaseIsTested() { #expect(Self.names.count == 11) }

  /// The bags of the golden file `apply`: two sets of weights for one configuration.
  @Test(arguments: WholeSeparationTests.bags) func weightsOfTwoNetworks(name: String) throws {
    let golden = try WholeSeparationTests.golden.get()
    let fact = try #require(golden.cases.first { $0["name"]?.stringValue == name })
    let facts = try golden.json("bag")
    let weights = (facts["weights"]?.arrayValue ?? []).map { ($0.arrayValue ?? []).compactMap(\.doubleValue) }
    let members = (facts["salts"]?.arrayValue ?? []).compactMap(\.intValue).map { salt in
      ModelBag.Member(name: "\(salt)") { try WholeSeparationTests.model(nil, salt: UInt64(salt)) }
    }
    let offsets = (fact["offsets"]?.arrayValue ?? []).compactMap(\.intValue)
    let separator = try Separator(
      bag: ModelBag(members, weights: weights), options: WholeSeparationTests.options(fact, shifts: offsets.count / 2))
    let track = NormalizedTrack(
      channels: try WholeSeparationTests.input(fact), statistics: TrackStatistics(mean: 0, deviation: 1))
    let rows = try separator.estimate(track, shifts: Shifts(offsets: offsets, sampleRate: 8000))
    for (stem, decibels) in try golden.ratios(name, stems: 4, rows.flatMap { $0 }).enumerated() {
      #expect(decibels >= 105, "stem \(stem): \(decibels) dB")
    }
  }

  /// Names of networks as they are loaded, and how many are alive at a time.
  private final class Loads: Sendable {
    let names = Mutex<[String]>([])
    let mostAlive = Mutex(0)
    private let alive = Mutex<[Weak]>([])

    private final class Weak: @unchecked Sendable {
      weak var model: CopyModel?
      init(_ model: CopyModel) { self.model = model }
    }

    func member(_ name: String, sampleRate: Int = 20, segmentLength: Int = 47) -> ModelBag.Member {
      ModelBag.Member(name: name) { [self] in
        names.withLock { $0.append(name) }
        let model = CopyModel(sampleRate: sampleRate, segmentLength: segmentLength)
        let count = alive.withLock { list in
          list.append(Weak(model))
          return list.count { $0.model != nil }
        }
        mostAlive.withLock { $0 = max($0, count) }
        return model
      }
    }
  }

  @Test func oneNetworkAtATime() throws {
    let loads = Loads()
    let bag = try ModelBag(["a", "b", "c"].map { loads.member($0) })
    let separator = try Separator(bag: bag, options: SeparationOptions(shifts: 2))
    for _ in 0..<2 { _ = try separator.separate(AudioBuffer(channels: ToyModel.signal(150))) }
    #expect(loads.names.withLock { $0 } == ["a", "b", "c", "a", "b", "c", "a", "b", "c"])
    #expect(loads.mostAlive.withLock { $0 } == 1)
  }

  /// A bag of one network is that network, bit for bit, and loads it once.
  @Test func aBagOfOneIsItsNetwork() throws {
    let loads = Loads()
    let audio = AudioBuffer(channels: ToyModel.signal(150))
    let alone = try Separator(model: CopyModel()).separate(audio)
    let separator = try Separator(bag: ModelBag([loads.member("a")]))
    for _ in 0..<2 { #expect(try separator.separate(audio)[0].audio.channels == alone[0].audio.channels) }
    #expect(loads.names.withLock { $0 } == ["a"])
  }

  /// Each network draws its own shifts, one after another from one generator.
  @Test func shiftsAreDrawnNetworkByNetwork() throws {
    let (alone, both) = (
      Shifts(count: 2, sampleRate: 44_100, seed: 5), Shifts(count: 4, sampleRate: 44_100, seed: 5)
    )
    #expect(Array(both.offsets.prefix(2)) == alone.offsets && Set(both.offsets).count == 4)
  }

  @Test func progressCoversAllNetworks() throws {
    let loads = Loads()
    let bag = try ModelBag([loads.member("a"), loads.member("b", segmentLength: 30)])
    var reports: [SeparationProgress] = []
    let separator = try Separator(bag: bag, options: SeparationOptions(shifts: 2))
    _ = try separator.separate(AudioBuffer(channels: ToyModel.signal(150))) { reports.append($0) }
    #expect(reports.map(\.chunksDone) == Array(0...reports[0].totalChunks))
    #expect(reports.map(\.secondsDone) == reports.map(\.secondsDone).sorted())
    #expect(reports.first?.secondsDone == 0 && reports.last?.secondsDone == 7.5)
  }

  @Test func networksThatDifferAreRefusedByName() throws {
    let loads = Loads()
    let bag = try ModelBag([loads.member("a"), loads.member("b", sampleRate: 21)])
    let error = #expect(throws: SeparationError.self) { try Separator(bag: bag) }
    let message = try #require(error).description
    #expect(message.contains("networks a and b") && message.contains("20 and 21 Hz"), "\(message)")
    let toy = ModelBag.Member(name: "toy") { ToyModel() }
    let other = #expect(throws: SeparationError.self) { try Separator(bag: ModelBag([loads.member("a"), toy])) }
    #expect(try #require(other).description.contains("sources, copy and ramp, mirror"))
  }

  @Test func weightsThatDoNotFitAreRefused() throws {
    let loads = Loads()
    let members = [loads.member("a"), loads.member("b")]
    for (weights, words) in [
      ([[1.0]], "1 rows for 2 networks"), ([[1, 1], [1, 1]], "2 weights in a row for 1 sources"),
      ([[1], [-1]], "the weights of copy add up to 0"),
    ] {
      let error = #expect(throws: SeparationError.self) {
        try Separator(bag: ModelBag(members, weights: weights))
      }
      #expect(try #require(error).description.contains(words), "\(words)")
    }
    #expect(throws: SeparationError.emptyBag) { try ModelBag([]) }
  }
}
