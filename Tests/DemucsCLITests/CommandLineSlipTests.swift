import Foundation
import Testing

/// What a person or a script gets wrong before any option can be read, and what is said too early or too late.
struct CommandLineSlipTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
    try program.writeSong("a.wav", frames: 2000)
  }

  @Test(arguments: [
    (["a.wav"], "'a.wav' is no subcommand. To separate it: demucs-cli separate a.wav"),
    (["separat", "a.wav"], "There is no subcommand 'separat'; did you mean separate?"),
    (["models", "lst"], "There is no subcommand 'lst'; did you mean list?"),
    (["golden", "chek", "--help"], "did you mean check?"),
    (["nothing"], "there are separate, models, compare, evaluate, golden, bench, precision."),
    (["separate", "a.wav", "-shifts", "4"], "'-shifts' has one dash; write --shifts."),
    (["separate", "a.wav", "-shard=1/2"], "'-shard=1/2' has one dash; write --shard."),
    (["separate", "--dry-run", "a.wav", "-out", "stems"], "write --out."),
    (["separate", "a.wav", "--out", ""], "The value of --out is empty;"),
    (["separate", "a.wav", "--out="], "The value of --out is empty;"),
    (["separate", "a.wav", "-n", ""], "The value of -n is empty;"),
    (["compare", "a.wav", ""], "An argument is empty;"),
    (["separate", "a.wav", "--shifts", "-1"], "--shifts is -1; it must be 0 to 1000."),
    (["separate", "a.wav", "-j", "-1"], "--jobs is -1"),
    (["compare", "a.wav", "a.wav", "--atol", "-1"], "--atol is -1"),
    (["bench", "--runs", "0"], "--runs is 0; it must be 1 or more."),
    (["models", "import", "tiny.safetensors", "--name", "my.th"], "leave its extension out"),
    (["separate", "--list-models", "--json"], "models list --json"),
    // Its value is no song, and its misspelling comes before what is wrong with songs.
    (["separate", "--modle", "a.wav", "b/a.wav"], "Unknown option '--modle'"),
    (["separate", "--form-file=list.txt"], "Unknown option '--form-file'"),
  ])
  func whatIsMeantIsSaid(arguments: [String], says: String) throws {
    defer { program.remove() }
    let outcome = try program.run(arguments)
    #expect(outcome.status == 64 && outcome.errors.contains(says), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  @Test func whatIsRightStaysSo() throws {
    defer { program.remove() }
    let dry = ["separate", "--dry-run", "-n", "tiny.safetensors"]
    for arguments in [
      ["help"], ["help", "separate"], ["models", "--help"], ["--version"], dry + ["a.wav", "-oout"],
      dry + ["a.wav", "-j1"], ["bench", "-ntiny.safetensors", "-j1", "--runs", "1"],
      ["models", "info", "tiny.safetensors", "-j1"],
    ] {
      let outcome = try program.run(arguments)
      #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
    }
    let both = try program.run(dry + ["a.wav", "--stems", "hum", "--stems", "hiss"])
    #expect(both.status == 0 && both.output.contains("hum.wav") && both.output.contains("hiss.wav"), "\(both.errors)")
    // A song without a name stops no other.
    let unnamed = try program.run(dry + ["", "a.wav"])
    #expect(unnamed.status == 1 && unnamed.output.contains("a.wav\t"))
  }

  /// Help waits for no list of songs.
  @Test func helpReadsNoNames() throws {
    defer { program.remove() }
    let outcome = try program.run(
      ["-c", "(echo a.wav) | { \"$program\" separate --from-file - --help > help.txt; cat; }"],
      environment: ["program": Program.executable.path], executable: URL(filePath: "/bin/bash"))
    #expect(outcome.output == "a.wav\n", "the list was read")
  }

  @Test(arguments: ["models list", "models path open_6s", "compare a.wav a.wav", "separate --list-models"])
  func resultsThatAreLostAreNoSuccess(command: String) throws {
    defer { program.remove() }
    for target in ["> /dev/full", ">&-"] {
      let outcome = try program.run(
        ["-c", "\"$program\" \(command) \(target)"], environment: ["program": Program.executable.path],
        executable: URL(filePath: "/bin/bash"))
      #expect(outcome.status == 1, "\(target)")
      #expect(outcome.errors.hasPrefix("Error: standard output: the results cannot be written: "), "\(outcome.errors)")
    }
  }

  @Test func whatMakesNoDifferenceIsSaid() throws {
    defer { program.remove() }
    let outcome = try program.run([
      "separate", "--dry-run", "-n", "tiny.safetensors", "a.wav", "--mp3-bitrate", "128", "--other-method", "minus",
    ])
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("Note: --mp3-bitrate makes no difference without --mp3."), "\(outcome.errors)")
    #expect(outcome.errors.contains("Note: --other-method makes no difference without --two-stems."))
  }

  @Test(arguments: [
    ("--shifts 0 --seed 3", ["--seed"]),
    ("--no-split --overlap 0.5 --transition-power 2", ["--overlap", "--transition-power"]),
    ("--no-split --overlap 0.999999 --transition-power 999", ["--overlap", "--transition-power"]),
    ("--overlap 0 --transition-power 999", ["--transition-power"]), ("--fail-fast", ["--fail-fast"]),
    ("--out x --filename /{stem}.{ext}", ["--out"]), ("--out x --filename /{stem}.{ext} -r", []),
    ("--filename /{stem}.{ext}", []), ("--seed 3", []), ("--overlap 0.5 --transition-power 2", []), ("--out x", []),
  ])
  func optionsWithoutEffectAreSaid(options: String, expected: [String]) throws {
    defer { program.remove() }
    let outcome = try program.run(
      ["separate", "--dry-run", "-n", "tiny.safetensors", "a.wav"]
        + options.replacing("/{", with: "\(program.folder.path)/{").split(separator: " ").map(String.init))
    #expect(outcome.status == 0)
    let notes = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("Note: ") }
    #expect(notes.count == expected.count, "\(outcome.errors)")
    for (note, option) in zip(notes, expected) {
      #expect(note.hasPrefix("Note: \(option) makes no difference "), "\(note)")
    }
  }

  /// What cannot be stored is found before the work, and what was found out is printed whatever becomes of the page.
  @Test func aPageThatCannotBeWrittenIsSaidFirst() throws {
    defer { program.remove() }
    for page in ["none/page.html", "."] {
      let outcome = try program.run(["precision", "tiny.safetensors", "a.wav", "--html", page])
      #expect(outcome.status == 1 && outcome.errors.hasPrefix("Error: \(page): "), "\(outcome.errors)")
    }
    let policy = try program.run(["separate", "--dry-run", "-n", "tiny.safetensors", "a.wav", "--policy", "none.json"])
    #expect(policy.status == 1 && policy.errors.contains("none.json"))
    let folder = try program.run(["models", "list", "--models-dir", "none"])
    #expect(folder.status == 1 && folder.errors.contains("none: no such folder of models"))
  }
}
