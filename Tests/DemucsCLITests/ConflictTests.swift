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
    // Nothing else keeps what is there from being replaced.
    let outcome = try program.run(["separate", "-n", "tiny.safetensors", "q.wav", "-o", "rep"])
    #expect(outcome.status == 0 && outcome.output == "rep/tiny/q/hum.wav\nrep/tiny/q/hiss.wav\n", "\(outcome.errors)")
  }
}

extension Program {
  /// Writes a song into a folder that may not be there.
  fileprivate func writeSong(_ name: String, frames: Int, makingFolders: Bool) throws {
    if makingFolders { try touch(name) }
    try writeSong(name, frames: frames)
  }
}
