import AudioFiles
import Foundation
import Testing

/// Songs that are odd or broken: each is separated, or ends in one sentence with the file, the cause and a way out.
struct SongFaultTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
  }

  private func separate(_ song: String, _ options: [String] = []) throws -> Program.Outcome {
    try program.run(["separate", song, "-n", "tiny.safetensors", "--float32"] + options)
  }

  private func write(_ name: String, _ channels: [[Float]], sampleRate: Int = 44100) throws {
    let writer = try AudioFileWriter(
      path: FilePath(program.folder.appendingPathComponent(name).path), sampleRate: sampleRate,
      channelCount: channels.count, sampleFormat: .float32)
    try writer.write(AudioBuffer(channels: channels))
    try writer.finish()
  }

  /// The bytes of a WAV file of 16-bit stereo silence whose header may lie.
  private func wav(rate: UInt32, frames: Int, promised: Int) -> Data {
    var data = Data("RIFF".utf8)
    func add(_ value: UInt32) { withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) } }
    add(UInt32(36 + 4 * promised))
    data.append(Data("WAVEfmt ".utf8))
    for value in [UInt32(16), 0x0002_0001, rate, rate &* 4, 0x0010_0004] { add(value) }
    data.append(Data("data".utf8))
    add(UInt32(4 * promised))
    return data + Data(repeating: 0, count: 4 * frames)
  }

  private func expectFailure(_ song: String, _ words: String) throws {
    let outcome = try separate(song)
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    let lines = outcome.errors.split(separator: "\n").filter { !$0.hasSuffix(": separating") }
    #expect(lines.count == 1 && lines[0].hasPrefix("Error: \(song): "), "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(try program.files().allSatisfy { !$0.hasPrefix("separated") })
  }

  private func expectSuccess(_ song: String, frames: Int, warning: String? = nil) throws {
    let outcome = try separate(song)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let warnings = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("Warning: ") }
    #expect(warnings.count == (warning == nil ? 0 : 1))
    if let warning { #expect(outcome.errors.contains(warning), "\(outcome.errors)") }
    let name = song.split(separator: ".")[0]
    for stem in ["hum", "hiss"] {
      let channels = try program.audio("separated/tiny/\(name)/\(stem).wav").channels
      #expect(channels.map(\.count) == [frames, frames])
      #expect(channels.joined().allSatisfy { $0.isFinite && abs($0) <= 1 })
    }
  }

  @Test func oddSongsAreSeparated() throws {
    defer { program.remove() }
    let tone = (0..<20_000).map { sinf(Float($0) * 0.05) }
    var holes = tone
    for index in 0..<100 { holes[index * 90] = [.nan, .infinity, -.infinity, 1e30][index % 4] }
    try write("holes.wav", [holes, tone])
    try expectSuccess("holes.wav", frames: 3628, warning: "100 samples are not finite numbers")
    try write("one.wav", [[0.5], [0.5]], sampleRate: 8000)
    try expectSuccess("one.wav", frames: 1)
    try write("short.wav", [[0.5], [0.5]], sampleRate: 96_000)
    try expectSuccess("short.wav", frames: 1)
    try write("wide.wav", [[Float]](repeating: tone, count: 64))
    try expectSuccess("wide.wav", frames: 3628, warning: "64 channels; only the first two are used")
    try write("fast.wav", [tone, tone], sampleRate: 768_000)
    try expectSuccess("fast.wav", frames: 208)
    try write("slow.wav", [tone, tone], sampleRate: 1000)
    try expectSuccess("slow.wav", frames: 160_000)
    try wav(rate: 8000, frames: 500, promised: 9000)
      .write(to: program.folder.appendingPathComponent("cut.wav"))
    try expectSuccess("cut.wav", frames: 500, warning: "promises 9000 frames and 500 can be read")
  }

  @Test func brokenSongsEndInOneSentence() throws {
    defer { program.remove() }
    func put(_ name: String, _ data: Data) throws {
      try data.write(to: program.folder.appendingPathComponent(name))
    }
    try put("one-hertz.wav", wav(rate: 1, frames: 100, promised: 100))
    try expectFailure("one-hertz.wav", "a sample rate of 1 Hz")
    try put("no-hertz.wav", wav(rate: 0, frames: 100, promised: 100))
    try expectFailure("no-hertz.wav", "0 Hz")
    try put("none.wav", wav(rate: 8000, frames: 0, promised: 0))
    try expectFailure("none.wav", "contains no audio")
    try put("promise.wav", wav(rate: 8000, frames: 0, promised: 1000))
    try expectFailure("promise.wav", "promises 1000 frames, and none can be read")
    try put("empty.wav", Data())
    try expectFailure("empty.wav", "is empty (0 bytes)")
    try put("text.wav", Data("Dear diary".utf8))
    try expectFailure("text.wav", "cannot be read as audio")
    try put("head.wav", Data("RIFF".utf8))
    try expectFailure("head.wav", "begins like WAV, but cannot be read: its header is not whole. The file is cut short")
  }

  @Test func oneBadSongDoesNotStopTheRest() throws {
    defer { program.remove() }
    try program.writeSong("good.wav", frames: 9000)
    try Data("x".utf8).write(to: program.folder.appendingPathComponent("bad.wav"))
    let outcome = try program.run(["separate", "bad.wav", "good.wav", "-n", "tiny.safetensors"])
    #expect(outcome.status == 1)
    #expect(outcome.output == "separated/tiny/good/hum.wav\nseparated/tiny/good/hiss.wav\n")
    #expect(outcome.errors.hasSuffix("1 of 2 songs failed:\n  bad.wav (input-not-audio)\n"))
  }
}
