import Foundation
import Testing

/// Names that begin with a dash, as a shell's patterns give them: none is taken for an option without a word.
struct DashedNameTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
    try program.writeSong("a.wav", frames: 2000)
  }

  private func put(_ name: String) throws {
    try program.bytes("a.wav").write(to: program.folder.appendingPathComponent(name))
  }

  /// Runs a command of the shell, in which `demucs` is a dry run of one stem.
  private func shell(_ command: String) throws -> Program.Outcome {
    try program.run(
      ["-c", "demucs() { \"$program\" separate --stems hum --dry-run -n tiny.safetensors \"$@\"; }; \(command)"],
      environment: ["program": Program.executable.path], executable: URL(filePath: "/bin/bash"))
  }

  @Test(arguments: [
    "-h.wav", "-dash.wav", "-o.wav", "-out.FLAC", "--help.wav", "--live.mp3", "-0", "-r song", "--song", "-2.aiff",
    "-h",
    "--json=1 or so", "-\u{e9}.wav",
  ])
  func aFileOfThatNameIsMeant(name: String) throws {
    defer { program.remove() }
    try put(name)
    // What is an option to its end is one, whatever is there.
    let isOption = ["-0", "-h", "--json=1 or so"].contains(name)
    for command in ["demucs -- -*", "demucs ./-*"] {
      let outcome = try shell(command)
      #expect(outcome.status == 0 && outcome.output.contains(name + "\t"), "\(outcome.errors)")
    }
    let outcome = try shell("demucs *")
    if isOption {
      #expect(!outcome.errors.contains("begins with a dash"))
    } else {
      #expect(outcome.status == 64 && outcome.output.isEmpty)
      #expect(
        outcome.errors == """
          Error: '\(name)' would be taken for options, as it begins with a dash. To name a file that begins with a dash \
          write ./\(name), or put -- before it and what follows.
          Usage: demucs-cli separate [<options>] [<file> ...]
            See 'demucs-cli separate --help' for more information.

          """)
    }
  }

  /// A song that is not there either, but for what may be the value of an option.
  @Test func aNameThatEndsAsSoundIsMeantToo() throws {
    defer { program.remove() }
    for name in ["-h.wav", "-dash.wav", "--live.ogg"] {
      let outcome = try shell("demucs a.wav \(name)")
      #expect(outcome.status == 64 && outcome.errors.contains("write ./\(name), or put --"), "\(outcome.errors)")
    }
    for (options, path) in [
      ("-oout.wav", "out.wav/tiny/a/hum.wav"), ("--filename={stem}.wav", "separated/tiny/hum.wav"),
    ] {
      #expect(try shell("demucs a.wav '\(options)'").output == "a.wav\t\(path)\n")
    }
    #expect(try shell("\"$program\" compare -h.wav").errors.contains("Usage: demucs-cli compare "))
    #expect(try shell("\"$program\" -h.wav").status == 64)
  }
}
