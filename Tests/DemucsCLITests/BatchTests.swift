import Foundation
import GoldenSupport
import Testing

/// Many songs in one command.
struct BatchTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
  }

  static func schema() throws -> JSONSchema {
    try JSONSchema(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/separate.schema.json"))
  }

  private func separate(_ arguments: [String]) throws -> Program.Outcome {
    try program.run(["separate", "-n", "tiny.safetensors"] + arguments)
  }

  /// The objects on standard output, each of which is as the schema says.
  private func objects(_ outcome: Program.Outcome) throws -> [[String: Any]] {
    let schema = try Self.schema()
    return try outcome.output.split(separator: "\n").map { line in
      let faults = schema.faults(in: String(line))
      #expect(faults.isEmpty, "\(faults): \(line)")
      return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  private func put(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: program.folder.appendingPathComponent(name))
  }

  private func wavs() throws -> [String] {
    try program.files().filter { $0.hasPrefix("separated") && $0.hasSuffix(".wav") }
  }

  @Test func twoHundredSongsAndFiveThatAreNone() throws {
    defer { program.remove() }
    try program.writeSong("song.wav", frames: 9000)
    let good = (1...195).map { "song\($0).wav" }
    for name in good {
      try FileManager.default.copyItem(
        at: program.folder.appendingPathComponent("song.wav"), to: program.folder.appendingPathComponent(name))
    }
    var list = good
    let broken = ["empty.wav", "text.wav", "missing.wav", "folder", "head.wav"]
    try put("empty.wav", "")
    try put("text.wav", "Dear diary")
    try FileManager.default.createDirectory(
      at: program.folder.appendingPathComponent("folder"), withIntermediateDirectories: false)
    try program.bytes("song.wav").prefix(80).write(to: program.folder.appendingPathComponent("head.wav"))
    for (index, name) in broken.enumerated() { list.insert(name, at: 40 * index + 7) }
    let outcome = try separate(list + ["--json"])
    #expect(outcome.status == 1)
    let objects = try objects(outcome)
    #expect(objects.map { $0["input"] as? String } == list)
    #expect(objects.map { $0["track"] as? Int } == Array(1...200))
    for object in objects {
      let isGood = good.contains(object["input"] as? String ?? "")
      #expect(object["status"] as? String == (isGood ? "done" : "failed"))
      #expect((object["outputs"] as? [Any])?.count == (isGood ? 2 : 0))
    }
    let codes = objects.compactMap { ($0["error"] as? [String: Any])?["code"] as? String }
    #expect(codes == ["input-empty", "input-not-audio", "input-not-found", "input-is-folder", "input-truncated"])
    for name in broken { #expect(outcome.errors.contains("\n  \(name) (input-")) }
    #expect(outcome.errors.contains("195 of 200 songs done: "))
    #expect(outcome.errors.contains("5 of 200 songs failed:\n"))
    #expect(try wavs().count == 390)
    // What the program has after the first songs is enough for all.
    let peaks = objects.compactMap { $0["peakResidentBytes"] as? Int }
    #expect(peaks[199] <= peaks[49] + 4 << 20, "\(peaks[49] >> 20) MiB, then \(peaks[199] >> 20) MiB")
  }

  @Test func whatIsThereIsSkipped() throws {
    defer { program.remove() }
    for name in ["a.wav", "b.wav", "c.wav"] { try program.writeSong(name, frames: 20_000) }
    let list = ["a.wav", "b.wav", "c.wav", "--json"]
    #expect(try objects(separate(list)).map { $0["status"] as? String } == ["done", "done", "done"])
    let before = try wavs().map(program.bytes)
    // Without the option everything is made again.
    #expect(try objects(separate(list)).map { $0["status"] as? String } == ["done", "done", "done"])
    let all = try separate(list + ["--resume"])
    let skipped = try objects(all)
    #expect(all.status == 0 && skipped.allSatisfy { $0["status"] as? String == "skipped" })
    let outputs = skipped[0]["outputs"] as? [[String: Any]]
    #expect(outputs?.map { $0["path"] as? String } == ["hum", "hiss"].map { "separated/tiny/a/\($0).wav" })
    #expect(all.errors.contains("3 of 3 songs skipped"))
    let cut = program.folder.appendingPathComponent("separated/tiny/b/hiss.wav").path
    try #require(truncate(cut, 100) == 0)
    let some = try objects(separate(list + ["--skip-existing"]))
    #expect(some.map { $0["status"] as? String } == ["skipped", "done", "skipped"])
    #expect(try wavs().map(program.bytes) == before)
    let other = try objects(separate(list + ["--resume", "--clip-mode", "clamp"]))
    #expect(other.allSatisfy { $0["status"] as? String == "done" })
    // The paths are named without --json too, as they are what was asked for.
    let paths = try separate(["a.wav", "--resume", "--clip-mode", "clamp"])
    #expect(paths.output == "separated/tiny/a/hum.wav\nseparated/tiny/a/hiss.wav\n")
    #expect(paths.errors == "a.wav: skipped, its stems are there\n")
    let again = try separate(["a.wav", "--resume", "--clip-mode", "none"])
    #expect(again.errors.hasPrefix("a.wav: separating\na.wav: 0:0"), "\(again.errors)")
  }

  /// A song that fails before it is separated waits for the one before it, which is still on its way to the disk.
  @Test func aSongThatFailsIsToldInItsTurn() throws {
    defer { program.remove() }
    try program.writeSong("a.wav", frames: 400_000)
    try program.writeSong("c.wav", frames: 9000)
    try put("b.wav", "no audio")
    for list in [["a.wav", "b.wav", "c.wav"], ["a.wav", "missing.wav", "c.wav"], ["a.wav", "b.wav", "missing.wav"]] {
      let outcome = try separate(list + ["--json", "--flac"])
      #expect(try objects(outcome).map { $0["input"] as? String } == list)
    }
    #expect(try objects(separate(["c.wav", "--flac", "--json"])).count == 1)
    let outcome = try separate(["a.wav", "c.wav", "b.wav", "--json", "--flac", "--resume", "--shifts", "0"])
    #expect(try objects(outcome).map { $0["input"] as? String } == ["a.wav", "c.wav", "b.wav"])
  }

  @Test func shardsAreTheListOnce() throws {
    defer { program.remove() }
    let names = (1...7).map { "s\($0).wav" }
    for name in names where name != "s4.wav" { try program.writeSong(name, frames: 4000) }
    var seen: [String] = []
    for shard in 1...3 {
      let outcome = try separate(names + ["--shard", "\(shard)/3", "--json"])
      // The one that is missing belongs to one shard.
      #expect(outcome.status == (shard == 1 ? 1 : 0))
      let part = try objects(outcome).compactMap { $0["input"] as? String }
      #expect(part == stride(from: shard - 1, to: 7, by: 3).map { names[$0] })
      seen += part
    }
    #expect(seen.sorted() == names)
    for shard in ["0/3", "4/3", "1", "1/0", "a/b", "1/3/5", "-1/3"] {
      let outcome = try separate(names + ["--shard=\(shard)"])
      #expect(outcome.status == 64, "\(shard)")
    }
  }

  @Test func theFirstFailureIsTheLastSongWhereThatIsWanted() throws {
    defer { program.remove() }
    try program.writeSong("a.wav", frames: 9000)
    try program.writeSong("c.wav", frames: 9000)
    try put("b.wav", "no audio")
    let outcome = try separate(["a.wav", "b.wav", "c.wav", "--fail-fast", "--json"])
    #expect(outcome.status == 1)
    let all = try objects(outcome)
    #expect(all.map { $0["status"] as? String } == ["done", "failed", "stopped"])
    let error = try #require(all[2]["error"] as? [String: Any])
    #expect(error["code"] as? String == "not-started")
    #expect(error["message"] as? String == "c.wav: not begun, as another song failed and --fail-fast stops there.")
    #expect(outcome.errors.contains("1 of 3 songs not begun"))
    #expect(try wavs() == ["hiss", "hum"].map { "separated/tiny/a/\($0).wav" })
    // What is wrong with an argument is known before any work.
    let missing = try separate(["a.wav", "missing.wav", "c.wav", "--fail-fast", "-o", "none", "--json"])
    #expect(missing.status == 1)
    let none = try objects(missing)
    #expect(none.map { $0["input"] as? String } == ["a.wav", "missing.wav", "c.wav"])
    #expect(none.map { $0["status"] as? String } == ["stopped", "failed", "stopped"])
    #expect(try !program.files().contains { $0.hasPrefix("none") })
  }

  /// A song is brought to the disk while the next is separated: what goes wrong then is its own fault, and told in its turn.
  @Test func aSongThatCannotBePublishedIsNamedInItsTurn() throws {
    defer { program.remove() }
    for name in ["a.wav", "b.wav", "c.wav", "d.wav"] { try program.writeSong(name, frames: 60_000) }
    try program.touch("separated/tiny/b/hiss.wav/in the way")
    for options in [[], ["--clip-mode", "none"]] {
      let outcome = try separate(["a.wav", "b.wav", "c.wav", "d.wav", "--json"] + options)
      #expect(outcome.status == 1)
      let objects = try objects(outcome)
      #expect(objects.map { $0["status"] as? String } == ["done", "failed", "done", "done"])
      let error = try #require(objects[1]["error"] as? [String: Any])
      #expect(error["code"] as? String == "output-publish-failed")
      #expect((error["message"] as? String)?.contains("separated/tiny/b/hiss.wav: ") == true)
    }
    #expect(try !program.files().contains { $0.hasSuffix(".part") || $0 == "separated/tiny/b/.hum.wav.json" })
  }

  /// What comes behind a song that fails on its way to the disk is neither done nor blamed.
  @Test(arguments: ["short.wav", "text.wav"])
  func aFailureOnTheWayToTheDiskStopsTheRest(next: String) throws {
    defer { program.remove() }
    try program.writeSong("long.wav", frames: 400_000)
    try program.writeSong("short.wav", frames: 3000)
    try put("text.wav", "no audio")
    try program.touch("separated/tiny/long/hiss.flac/in the way")
    let outcome = try separate(["long.wav", next, "missing.wav", "--flac", "--fail-fast", "--json"])
    #expect(outcome.status == 1)
    // What is missing is known before, so that nothing is begun.
    #expect(try objects(outcome).map { $0["status"] as? String } == ["stopped", "stopped", "failed"])
    let late = try separate(["long.wav", next, "--flac", "--fail-fast", "--json"])
    #expect(try objects(late).map { $0["status"] as? String } == ["failed", "stopped"], "\(late.errors)")
    #expect(late.errors.hasSuffix("1 of 2 songs failed:\n  long.wav (output-publish-failed)\n"))
  }

  /// What is done when it is told to stop stays done, and there is an object for each song: after the first signal, which
  /// ends it in good order, and after a second one, which ends it at once.
  @Test(arguments: ["kill -INT $pid", "while kill -INT $pid; do sleep 0.01; done 2> /dev/null"])
  func aBatchThatIsInterruptedKeepsWhatIsDone(signals: String) throws {
    defer { program.remove() }
    try program.writeSong("a.wav", frames: 20_000)
    try program.writeSong("c.wav", frames: 20_000)
    try program.writeSparseSong("b.wav", seconds: 20_000)
    let outcome = try program.run(
      [
        "-c",
        """
        set -m; "$demucs" separate a.wav b.wav c.wav missing.wav -n tiny.safetensors --quiet --json & pid=$!
        until [ -d separated/tiny/b ]; do sleep 0.05; kill -0 $pid || exit 99; done
        until [ -f separated/tiny/a/.hum.wav.json ]; do sleep 0.05; kill -0 $pid || exit 99; done
        \(signals); wait $pid
        """,
      ], environment: ["demucs": Program.executable.path], executable: URL(filePath: "/bin/bash"))
    #expect(outcome.status == 130, "\(outcome.errors)")
    let files = try program.files().filter { $0.hasPrefix("separated/tiny/") && $0.contains(".") }
    #expect(files == [".hum.wav.json", "hiss.wav", "hum.wav"].map { "separated/tiny/a/\($0)" })
    let objects = try objects(outcome)
    #expect(objects.map { $0["track"] as? Int } == [1, 2, 3, 4])
    #expect(objects.dropFirst().map { $0["status"] as? String } == ["stopped", "stopped", "failed"])
    let codes = objects.dropFirst().map { ($0["error"] as? [String: Any])?["code"] as? String }
    #expect(codes == ["interrupted", "not-started", "input-not-found"])
  }

  @Test func aModelThatIsNotThereIsTheErrorOfEverySong() throws {
    defer { program.remove() }
    try program.writeSong("a.wav", frames: 4000)
    let outcome = try program.run(["separate", "a.wav", "b.wav", "-n", "absent", "--json"])
    #expect(outcome.status == 1)
    let codes = try objects(outcome).map { ($0["error"] as? [String: Any])?["code"] as? String }
    #expect(codes == ["model-not-found", "input-not-found"])
  }

  @Test func levelsAndWarningsAreInTheObject() throws {
    defer { program.remove() }
    try program.writeSong("mono.wav", frames: 30_000, channels: 1)
    let outcome = try separate(["mono.wav", "--json", "--mixture-consistent", "residual", "--quiet"])
    let object = try #require(try objects(outcome).first)
    let levels = try #require(object["levels"] as? [String: Any])
    #expect(levels["clipMode"] as? String == "rescale-all")
    #expect((levels["residual"] as? [String: Any])?["handling"] as? String == "residual")
    #expect((levels["summary"] as? String)?.contains("written as a stem of its own") == true)
    let outputs = try #require(object["outputs"] as? [[String: Any]])
    #expect(outputs.map { $0["stem"] as? String } == ["hum", "hiss", "residual"])
    #expect(Set(outputs.compactMap { $0["gain"] as? Double }).count == 1)
    #expect(outcome.errors.isEmpty)
    // The first half of a file of 16-bit stereo.
    try program.writeSong("cut.wav", frames: 30_000)
    try program.bytes("cut.wav").prefix(60_000).write(to: program.folder.appendingPathComponent("cut.wav"))
    let cut = try #require(try objects(separate(["cut.wav", "--json", "--quiet"])).first)
    let warnings = try #require(cut["warnings"] as? [String])
    #expect(warnings.count == 1 && warnings[0].hasPrefix("cut.wav: the header promises 30000 frames and "))
    let lossy = try separate(["mono.wav", "--json", "--quiet", "--opus", "--rate", "original"])
    let notes = try #require(try objects(lossy).first?["warnings"] as? [String])
    #expect(notes.count == 1 && notes[0].hasPrefix("mono.wav: the stems have 48000 Hz in place of the song's 44100"))
    #expect(lossy.errors == "Warning: \(notes.first ?? "")\n")
  }

  /// In a shell, which can make names of any bytes.
  @Test func namesThatAreNotTextComeInBytesToo() throws {
    defer { program.remove() }
    try program.writeSong("a.wav", frames: 4000)
    let outcome = try program.run(
      ["-c", "mv a.wav $'b\\xff.wav'; exec \"$demucs\" separate -n tiny.safetensors --json $'b\\xff.wav'"],
      environment: ["demucs": Program.executable.path], executable: URL(filePath: "/bin/bash"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    let object = try #require(try objects(outcome).first)
    #expect(object["input"] as? String == "b\\xFF.wav")
    #expect(object["inputBytes"] as? String == Data([0x62, 0xFF] + ".wav".utf8).base64EncodedString())
    let output = try #require((object["outputs"] as? [[String: Any]])?.first)
    #expect(output["path"] as? String == "separated/tiny/b\\xFF/hum.wav")
    #expect(Data(base64Encoded: output["pathBytes"] as? String ?? "")?.contains(0xFF) == true)
  }

  @Test func progressForAProgram() throws {
    defer { program.remove() }
    try program.writeSong("a.wav", frames: 60_000)
    try put("b.wav", "no audio")
    let outcome = try separate(["a.wav", "b.wav", "--progress", "json"])
    #expect(outcome.status == 1)
    let events = try outcome.errors.split(separator: "\n").map { line in
      try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }
    func of(_ track: Int) -> [[String: Any]] { events.filter { $0["track"] as? Int == track } }
    #expect(of(1).first?["event"] as? String == "start" && of(1).last?["event"] as? String == "done")
    let fractions = of(1).filter { $0["event"] as? String == "progress" }.compactMap { $0["fraction"] as? Double }
    #expect(fractions == fractions.sorted() && fractions.last == 1)
    #expect(of(2).map { $0["event"] as? String } == ["start", "failed"])
    #expect(of(2).last?["code"] as? String == "input-not-audio")
    let messages = events.filter { $0["event"] as? String == "message" }
    #expect(
      messages.contains { $0["level"] as? String == "error" && ($0["text"] as? String)?.hasPrefix("b.wav: ") == true })
    #expect(of(1).allSatisfy { $0["input"] as? String == "a.wav" && $0["total"] as? Int == 2 })
  }

  @Test(arguments: [
    (["--progress", "none"], ["a.wav: 0:01 separated"]), (["--progress", "lines"], ["a.wav: separating"]),
    (["--progress", "bar"], ["\r", "100%"]), (["--quiet"], []),
  ])
  func progressAsItIsAskedFor(options: [String], says: [String]) throws {
    defer { program.remove() }
    try program.writeSong("a.wav", frames: 60_000)
    let outcome = try separate(["a.wav", "--clip-mode", "none", "--float32"] + options)
    #expect(outcome.status == 0)
    for text in says { #expect(outcome.errors.contains(text), "\(outcome.errors)") }
    #expect(outcome.errors.contains("\u{1B}") == (options.last == "bar"))
    #expect(outcome.errors.isEmpty == says.isEmpty)
    #expect(outcome.errors.contains("separating\n") == (options.last == "lines"))
  }
}
