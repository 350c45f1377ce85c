import AudioFiles
import Checkpoints
import GoldenSupport
import HTDemucs
import Separation
import Tensors
import Testing

/// What holds for any input of a real network: one answer, of the input's length, of finite numbers.
struct RepeatabilityTests {
  private static func noise(_ length: Int, channels: Int = 2) -> AudioBuffer {
    let noise = CounterGenerator.noise("repeat.\(length)", channels: channels, samples: length)
    return AudioBuffer(channels: (0..<channels).map { noise.item($0).values })
  }

  @Test func threadsAndRunsGiveTheSameBits() throws {
    let audio = Self.noise(9001)
    func run(_ model: HTDemucsModel) throws -> [[Float]] {
      try Separator(model: model, options: SeparationOptions(shifts: 1, seed: 5)).separate(audio)
        .flatMap(\.audio.channels)
    }
    let model = try WholeSeparationTests.model(nil, threads: 1)
    let first = try run(model)
    #expect(try run(model) == first, "the second run of one model")
    for threads in [2, 3, 4, 8] {
      let other = try run(WholeSeparationTests.model(nil, threads: threads))
      #expect(other == first, "\(threads) threads")
    }
  }

  /// A model remembers nothing of what it separated before.
  @Test func tracksDoNotTouchEachOther() throws {
    let model = try WholeSeparationTests.model(.object(["use_train_segment": .bool(false)]))
    let separator = try Separator(model: model, options: SeparationOptions(shifts: 0))
    func run(_ length: Int) throws -> [[Float]] {
      try separator.separate(Self.noise(length)).flatMap(\.audio.channels)
    }
    let first = try run(700)
    _ = try run(4100)
    _ = try run(3)
    #expect(try run(700) == first)
  }

  static let lengths: [Int] = {
    var random = SplitMix64(seed: 77)
    return Array(1...12) + [127, 128, 129, 255, 256, 257, 511, 512, 3899, 3900, 3901, 6825, 6826]
      + (0..<20).map { _ in Int.random(in: 13...9000, using: &random) }
  }()

  @Test(arguments: ["training segment", "any length", "mono"])
  func everyLengthHasStemsOfItsLength(kind: String) throws {
    let changes: [String: JSONValue] =
      switch kind {
      case "any length": ["use_train_segment": .bool(false)]
      case "mono": ["audio_channels": .integer(1)]
      default: [:]
      }
    let model = try WholeSeparationTests.model(.object(changes))
    let separator = try Separator(model: model, options: SeparationOptions(shifts: 0))
    for length in Self.lengths {
      let audio = Self.noise(length, channels: model.audioChannels)
      let stems = try separator.separate(audio)
      #expect(stems.count == 4)
      for stem in stems {
        #expect(stem.audio.channels.map(\.count) == audio.channels.map(\.count), "length \(length)")
        #expect(stem.audio.channels.joined().allSatisfy { $0.isFinite }, "length \(length)")
      }
    }
  }

  /// Silence, a constant and a click are the cases in which a deviation is zero or nearly so.
  @Test(arguments: [
    [Float](repeating: 0, count: 500), [Float](repeating: 0.5, count: 500),
    [1] + [Float](repeating: 0, count: 499),
  ])
  func flatTracksGiveFiniteStems(line: [Float]) throws {
    let separator = try Separator(
      model: try WholeSeparationTests.model(nil), options: SeparationOptions(shifts: 1))
    for stem in try separator.separate(AudioBuffer(channels: [line, line])) {
      #expect(stem.audio.channels.joined().allSatisfy { $0.isFinite })
    }
  }
}
