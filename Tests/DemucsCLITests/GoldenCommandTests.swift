import AudioFiles
import Foundation
import GoldenSupport
import Testing

/// `demucs-cli golden`: recorded today, checked tomorrow.
struct GoldenCommandTests {
  private func program() throws -> Program {
    let program = try Program()
    try TestModel().write(program)
    try program.writeSong(frames: 40_000, sampleRate: 8000)
    return program
  }

  @Test(arguments: ["flac", "samples"])
  func aRecordIsCheckedByOneLine(storage: String) throws {
    let program = try program()
    defer { program.remove() }
    let record = try program.run([
      "golden", "record", "golden", "song.wav", "-n", "tiny.safetensors", "--storage", storage, "--seed", "5",
      "--quiet",
    ])
    #expect(record.status == 0 && record.output == "golden/golden.json\n", "\(record.errors)")
    let suffix = storage == "flac" ? "flac" : "npy"
    #expect(
      try program.files().filter { $0.hasPrefix("golden/stems/song/") }
        == ["golden/stems/song/hiss.\(suffix)", "golden/stems/song/hum.\(suffix)"])
    let check = try program.run(["golden", "check", "golden", "-j", "1", "--quiet"])
    #expect(check.status == 0, "\(check.errors)")
    #expect(check.output == "song hum: identical\nsong hiss: identical\n2 stems: 2 identical, 0 within, 0 failed\n")
    // A record may be moved with its song and model.
    try FileManager.default.createDirectory(
      at: program.folder.appendingPathComponent("elsewhere"), withIntermediateDirectories: true)
    for name in ["golden", "song.wav", "tiny.safetensors"] {
      let place = program.folder.appendingPathComponent("elsewhere/\(name)")
      try FileManager.default.moveItem(at: program.folder.appendingPathComponent(name), to: place)
    }
    #expect(try program.run(["golden", "check", "elsewhere/golden", "--quiet"]).status == 0)
  }

  @Test func theTimeOfASongIsCounted() throws {
    let program = try program()
    defer { program.remove() }
    let record = try program.run(["golden", "record", "golden", "song.wav", "-n", "tiny.safetensors"])
    #expect(record.errors.contains("song: 0:05 separated in "), "\(record.errors)")
    // No time at all is shown as a millisecond.
    #expect(!record.errors.contains("(5000x real time)"), "\(record.errors)")
  }

  @Test func whatChangedIsNamed() throws {
    let program = try program()
    defer { program.remove() }
    let arguments = ["record", "golden", "song.wav", "-n", "tiny.safetensors", "--storage", "samples", "--quiet"]
    try #require(try program.run(["golden"] + arguments).status == 0)
    let json = program.folder.appendingPathComponent("golden/golden.json")
    let text = try String(contentsOf: json, encoding: .utf8)
    // Another seed is another separation.
    try text.replacing("\"seed\" : 0", with: "\"seed\" : 1").write(to: json, atomically: true, encoding: .utf8)
    let drifted = try program.run(["golden", "check", "golden", "--quiet"])
    #expect(drifted.status == 1)
    #expect(drifted.output.contains("song hum: DRIFTED, SNR"))
    #expect(drifted.output.contains("0:00 to 0:05 (worst second: SNR"))
    #expect(drifted.errors.hasPrefix("Error: stems have drifted from the record.\n"))
    let loose = try program.run(["golden", "check", "golden", "--quiet", "--min-snr", "-20", "--json"])
    #expect(loose.status == 0 && loose.output.contains("\"identical\" : false"))
    try text.write(to: json, atomically: true, encoding: .utf8)

    try program.touch("other/song.wav")
    try program.writeSong("other/song.wav", frames: 40_000, from: 0, sampleRate: 8000)
    let song = try program.run(["golden", "check", "golden", "--quiet", "--songs", "other"])
    #expect(song.status == 1 && song.output.contains("is not the song of the record"))
    let model = try TestModel()
    model.tensors[0].tensor.data[0] += 0.5
    try model.write(program)
    let other = try program.run(["golden", "check", "golden", "--quiet"])
    #expect(other.status == 1 && other.errors.contains("is not the model of the record"), "\(other.errors)")
  }

  /// The precision is one of the options of a record, and a check in another says so.
  @Test func thePrecisionIsRecorded() throws {
    let program = try program()
    defer { program.remove() }
    let record = [
      "golden", "record", "mixed", "song.wav", "-n", "tiny.safetensors", "--quiet", "--precision", "mixed",
      "--fp32-ops", "decoder.2*",
    ]
    #expect(try program.run(record).status == 0)
    let same = try program.run(["golden", "check", "mixed", "--quiet"])
    #expect(same.status == 0 && same.output.hasSuffix("2 identical, 0 within, 0 failed\n") && same.errors.isEmpty)
    let full = try program.run(["golden", "check", "mixed", "--quiet", "--precision", "fp32"])
    #expect(full.status == 1 && full.output.contains("DRIFTED"))
    #expect(full.errors.hasPrefix("Note: recorded in mixed with rules, checked in fp32.\n"), "\(full.errors)")
    let loose = try program.run([
      "golden", "check", "mixed", "--quiet", "--precision", "mixed", "--min-snr", "50", "--json",
    ])
    #expect(loose.status == 0 && loose.errors.hasPrefix("Note: recorded in"), "\(loose.errors)\(loose.output)")
    #expect(loose.output.contains("\"preset\" : \"mixed\"") && loose.output.contains("\"modules\" : \"decoder.2*\""))
    let rules = try program.run([
      "golden", "check", "mixed", "--quiet", "--precision", "mixed", "--fp32-ops", "tdecoder.2*", "--min-snr", "50",
    ])
    #expect(rules.errors == "Note: recorded in mixed with rules, checked with other rules.\n")
  }

  @Test func songsOfOneNameAreRefused() throws {
    let program = try program()
    defer { program.remove() }
    let run = try program.run(["golden", "record", "golden", "song.wav", "x/song.flac"])
    #expect(run.status == 64 && run.errors.contains("Two songs are called song"))
    #expect(try program.run(["golden", "check", "golden"]).errors.contains("no such file or folder"))
  }

  /// The embedded model still gives what it gave when Fixtures/golden-record was made; docs/goldens.md says how to make
  /// it again.
  @Test func theEmbeddedModelIsAsRecorded() throws {
    let program = try Program()
    defer { program.remove() }
    let run = try program.run([
      "golden", "check", Golden.fixtures.appendingPathComponent("golden-record").path, "--quiet",
    ])
    #expect(run.status == 0, "\(run.errors)\(run.output)")
    #expect(run.output.hasSuffix(" 0 failed\n"))
  }
}
