import Foundation
import Testing

/// What a batch says of each song, to persons and to programs.
struct ReportTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
  }

  private func separate(_ arguments: [String]) throws -> Program.Outcome {
    try program.run(["separate", "-n", "tiny.safetensors"] + arguments)
  }

  /// Runs a command of the shell, in which $demucs is the program.
  private func shell(_ command: String) throws -> Program.Outcome {
    try program.run(
      ["-c", command], environment: ["demucs": Program.executable.path], executable: URL(filePath: "/bin/bash"))
  }

  /// The objects among lines; those of standard output are as the schema says.
  private func objects(_ text: String, isSchema: Bool = true) throws -> [[String: Any]] {
    let schema = try BatchTests.schema()
    return try text.split(separator: "\n").filter { $0.hasPrefix("{") }.map { line in
      if isSchema { #expect(schema.faults(in: String(line)).isEmpty, "\(schema.faults(in: String(line))): \(line)") }
      return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  private func put(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: program.folder.appendingPathComponent(name))
  }

  /// Songs of one name are called by as many folders as tell them apart.
  @Test func songsOfOneNameAreToldApart() throws {
    defer { program.remove() }
    for name in ["m/a/x/song.wav", "m/b/x/song.wav", "song.wav", "other.wav"] {
      try program.touch(name)
      try program.writeSong(name, frames: 3000)
    }
    let list = [
      "m/a/x/song.wav", "other.wav", "m/b/x/song.wav", "./song.wav", "--filename", "{dir}/{track}/{stem}.{ext}",
    ]
    let first = try separate(list)
    #expect(first.status == 0, "\(first.errors)")
    for name in ["[1/4] a/x/song.wav", "[2/4] other.wav", "[3/4] b/x/song.wav", "[4/4] song.wav"] {
      #expect(first.errors.contains("\n\(name): 0:00 separated in"), "\(first.errors)")
    }
    let again = try separate(list + ["--resume"])
    #expect(again.errors.contains("[3/4] b/x/song.wav: skipped, its stems are there\n"), "\(again.errors)")
  }

  /// `-` as it was given, "standard input" to persons, "stdin" in names of files.
  @Test func standardInputIsCalledTheSameEverywhere() throws {
    defer { program.remove() }
    try program.writeSong(frames: 3000)
    let done = try shell(#"cat song.wav | "$demucs" separate - song.wav -n tiny.safetensors --json"#)
    #expect(try objects(done.output).map { $0["input"] as? String } == ["-", "song.wav"])
    #expect(done.output.contains("separated/tiny/stdin/hum.wav"))
    #expect(
      done.errors.contains("[1/2] standard input: separating\n") && !done.errors.contains("stdin"), "\(done.errors)")
    for redirection in ["< /dev/null", "< song.txt", "< <(cat song.txt)"] {
      try put("song.txt", "Dear diary")
      let failed = try shell("\"$demucs\" separate - missing.wav -n tiny.safetensors --json \(redirection)")
      let object = try #require(try objects(failed.output).first)
      let message = try #require((object["error"] as? [String: Any])?["message"] as? String)
      #expect(object["input"] as? String == "-" && message.hasPrefix("standard input: "))
      #expect(
        message.contains(": is empty") || message.hasPrefix("standard input: cannot be read as audio: "), "\(message)")
      #expect(failed.errors.contains("Error: \(message)\n") && failed.errors.contains("\n  standard input (input-"))
      #expect(message.ranges(of: "standard input").count == 1 && !failed.errors.contains("stdin"), "\(failed.errors)")
    }
    let events = try shell("\"$demucs\" separate - -n tiny.safetensors --progress json < song.wav")
    #expect(try objects(events.errors, isSchema: false).allSatisfy { $0["input"] as? String == "-" })
    // A list that cannot be read is the error of what it was given as, too.
    let list = try shell(#"printf '\xff\xfea\0' | "$demucs" separate --from-file - -n tiny.safetensors --json"#)
    #expect(try objects(list.output).map { $0["input"] as? String } == ["-"])
  }

  @Test(arguments: [
    ("absent", "absent"), ("models/absent.safetensors", "absent"), ("text.safetensors", "text"),
  ])
  func theModelIsNamedWhereItCannotBeUsed(model: String, name: String) throws {
    defer { program.remove() }
    try program.writeSong(frames: 3000)
    try put("text.safetensors", "Dear diary")
    for extra in [[], ["--dry-run"], ["missing.wav"]] {
      let outcome = try program.run(["separate", "song.wav", "-n", model, "--json"] + extra)
      let objects = try objects(outcome.output)
      #expect(outcome.status == 1 && objects.count == (extra == ["missing.wav"] ? 2 : 1))
      for object in objects { #expect((object["model"] as? [String: Any])?["name"] as? String == name) }
    }
    let lost = try program.run(["separate", "missing.wav", "-n", model, "--json"])
    #expect(try objects(lost.output).map { ($0["model"] as? [String: Any])?["name"] as? String } == [name])
  }

  @Test func anEmptyShardSaysSo() throws {
    defer { program.remove() }
    try program.writeSong(frames: 3000)
    for extra in [[], ["--dry-run"], ["--json"]] {
      let outcome = try separate(["song.wav", "missing.wav", "--shard", "3/4"] + extra)
      #expect(outcome.status == 0 && outcome.output.isEmpty)
      #expect(outcome.errors == "Note: --shard 3/4 takes no song, as the list has only 2.\n")
    }
    for (shard, words) in [("0/3", "from 1 to 3"), ("4/3", "from 1 to 3"), ("3", "1/4"), ("1/0", "I runs from 1 to N")]
    {
      let outcome = try separate(["song.wav", "--shard", shard])
      #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.errors)")
      #expect(outcome.errors.contains("'\(shard)'") && outcome.errors.contains("Usage: demucs-cli separate "))
    }
  }

  /// FLAC has no rate of 768 kHz: what the run says is what its dry run said.
  @Test func aDryRunRefusesWhatTheRunRefuses() throws {
    defer { program.remove() }
    try program.writeSong("high.wav", frames: 9000, sampleRate: 768_000)
    try program.writeSong("low.wav", frames: 3000)
    let arguments = ["high.wav", "low.wav", "--rate", "original", "--flac", "--json", "--quiet"]
    let (dry, wet) = (try separate(arguments + ["--dry-run"]), try separate(arguments))
    #expect(dry.status == 1 && wet.status == 1)
    let (planned, done) = (try objects(dry.output), try objects(wet.output))
    #expect(planned.map { $0["status"] as? String } == ["failed", "planned"])
    #expect(done.map { $0["status"] as? String } == ["failed", "done"], "\(wet.errors)")
    for objects in [planned, done] {
      let error = try #require(objects[0]["error"] as? [String: String])
      #expect(error["code"] == "output-unsupported")
      #expect(error == done[0]["error"] as? [String: String])
    }
  }

  /// What an encoding cannot do is known without separating anything.
  @Test(arguments: [
    ["--opus", "--rate", "original"], ["--mp3", "--rate", "original"], ["--mp3"], ["--mp3", "--mp3-bitrate", "33"],
    ["--flac"],
  ])
  func aDryRunWarnsOfWhatTheRunWarnsOf(options: [String]) throws {
    defer { program.remove() }
    try program.writeSong("a.wav", frames: 9000)
    try program.writeSong("b.wav", frames: 2000, sampleRate: 7000)
    let arguments = ["a.wav", "b.wav", "--quiet"] + options
    let (dry, wet) = (try separate(arguments + ["--dry-run"]), try separate(arguments))
    #expect(dry.status == 0 && wet.status == 0 && dry.errors == wet.errors)
    #expect(dry.errors.isEmpty == (options == ["--flac"]), "\(dry.errors)")
    let planned = try objects(separate(arguments + ["--dry-run", "--json"]).output)
    let done = try objects(separate(arguments + ["--json"]).output)
    #expect(planned.map { $0["warnings"] as? [String] } == done.map { $0["warnings"] as? [String] })
    #expect(
      planned.map { ($0["warnings"] as? [String])?.isEmpty == false }
        == (dry.errors.isEmpty
          ? [false, false] : options == ["--mp3", "--rate", "original"] ? [false, true] : [true, true]))
    // Of what is not read yet as much as is known.
    let pipe = try shell(
      "\"$demucs\" separate - -n tiny.safetensors --dry-run \(options.joined(separator: " ")) < b.wav")
    #expect(
      pipe.status == 0
        && pipe.errors.contains("Warning: standard input: the stems have")
          == (options.first == "--mp3" && !options.contains("--rate")),
      "\(pipe.errors)")
  }

  /// A song that fails waits until the one before, which takes its time on the way to the disk, is told of.
  @Test(arguments: [
    ["text.wav", "song.wav"], ["text.wav", "missing.wav"], ["missing.wav", "text.wav"], ["song.wav"],
  ])
  func linesComeInTheOrderOfTheList(rest: [String]) throws {
    defer { program.remove() }
    // Kept until its peak is known, so that all of it is encoded in the end.
    try program.writeSparseSong("long.wav", seconds: 120)
    try program.writeSong(frames: 3000)
    try put("text.wav", "Dear diary")
    if rest == ["song.wav"] { #expect(try separate(["song.wav", "--mp3"]).status == 0) }
    let outcome = try separate(["long.wav"] + rest + ["--mp3", "--json", "--resume"])
    #expect(try objects(outcome.output).map { $0["input"] as? String } == ["long.wav"] + rest, "\(outcome.errors)")
  }

  /// A bias that half precision makes infinite, of which the network makes what is no number.
  @Test func warningsOfASeparationAreInItsObject() throws {
    defer { program.remove() }
    let model = try TestModel()
    for (index, entry) in model.tensors.enumerated() where entry.name == "tencoder.1.conv.bias" {
      model.tensors[index].tensor.data[0] = 70_000
    }
    try model.write(program)
    for name in ["a.wav", "b.wav"] { try program.writeSong(name, frames: 20_000, sampleRate: 8000) }
    let outcome = try separate(["a.wav", "missing.wav", "b.wav", "--precision", "mixed", "--json"])
    let objects = try objects(outcome.output)
    #expect(objects.allSatisfy { $0["status"] as? String == "failed" }, "\(outcome.errors)")
    // What is said is in the object of its song, once.
    let said = outcome.errors.ranges(of: "numbers too large for the precision").count
    let warnings = objects.map { $0["warnings"] as? [String] ?? [] }
    #expect(warnings.joined().count == said && !warnings[0].isEmpty && warnings[1].isEmpty, "\(warnings)")
    #expect(warnings.joined().allSatisfy { $0.contains("tencoder.1.conv") }, "\(warnings)")
  }

  /// A gate that half precision opens to infinity, which does its result no harm: the song is done.
  @Test func warningsOfASongThatIsDoneAreInItsObject() throws {
    defer { program.remove() }
    let model = try TestModel()
    for (index, entry) in model.tensors.enumerated() where entry.name == "encoder.0.dconv.layers.0.4.bias" {
      let tensor = model.tensors[index].tensor
      tensor.data[tensor.shape[0] / 2] = 70_000
    }
    try model.write(program)
    for name in ["a.wav", "b.wav"] { try program.writeSong(name, frames: 20_000, sampleRate: 8000) }
    let outcome = try separate(["a.wav", "b.wav", "--precision", "half", "--json"])
    let objects = try objects(outcome.output)
    #expect(objects.map { $0["status"] as? String } == ["done", "done"], "\(outcome.errors)")
    for object in objects {
      let warnings = object["warnings"] as? [String] ?? []
      let name = object["input"] as? String ?? ""
      #expect(warnings.count == 1 && outcome.errors.contains("Warning: \(warnings.first ?? "")\n"), "\(warnings)")
      #expect(warnings.first?.hasPrefix("\(name): numbers too large for the precision became infinite") == true)
    }
  }

  /// Where nobody reads the results, no song is begun; what is done stays done, and nothing is half done.
  @Test func aReaderThatWentAwayEndsTheRun() throws {
    defer { program.remove() }
    for name in ["a.wav", "b.wav", "c.wav"] { try program.writeSong(name, frames: 60_000) }
    let run = "\"$demucs\" separate a.wav b.wav c.wav -n tiny.safetensors --json --progress json"
    let outcome = try shell(
      """
      mkfifo results; sleep 100 < results & reader=$!
      exec 3> results; kill -KILL $reader; wait $reader 2> /dev/null; \(run) >&3
      """)
    #expect(outcome.status == 1)
    #expect(try lastEvents(outcome) == ["done", "stopped interrupted", "stopped not-started"])
    let messages = try objects(outcome.errors, isSchema: false).filter { $0["level"] as? String == "error" }
    #expect(
      messages.map { $0["text"] as? String } == [
        "standard output: the results cannot be written: Broken pipe. Check what reads it; with --resume the run goes on "
          + "behind the songs that are done."
      ])
    #expect(
      try program.files().filter { $0.hasPrefix("separated/tiny/") && $0.contains(".") }
        == [".hum.wav.json", "hiss.wav", "hum.wav"].map { "separated/tiny/a/\($0)" })
    let again = try shell(run + " --resume")
    #expect(try objects(again.output).map { $0["status"] as? String } == ["skipped", "done", "done"])
  }

  /// Every song of the list has a last event, be it that the run did not come to it.
  @Test func eventsOfSongsBehindTheFirstFailure() throws {
    defer { program.remove() }
    try program.writeSong("a.wav", frames: 3000)
    try put("b.wav", "Dear diary")
    let outcome = try separate(["a.wav", "b.wav", "c.wav", "d.wav", "--fail-fast", "--progress", "json"])
    #expect(
      try lastEvents(outcome) == [
        "stopped not-started", "stopped not-started", "failed input-not-found", "failed input-not-found",
      ])
    try program.writeSong("c.wav", frames: 3000)
    let later = try separate(["a.wav", "b.wav", "c.wav", "--fail-fast", "--progress", "json"])
    #expect(try lastEvents(later) == ["done", "failed input-not-audio", "stopped not-started"])
    #expect(later.output == "separated/tiny/a/hum.wav\nseparated/tiny/a/hiss.wav\n")
  }

  @Test(arguments: ["kill -INT $pid", "while kill -INT $pid; do sleep 0.01; done 2> /dev/null"], ["", "--json"])
  func eventsOfSongsBehindAnInterruption(signals: String, json: String) throws {
    defer { program.remove() }
    for name in ["a.wav", "c.wav"] { try program.writeSong(name, frames: 3000) }
    try program.writeSparseSong("b.wav", seconds: 20_000)
    let outcome = try shell(
      """
      set -m; "$demucs" separate a.wav b.wav c.wav missing.wav -n tiny.safetensors --progress json \(json) & pid=$!
      until [ -d separated/tiny/b ]; do sleep 0.05; kill -0 $pid || exit 99; done
      until [ -f separated/tiny/a/.hum.wav.json ]; do sleep 0.05; kill -0 $pid || exit 99; done
      \(signals); wait $pid
      """)
    #expect(outcome.status == 130, "\(outcome.errors)")
    #expect(
      try lastEvents(outcome) == ["done", "stopped interrupted", "stopped not-started", "failed input-not-found"])
    #expect(try objects(outcome.errors, isSchema: false).last?["event"] as? String == "interrupted")
    #expect(
      try json.isEmpty
        || objects(outcome.output).map { $0["status"] as? String } == ["done", "stopped", "stopped", "failed"])
  }

  /// Where it waits for a pipe, the program is ended by the thread that waits for signals.
  @Test func eventsWhereTheProgramIsEndedAtOnce() throws {
    defer { program.remove() }
    try program.writeSong("a.wav", frames: 3000)
    let outcome = try shell(
      """
      set -m; mkfifo pipe.wav; sleep 100 > pipe.wav & trap "kill -KILL $!" EXIT
      "$demucs" separate pipe.wav a.wav missing.wav -n tiny.safetensors --progress json --json & pid=$!
      until grep -q '"start"' .stderr; do sleep 0.05; kill -0 $pid || exit 99; done
      while kill -INT $pid; do sleep 0.3; done 2> /dev/null; wait $pid
      """)
    #expect(outcome.status == 130, "\(outcome.errors)")
    #expect(
      try lastEvents(outcome) == ["stopped interrupted", "stopped not-started", "failed input-not-found"],
      "\(outcome.errors)")
    #expect(try objects(outcome.output).map { $0["status"] as? String } == ["stopped", "stopped", "failed"])
    #expect(try objects(outcome.errors, isSchema: false).last?["event"] as? String == "interrupted")
  }

  /// The last event of each song, with its code.
  private func lastEvents(_ outcome: Program.Outcome) throws -> [String] {
    var last: [Int: String] = [:]
    var ended: Set<Int> = []
    for object in try objects(outcome.errors, isSchema: false) {
      guard let track = object["track"] as? Int, let event = object["event"] as? String else { continue }
      #expect(!ended.contains(track), "\(event) of \(track) behind its end")
      if ["done", "skipped", "failed", "stopped"].contains(event) { ended.insert(track) }
      last[track] = event + ((object["code"] as? String).map { " " + $0 } ?? "")
    }
    return last.sorted { $0.key < $1.key }.map(\.value)
  }
}
