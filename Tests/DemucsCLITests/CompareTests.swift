import AudioFiles
import Foundation
import Testing

/// `demucs-cli compare` as a person or a CI runs it.
struct CompareTests {
  private struct Report: Decodable {
    struct Stem: Decodable {
      let stem: String
      let verdict: String
      let snr: Double?
      let notes: [String]
    }
    let passed: Bool
    let failed: [String]
    let stems: [Stem]
  }

  private func write(_ program: Program, _ name: String, _ change: (Float) -> Float) throws {
    let song = try program.audio("song.wav").channels
    let path = program.folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
    let writer = try AudioFileWriter(path: path.path, sampleRate: 44100, channelCount: 2, sampleFormat: .float32)
    try writer.write(AudioBuffer(channels: song.map { $0.map(change) }))
    try writer.finish()
  }

  private func program() throws -> Program {
    let program = try Program()
    try program.writeSong(frames: 50_000)
    for stem in ["drums", "bass"] { try write(program, "a/\(stem).wav") { $0 } }
    try write(program, "b/drums.wav") { $0 * 1.0001 }
    return program
  }

  @Test func theStatusTellsAndTheFailedStemsAreNamed() throws {
    let program = try program()
    defer { program.remove() }
    let missing = try program.run(["compare", "a", "b"])
    #expect(missing.status == 1)
    #expect(missing.errors == "1 of 2 stems failed: bass\n")
    #expect(missing.output.contains("bass: the estimate lacks this stem"))
    try write(program, "b/bass.wav") { $0 }
    let close = try program.run(["compare", "a", "b"])
    #expect(close.status == 0 && close.errors.isEmpty)
    #expect(close.output.contains("80.00"))
    let strict = try program.run(["compare", "a", "b", "--min-snr", "90"])
    #expect(strict.status == 1)
    #expect(strict.errors == "1 of 2 stems failed: drums\n")
    #expect(strict.output.contains("SNR 80.0 dB is below 90.0; the estimate is 0.001 dB louder"))
    let quiet = try program.run(["compare", "a", "b", "--silence", "0", "--floor", "-110", "--min-snr", "-5"])
    #expect(quiet.status == 1 && quiet.output.contains("floor -110.0 dBFS"), "\(quiet.errors)")
    let largest = try program.run(["compare", "a/drums.wav", "b/drums.wav", "--max-abs", "1e-9"])
    #expect(largest.status == 1)
  }

  @Test func jsonHoldsTheFigures() throws {
    let program = try program()
    defer { program.remove() }
    try write(program, "b/bass.wav") { $0 }
    let run = try program.run(["compare", "a", "b", "--json"])
    #expect(run.status == 0)
    let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
    #expect(report.passed && report.failed.isEmpty)
    #expect(report.stems.map(\.verdict) == ["within", "identical"])
    #expect(abs((report.stems[0].snr ?? 0) - 80) < 0.1 && report.stems[1].snr == nil)
  }

  @Test func whatIsNotThereIsNamed() throws {
    let program = try program()
    defer { program.remove() }
    let run = try program.run(["compare", "a", "c"])
    #expect(run.status == 1 && run.output.isEmpty)
    #expect(run.errors == "Error: c: no such file or folder. Check the path.\n")
  }
}
