import AudioFiles
import Evaluation
import Foundation
import Testing

/// Recording a stem and checking another against it.
@Suite struct GoldenRecordTests {
  private static let rate = 8000
  private static let frames = 5 * rate + 1234
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func signal(_ channels: [[Float]]) -> Signal {
    Signal(path: "stem", audio: AudioBuffer(channels: channels), sampleRate: Self.rate)
  }

  private func record(_ channels: [[Float]], _ storage: GoldenRecord.Storage) throws -> GoldenStem {
    let file = storage == .flac ? "stem.flac" : "stem.npy"
    return try GoldenStem(
      recording: signal(channels), name: "drums", storage: storage, to: folder(file), file: file)
  }

  private func check(
    _ stem: GoldenStem, _ storage: GoldenRecord.Storage, _ channels: [[Float]],
    tolerance: GoldenCheck.Tolerance = .init()
  ) throws -> GoldenCheck {
    try GoldenCheck(stem, storage: storage, folder: folder.path, against: signal(channels), tolerance: tolerance)
  }

  /// Loud stems go beyond full scale, quiet ones would drown in 24 bits.
  @Test(arguments: GoldenRecord.Storage.allCases, [Float(3), 0.2, 1e-4])
  func theSameIsIdenticalAndLastBitsAreWithin(storage: GoldenRecord.Storage, amplitude: Float) throws {
    let channels = noise("stem", frames: Self.frames, amplitude: amplitude)
    let stem = try record(channels, storage)
    #expect(stem.blocks.count == 6 && stem.frames == Self.frames)
    let same = try check(stem, storage, channels)
    #expect(same.passed && same.isIdentical && same.snr == .infinity && same.drifts.isEmpty)
    let other = try check(stem, storage, channels.map { $0.map { $0.nextUp } }, tolerance: .init(floor: -300))
    #expect(other.passed && !other.isIdentical)
    #expect((other.snr ?? 0) > 130, "\(other)")
  }

  @Test(arguments: GoldenRecord.Storage.allCases)
  func aDriftIsFoundInTime(storage: GoldenRecord.Storage) throws {
    let channels = noise("stem", frames: Self.frames)
    let stem = try record(channels, storage)
    var drifted = channels
    // From 2.5 s to 4.0 s one channel is 0.1 % off: 60 dB and 3 dB for the channel that is not.
    for frame in 20_000..<32_000 { drifted[1][frame] *= 1.001 }
    let result = try check(stem, storage, drifted)
    #expect(!result.passed && result.drifts.count == 1)
    let drift = try #require(result.drifts.first)
    #expect(drift.start == 2 && drift.end == 4)
    #expect(abs((drift.worstSNR ?? 0) - 63) < 0.7, "\(drift)")
    #expect(abs((result.snr ?? 0) - 68.4) < 0.7, "\(result)")
    #expect(try check(stem, storage, drifted, tolerance: .init(minimumSNR: 60)).passed)
  }

  @Test(arguments: GoldenRecord.Storage.allCases)
  func theLastBlockCounts(storage: GoldenRecord.Storage) throws {
    let channels = noise("stem", frames: Self.frames)
    let stem = try record(channels, storage)
    var drifted = channels
    for frame in 5 * Self.rate..<Self.frames { drifted[0][frame] = 0 }
    let result = try check(stem, storage, drifted)
    #expect(result.drifts.map(\.start) == [5] && result.drifts[0].end == Double(Self.frames) / Double(Self.rate))
  }

  @Test(arguments: GoldenRecord.Storage.allCases)
  func silenceIsHeldAgainstTheFloor(storage: GoldenRecord.Storage) throws {
    let silence = noise("stem", frames: Self.frames, amplitude: 0)
    let stem = try record(silence, storage)
    #expect(try check(stem, storage, silence).isIdentical)
    #expect(try check(stem, storage, noise("hiss", frames: Self.frames, amplitude: 1e-5)).passed)
    let loud = try check(stem, storage, noise("hiss", frames: Self.frames, amplitude: 3e-5))
    #expect(!loud.passed && loud.drifts.count == 1 && loud.drifts[0].worstSNR == nil)
    var broken = silence
    broken[0][9000] = .nan
    if storage == .flac { #expect(try check(stem, storage, broken).passed == false) }
  }

  @Test func otherLengthsRatesAndChannelsFail() throws {
    let channels = noise("stem", frames: Self.frames)
    let stem = try record(channels, .samples)
    let shorter = try check(stem, .samples, channels.map { Array($0.dropLast()) })
    #expect(shorter.failure == "41233 frames, where 41234 are recorded")
    let longer = try check(stem, .samples, channels.map { $0 + $0 })
    #expect(longer.failure == "82468 frames, where 41234 are recorded")
    #expect(try check(stem, .samples, [channels[0]]).failure != nil)
    let faster = Signal(path: "stem", audio: AudioBuffer(channels: channels), sampleRate: 16_000)
    #expect(
      try GoldenCheck(stem, storage: .samples, folder: folder.path, against: faster, tolerance: .init()).failure != nil)
  }

  /// `hashlib.sha256(numpy.array([1, -0.5, 0, 0.25], "<f4").tobytes()).hexdigest()[:16]` of Python.
  @Test func hashesAreThoseOfOtherPrograms() throws {
    let stem = try GoldenStem(
      recording: Signal(path: "", audio: AudioBuffer(channels: [[1, -0.5], [0, 0.25]]), sampleRate: 2), name: "x",
      storage: .samples, to: folder("x.npy"), file: "x.npy")
    #expect(stem.blocks == ["fd54551fa7d941b1"])
  }

  @Test func recordsAreReadBack() throws {
    let stem = try record(noise("stem", frames: Self.frames), .samples)
    let record = GoldenRecord(
      version: "1.2.3", processor: "a processor", instructionSet: "x86-64-v4",
      model: .init(name: "tiny", isPath: false, files: [.init(path: "tiny.safetensors", sha256: "00")]),
      options: .init(shifts: 1, overlap: 0.25, segment: nil, transitionPower: 1, seed: .max), storage: .samples,
      songs: [.init(name: "song", file: .init(path: "../song.wav", sha256: "11"), stems: [stem])])
    try record.write(to: folder.path)
    #expect(try GoldenRecord(in: folder.path) == record)
    #expect(try GoldenRecord.replaced(in: folder.path) == record && record.stemFiles == ["stem.npy"])
    #expect(try GoldenRecord.replaced(in: folder("nowhere")) == nil)
  }

  /// In the system's words, without a full stop in the middle.
  @Test func recordsThatCannotBeWrittenSayWhy() throws {
    let record = GoldenRecord(
      version: "", processor: "", instructionSet: "", model: .init(name: "", isPath: false, files: []),
      options: .init(shifts: 1, overlap: 0.25, segment: nil, transitionPower: 1, seed: 0), storage: .samples, songs: [])
    let path = folder("nowhere/golden.json")
    #expect(throws: EvaluationError.unwritable(path: path, reason: "No such file or directory")) {
      try record.write(to: folder("nowhere"))
    }
    let other = EvaluationError.unwritable(path: "x", error: CocoaError(.coderInvalidValue))
    #expect(!"\(other)".contains(".."))
  }

  @Test(arguments: [
    ("", "not JSON"), ("{}", "not JSON"), (#"{"format": 2}"#, "its format is 2"),
    (#"{"format": 1}"#, "entries are missing"),
  ])
  func damagedRecordsAreRefused(text: String, says: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder("golden.json")))
    let error = #expect(throws: EvaluationError.self) { try GoldenRecord(in: folder.path) }
    #expect(error.map { "\($0)".contains(says) } == true)
    let other = #expect(throws: EvaluationError.self) { try GoldenRecord.replaced(in: folder.path) }
    #expect(other.map { "\($0)".contains("is no golden record: ") && "\($0)".contains(says) } == true)
  }

  @Test func absurdNumbersAreRefused() throws {
    var stem = try record(noise("stem", frames: Self.frames), .samples)
    func refused() -> Bool {
      let record = GoldenRecord(
        version: "", processor: "", instructionSet: "", model: .init(name: "", isPath: false, files: []),
        options: .init(shifts: 1, overlap: 0.25, segment: nil, transitionPower: 1, seed: 0), storage: .samples,
        songs: [.init(name: "song", file: .init(path: "", sha256: ""), stems: [stem])])
      return (try? record.write(to: folder.path)) != nil && (try? GoldenRecord(in: folder.path)) == nil
    }
    #expect(!refused())
    for change: (inout GoldenStem) -> Void in [
      { $0.frames = .max }, { $0.blockFrames = 0 }, { $0.exponent = .min }, { $0.channels = -1 },
      { $0.blocks.removeLast() }, { $0.sampleRate = 0 }, { $0.file = "/etc/passwd" }, { $0.file = "a/../../b" },
    ] {
      let sound = stem
      change(&stem)
      #expect(refused())
      stem = sound
    }
    stem.channels = 1
    #expect(throws: EvaluationError.self) {
      try check(stem, .samples, [noise("stem", frames: Self.frames)[0]])
    }
  }
}
