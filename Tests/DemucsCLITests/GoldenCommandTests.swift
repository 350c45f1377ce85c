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

  private static let record = ["golden", "record", "-n", "tiny.safetensors", "--storage", "samples", "--quiet"]

  /// Every file of a folder with its bytes.
  private func contents(_ program: Program, _ folder: String) throws -> [String: Data] {
    var contents: [String: Data] = [:]
    for path in try program.files() where path.hasPrefix(folder + "/") {
      contents[path] = try? program.bytes(path)
    }
    return contents
  }

  /// Whatever ends a record before it is whole leaves the one before as it was.
  @Test func aRecordThatFailsLeavesTheOldOne() throws {
    let program = try program()
    defer { program.remove() }
    try #require(try program.run(Self.record + ["golden", "song.wav"]).status == 0)
    let old = try contents(program, "golden")
    #expect(old.keys.contains("golden/golden.json"))
    try program.writeSong("new.wav", frames: 20_000, sampleRate: 8000)
    try Data("no song".utf8).write(to: program.folder.appendingPathComponent("notes.txt"))
    let failed = try program.run(Self.record + ["golden", "new.wav", "notes.txt"])
    #expect(failed.status == 1 && failed.errors.contains("notes.txt"), "\(failed.errors)")
    #expect(try contents(program, "golden") == old)
    // The last step of all fails: a file is where a folder has to be.
    try program.touch("golden/stems/new")
    try program.writeSong("alone.wav", frames: 20_000, sampleRate: 8000)
    let late = try program.run(Self.record + ["golden", "song.wav", "alone.wav", "new.wav", "--seed", "7"])
    #expect(late.status == 1 && late.errors.contains("golden/stems/new: cannot be written: "), "\(late.errors)")
    #expect(try contents(program, "golden") == old.merging(["golden/stems/new": Data()]) { $1 })
    #expect(try !program.files().contains { $0.hasPrefix("golden/stems/alone") || $0.hasPrefix("golden/.") })
    #expect(try program.run(["golden", "check", "golden", "--quiet"]).status == 0)
    // Folders that were made for it go, too.
    #expect(try program.run(Self.record + ["a/b/", "notes.txt"]).status == 1)
    #expect(try !program.files().contains("a"))
  }

  @Test func aRecordTakesThePlaceOfTheOldOne() throws {
    let program = try program()
    defer { program.remove() }
    try program.writeSong("new.wav", frames: 20_000, sampleRate: 8000)
    try #require(try program.run(Self.record + ["golden", "song.wav", "new.wav"]).status == 0)
    try program.touch("golden/stems/song/mine.txt")
    // What a killed run left, and what looks alike.
    try program.touch("golden/.demucs-golden-1-a.part/stems/song/hum.npy")
    try program.touch("golden/.demucs-golden-mine/kept")
    let run = try program.run(Self.record.filter { !["--storage", "samples"].contains($0) } + ["golden/", "song.wav"])
    #expect(run.status == 0 && run.output == "golden/golden.json\n", "\(run.errors)")
    #expect(
      try contents(program, "golden").keys.sorted() == [
        "golden/.demucs-golden-mine/kept", "golden/golden.json", "golden/stems/song/hiss.flac",
        "golden/stems/song/hum.flac", "golden/stems/song/mine.txt",
      ])
    #expect(try !program.files().contains("golden/stems/new"))
    #expect(try program.run(["golden", "check", "golden", "--quiet"]).status == 0)
  }

  /// Ctrl-C, and what has the thread of the signals end the program at once.
  @Test(arguments: [("INT", Int32(130)), ("QUIT", 128 + SIGQUIT)])
  func anInterruptedRecordLeavesTheOldOne(signal: String, status: Int32) throws {
    let program = try program()
    defer { program.remove() }
    try #require(try program.run(Self.record + ["golden", "song.wav"]).status == 0)
    try program.writeSparseSong("long.wav", seconds: 20_000)
    let old = try contents(program, "golden")
    for folder in ["golden", "new/folder"] {
      let outcome = try program.run(
        [
          "-c",
          """
          set -m; ulimit -c 0
          "$demucs" \(Self.record.joined(separator: " ")) \(folder) song.wav long.wav & pid=$!
          # Nothing is left running, whatever fails.
          trap 'kill -KILL $pid 2> /dev/null' EXIT
          for try in {1..1000}; do
            [ -f \(folder)/.demucs-golden-*.part/stems/song/hum.npy ] && break
            sleep 0.05; kill -0 $pid || exit 99
          done
          kill -\(signal) $pid; wait $pid
          """,
        ], environment: ["demucs": Program.executable.path], executable: URL(filePath: "/bin/bash"))
      #expect(outcome.status == status && outcome.output.isEmpty, "\(outcome.errors)")
    }
    #expect(try contents(program, "golden") == old)
    #expect(try program.files().filter { $0.contains(".part") || $0.hasPrefix("new") } == [])
  }

  /// Nothing is lost that a record does not own, nor the song itself.
  @Test func whatARecordDoesNotOwnStays() throws {
    let program = try program()
    defer { program.remove() }
    let flac = Self.record.filter { !["--storage", "samples"].contains($0) }
    try #require(try program.run(flac + ["golden", "song.wav"]).status == 0)
    try FileManager.default.createSymbolicLink(
      atPath: program.folder.appendingPathComponent("link.flac").path,
      withDestinationPath: "golden/stems/song/hum.flac")
    let old = try contents(program, "golden")
    for song in ["golden/stems/song/hum.flac", "link.flac", "./golden/../golden/stems/song/hiss.flac"] {
      let run = try program.run(flac + ["golden", song])
      #expect(run.status == 1 && run.errors.contains("\(song): is a stem of the record in golden"), "\(run.errors)")
    }
    #expect(try contents(program, "golden") == old)

    try program.touch("mine/golden.json")
    let json = program.folder.appendingPathComponent("mine/golden.json")
    for text in [#"{"mine":1}"#, #"{"format":99}"#, ""] {
      try Data(text.utf8).write(to: json)
      let run = try program.run(flac + ["mine", "song.wav"])
      #expect(run.status == 1, "\(run.errors)")
      #expect(run.errors.contains("mine/golden.json: would be replaced, but is no golden record: "), "\(run.errors)")
      #expect(try contents(program, "mine") == ["mine/golden.json": Data(text.utf8)])
    }
    try program.touch("other/stems/song/hiss.flac")
    let run = try program.run(flac + ["other", "song.wav"])
    #expect(run.status == 1 && run.errors.contains("other/stems/song/hiss.flac: would be overwritten"), "\(run.errors)")
    #expect(try contents(program, "other") == ["other/stems/song/hiss.flac": Data()])
  }

  /// An empty variable of a script is neither the outermost folder nor the current one.
  @Test func emptyNamesAreRefused() throws {
    let program = try program()
    defer { program.remove() }
    let before = try program.files()
    for arguments in [
      Self.record + ["", "song.wav"], Self.record + ["golden", ""], ["golden", "check", ""],
      ["golden", "check", "golden", "--songs", ""],
    ] {
      let run = try program.run(arguments)
      #expect(run.status == 64, "\(arguments) \(run.errors)")
      #expect(run.errors.contains("is empty; a variable of a script may not be set."), "\(run.errors)")
    }
    let dots = try program.run(Self.record + ["golden", "...wav"])
    #expect(dots.status == 64 && dots.errors.contains("'...wav': its stems would lie in no folder"), "\(dots.errors)")
    #expect(try program.files() == before)
  }

  @Test func aFileIsNoFolderOfARecord() throws {
    let program = try program()
    defer { program.remove() }
    for arguments in [Self.record + ["song.wav", "song.wav"], ["golden", "check", "song.wav"]] {
      let run = try program.run(arguments)
      #expect(run.status == 1)
      #expect(run.errors == "Error: song.wav: is a file. Give the folder of a golden record.\n")
    }
    let below = try program.run(Self.record + ["song.wav/golden", "song.wav"])
    #expect(below.status == 1 && below.errors.contains("Not a directory"), "\(below.errors)")
    #expect(!below.errors.contains(".."))
  }

  /// A model is looked for in the same places, and a folder of its name changes nothing.
  @Test func aModelByNameIsRecordedAsSuch() throws {
    let program = try program()
    defer { program.remove() }
    try TestModel().write(program, "models/tiny.safetensors")
    try program.touch("tiny/file")
    let places = ["--models-dir", "models"]
    let run = try program.run(["golden", "record", "golden", "song.wav", "-n", "tiny", "--quiet"] + places)
    #expect(run.status == 0, "\(run.errors)")
    let json = String(decoding: try program.bytes("golden/golden.json"), as: UTF8.self)
    #expect(json.contains("\"isPath\" : false") && json.contains("\"name\" : \"tiny\""))
    let check = try program.run(["golden", "check", "golden", "--quiet"] + places)
    #expect(check.status == 0, "\(check.errors)")
  }

  @Test func aModelOfARepositoryIsChecked() throws {
    let program = try program()
    defer { program.remove() }
    try TestModel().write(program, "repo/one.safetensors")
    let repo = ["--repo", "repo", "--quiet"]
    let run = try program.run(["golden", "record", "golden", "song.wav", "-n", "one"] + repo)
    #expect(run.status == 0, "\(run.errors)")
    let check = try program.run(["golden", "check", "golden"] + repo)
    #expect(check.status == 0, "\(check.errors)")
  }

  /// The parser speaks first of what it does not know.
  @Test func unknownOptionsAreNamed() throws {
    let program = try program()
    defer { program.remove() }
    let run = try program.run(["golden", "record", "golden", "--storrage", "song.wav", "/tmp/x/song.wav"])
    #expect(run.status == 64 && run.errors.contains("'--storrage'"), "\(run.errors)")
    let check = try program.run(["golden", "check", "golden", "--flor", "3"])
    #expect(check.status == 64 && check.errors.contains("'--flor'"), "\(check.errors)")
  }

  /// Nothing is said of stems that nobody looked at.
  @Test func whatCannotBeReadHasNotDrifted() throws {
    let program = try program()
    defer { program.remove() }
    try #require(try program.run(Self.record + ["golden", "song.wav"]).status == 0)
    let missing = try program.run(["golden", "check", "golden", "--quiet", "--songs", "nixda"])
    #expect(missing.status == 1)
    #expect(missing.output.hasPrefix("song hum: could not be compared: nixda/song.wav: "), "\(missing.output)")
    #expect(missing.output.hasSuffix("\n2 stems: 0 identical, 0 within, 0 failed, 2 not compared\n"))
    #expect(missing.errors == "Error: 2 stems could not be compared with the record.\n")
    // A stem of the record that is damaged says nothing of the others.
    try program.touch("golden/stems/song/hum.npy")
    let damaged = try program.run(["golden", "check", "golden", "--quiet", "--json"])
    #expect(damaged.status == 1 && damaged.output.contains("\"compared\" : false"), "\(damaged.output)")
    #expect(damaged.errors == "Error: a stem could not be compared with the record.\n")
    let text = try program.run(["golden", "check", "golden", "--quiet"]).output
    #expect(text.contains("song hum: could not be compared: ") && text.contains("song hiss: identical\n"), "\(text)")
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
