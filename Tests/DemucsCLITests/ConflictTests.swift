import Foundation
import Testing

/// Command lines that would lose a file, a stem or a song, are refused before any work, and in a dry run.
struct ConflictTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
  }

  /// Expects a refusal of the command, and of its dry run, and that nothing was touched.
  private func expectRefusal(_ arguments: [String], _ says: String...) throws {
    let before = try program.files()
    let contents = before.map { try? program.bytes($0) }
    for extra in [[], ["--dry-run"], ["--json"], ["--shard", "1/2"], ["--resume"]] {
      let outcome = try program.run(["separate", "-n", "tiny.safetensors"] + arguments + extra)
      #expect(outcome.status == 64 && outcome.output.isEmpty, "\(extra): \(outcome.errors)")
      for words in says { #expect(outcome.errors.contains(words), "\(extra): \(outcome.errors)") }
      #expect(
        outcome.errors.hasSuffix(
          """
          Usage: demucs-cli separate [<options>] [<file> ...]
            See 'demucs-cli separate --help' for more information.

          """), "\(outcome.errors)")
    }
    #expect(try program.files() == before)
    #expect(before.map { try? program.bytes($0) } == contents)
  }

  @Test(arguments: [
    (["--two-stems", "hum"], "a_no.wav", "a_no_hum.wav"),
    (["--two-stems", "hum", "--other-method", "minus"], "a_minus.wav", "a_minus_hum.wav"),
  ])
  func stemsOfTwoSongs(options: [String], other: String, output: String) throws {
    defer { program.remove() }
    for name in ["a.wav", "b.wav", other] { try program.writeSong(name, frames: 2000) }
    let arguments = ["b.wav", "a.wav", other, "--filename", "{track}_{stem}.{ext}"]
    try expectRefusal(
      arguments + options, "Error: a.wav and \(other) would all write separated/tiny/\(output). ",
      "Tell them apart with --filename '{track}/{stem}.{ext}'.\n")
    for options in [options + ["--filename", "{track}/{stem}.{ext}"], ["--stems", "hum"]] {
      let outcome = try program.run(["separate", "-n", "tiny.safetensors", "--quiet"] + arguments + options)
      #expect(outcome.status == 0 && Set(outcome.output.split(separator: "\n")).count >= 3, "\(outcome.errors)")
    }
  }

  @Test func stemsOfOneSong() throws {
    defer { program.remove() }
    try program.writeSong("a.wav", frames: 2000)
    try expectRefusal(
      ["a.wav", "--filename", "{stem}/../{track}.{ext}"],
      "Error: a.wav: several of its stems would be separated/tiny/hum/../a.wav. ")
    try expectRefusal(["a.wav", "--stems", "nope"], "Error: The model has no stem 'nope'; it has hum, hiss.\n")
  }

  @Test func songsInTheWayOfStems() throws {
    defer { program.remove() }
    try program.writeSong("rep/tiny/q/hum.wav", frames: 2000, makingFolders: true)
    for name in ["q.wav", "b.wav"] { try program.writeSong(name, frames: 2000) }
    let says = "Error: q.wav would write its stem rep/tiny/q/hum.wav over another song of the list, "
    try expectRefusal(
      ["q.wav", "rep/tiny/q/hum.wav", "-o", "rep"], says + "rep/tiny/q/hum.wav. ", " leave that song out.\n")
    try expectRefusal(["rep/tiny/q/hum.wav", "q.wav", "-o", "rep"], says)
    let hiss = program.folder.appendingPathComponent("rep/tiny/q/hiss.wav")
    try FileManager.default.linkItem(at: program.folder.appendingPathComponent("b.wav"), to: hiss)
    try expectRefusal(
      ["q.wav", "b.wav", "-o", "rep"], "q.wav would write its stem rep/tiny/q/hiss.wav over another song of")
    // Standard input, where a file was redirected to it.
    for extra in ["", "--dry-run"] {
      let outcome = try shell("\"$demucs\" separate -n tiny.safetensors q.wav - -o rep < rep/tiny/q/hum.wav \(extra)")
      #expect(outcome.status == 64 && outcome.errors.hasPrefix(says + "standard input. "), "\(outcome.errors)")
    }
    try FileManager.default.moveItem(
      at: program.folder.appendingPathComponent("rep/tiny/q"),
      to: program.folder.appendingPathComponent("rep/tiny/stdin"))
    let own = try shell("\"$demucs\" separate -n tiny.safetensors - -o rep < rep/tiny/stdin/hum.wav")
    #expect(own.status == 1 && own.errors.contains("a stem would replace the song itself"), "\(own.errors)")
    // Nothing else keeps what is there from being replaced.
    let outcome = try program.run(["separate", "-n", "tiny.safetensors", "q.wav", "-o", "rep"])
    #expect(outcome.status == 0 && outcome.output == "rep/tiny/q/hum.wav\nrep/tiny/q/hiss.wav\n", "\(outcome.errors)")
  }

  /// Runs a command of the shell, in which $demucs is the program.
  private func shell(_ command: String) throws -> Program.Outcome {
    try program.run(
      ["-c", command], environment: ["demucs": Program.executable.path], executable: URL(filePath: "/bin/bash"))
  }

  private func link(_ name: String, to target: String) throws {
    let url = program.folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.linkItem(at: program.folder.appendingPathComponent(target), to: url)
  }

  /// What the command reads beside songs.
  @Test func filesThatAreNeededInTheWayOfStems() throws {
    defer { program.remove() }
    try program.writeSong("q.wav", frames: 2000)
    let stem = "separated/tiny/q/hum.wav"
    func says(_ what: String) -> String {
      "Error: q.wav would write its stem \(stem) over \(what). Choose another --out or --filename.\n"
    }
    try program.touch(stem)
    try Data("q.wav\n".utf8).write(to: program.folder.appendingPathComponent(stem))
    try expectRefusal(["--from-file", stem], says("the list of songs, \(stem)"))
    try link("list", to: stem)
    try expectRefusal(["--from-file", "list"], says("the list of songs, list"))
    let piped = try shell("\"$demucs\" separate -n tiny.safetensors --from-file - < \(stem)")
    #expect(piped.status == 64 && piped.errors.hasPrefix(says("the list of songs on standard input")))
    try Data("{\"preset\": \"mixed\"}".utf8).write(to: program.folder.appendingPathComponent(stem))
    try expectRefusal(["q.wav", "--policy", stem], says("the precision policy, \(stem)"))
    try FileManager.default.removeItem(at: program.folder.appendingPathComponent(stem))
    try link(stem, to: "tiny.safetensors")
    try expectRefusal(["q.wav"], says("a file of the model, tiny.safetensors"))
    #expect(try program.bytes(stem) == program.bytes("tiny.safetensors"))
    // Somewhere else it does no harm.
    #expect(try program.run(["separate", "-n", "tiny.safetensors", "q.wav", "--stems", "hiss"]).status == 0)
  }

  /// Each file of a bag.
  @Test(arguments: ["one.safetensors", "two.safetensors", "pair.yaml"])
  func filesOfABagInTheWayOfStems(file: String) throws {
    defer { program.remove() }
    for name in ["one", "two"] { try TestModel().write(program, "repo/\(name).safetensors") }
    try Data("models: [one, two]".utf8).write(to: program.folder.appendingPathComponent("repo/pair.yaml"))
    try program.writeSong("q.wav", frames: 2000)
    try link("separated/pair/q/hiss.wav", to: "repo/\(file)")
    try expectRefusal(["q.wav", "-n", "repo/pair.yaml"], "hiss.wav over a file of the model, repo/\(file). ")
    try expectRefusal(["q.wav", "-n", "pair", "--repo", "repo"], "hiss.wav over a file of the model, ")
  }

  /// Where the program says what it did.
  @Test func outputsInTheWayOfStems() throws {
    defer { program.remove() }
    try program.writeSong("q.wav", frames: 2000)
    try program.touch("separated/tiny/q/file")
    for (redirection, name) in [("> $stem 2> errors", "output"), ("2> $stem; cp $stem errors", "error")] {
      let outcome = try shell(
        "stem=separated/tiny/q/hum.wav; \"$demucs\" separate -n tiny.safetensors q.wav --json \(redirection)")
      #expect(outcome.output.isEmpty)
      let errors = String(decoding: try program.bytes("errors"), as: UTF8.self)
      #expect(errors.hasPrefix("Error: q.wav would write its stem separated/tiny/q/hum.wav over the file that"))
      #expect(errors.contains("over the file that standard \(name) goes to. "), "\(errors)")
    }
    #expect(try program.files().filter { $0.hasPrefix("separated") }.count == 5)
  }
}

extension Program {
  /// Writes a song into a folder that may not be there.
  fileprivate func writeSong(_ name: String, frames: Int, makingFolders: Bool) throws {
    if makingFolders { try touch(name) }
    try writeSong(name, frames: frames)
  }
}
