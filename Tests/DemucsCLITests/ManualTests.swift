import Foundation
import Testing

/// Manual pages and completions are made of the commands themselves: each that the help shows is in them, with all its
/// options.
struct ManualTests {
  /// A command as ArgumentParser describes it.
  private struct Command: Decodable {
    struct Argument: Decodable {
      struct Name: Decodable { let kind, name: String }

      let kind: String
      let names: [Name]?
      let shouldDisplay: Bool
      let defaultValue: String?

      var longNames: [String] { (names ?? []).filter { $0.kind == "long" }.map(\.name) }
    }

    let commandName: String
    let shouldDisplay: Bool
    let subcommands: [Command]?
    let arguments: [Argument]?

    var visibleSubcommands: [Command] { (subcommands ?? []).filter(\.shouldDisplay) }
  }

  private struct Dump: Decodable { let command: Command }

  /// Every command that the help shows, with the words that call it.
  private func commands(_ program: Program) throws -> [(words: [String], command: Command)] {
    let outcome = try program.run(["--experimental-dump-help"])
    try #require(outcome.status == 0, "\(outcome.errors)")
    func all(_ command: Command, _ words: [String]) -> [(words: [String], command: Command)] {
      let words = words + [command.commandName]
      return [(words, command)] + command.visibleSubcommands.flatMap { all($0, words) }
    }
    let root = try JSONDecoder().decode(Dump.self, from: Data(outcome.output.utf8)).command
    let commands = all(root, [])
    try #require(commands.count > 8)
    return commands
  }

  /// As it stands in a page.
  private func roff(_ text: some StringProtocol) -> String {
    let signs: [Character: String] = ["-": "\\-", "'": "\\(aq", "~": "\\(ti", "\"": "\\(dq", "\\": "\\e"]
    return text.map { signs[$0] ?? String($0) }.joined()
  }

  @Test func everyCommandHasAPageWithAllItsOptions() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(["generate-manual", ".", "--date", "2026-11-21"])
    try #require(outcome.status == 0, "\(outcome.errors)")
    var expected: [String] = []
    for (words, command) in try commands(program) where words.last != "help" {
      let name = words.joined(separator: "-") + ".1"
      expected.append(name)
      let page = try String(contentsOf: program.folder.appendingPathComponent(name), encoding: .utf8)
      #expect(page.contains(".TH \"\(roff(name.dropLast(2).uppercased()))\" 1 \"2026\\-11\\-21\" \"demucs\\-cli "))
      for subcommand in command.visibleSubcommands {
        #expect(page.contains("\n\\fB\(roff(subcommand.commandName))\\fR\n"), "\(name)")
      }
      for argument in command.arguments ?? [] {
        for option in argument.longNames {
          let isThere = page.contains("\\fB\(roff("--" + option))\\fR")
          #expect(isThere == argument.shouldDisplay, "\(name): --\(option)")
        }
        if argument.shouldDisplay, let value = argument.defaultValue {
          #expect(page.contains("default: \(roff(value)))"), "\(name): \(value)")
        }
      }
    }
    #expect(try program.files() == expected.sorted())
    #expect(outcome.output.split(separator: "\n").map { String($0.dropFirst(2)) }.sorted() == expected.sorted())
  }

  @Test func pagesThatCannotBeWrittenAreNamed() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(["generate-manual", "no/such/folder"])
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("Error: no/such/folder/demucs-cli.1: cannot be written"), "\(outcome.errors)")
    #expect(try program.run(["generate-manual", ".", "--date", "today"]).status == 64)
    #expect(try program.files().isEmpty)
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completionsHaveEveryCommandAndOption(shell: String) throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(["--generate-completion-script", shell])
    try #require(outcome.status == 0, "\(outcome.errors)")
    for (words, command) in try commands(program) {
      #expect(outcome.output.contains(words.last ?? ""), "\(words)")
      for argument in command.arguments ?? [] where argument.shouldDisplay {
        for option in argument.longNames {
          let spelling = shell == "fish" ? "-l '\(option)'" : "--\(option)"
          #expect(outcome.output.contains(spelling), "\(words): --\(option)")
        }
      }
    }
    #expect(!outcome.output.contains("generate-manual"))
  }

  struct Completion: Sendable {
    let words: [String]
    let offers: Set<String>
  }

  @Test(arguments: [
    Completion(words: ["mod"], offers: ["models"]),
    Completion(words: ["models", "do"], offers: ["download"]),
    Completion(words: ["separate", "--clip-mode", "re"], offers: ["rescale", "rescale-all"]),
    Completion(words: ["separate", "so"], offers: ["song one.wav", "songs"]),
    Completion(words: ["separate", "--out", "so"], offers: ["songs"]),
    Completion(words: ["separate", "--name", "my_"], offers: ["my_model"]),
    Completion(words: ["separate", "--name", "store/"], offers: ["store/my_model.safetensors"]),
    Completion(words: ["models", "download", "htdemucs_6"], offers: ["htdemucs_6s"]),
  ])
  func bashCompletes(completion: Completion) throws {
    let program = try Program()
    defer { program.remove() }
    for file in ["song one.wav", "songs/a.wav", "store/my_model.safetensors", "store/notes.txt"] {
      try program.touch(file)
    }
    let script = try program.run(["--generate-completion-script", "bash"]).output
    try script.write(
      to: program.folder.appendingPathComponent(".completions"), atomically: true, encoding: .utf8)
    // What bash does when the tabulator key is pressed: it calls the function that the script has registered.
    let press = """
      . ./.completions
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
      COMP_POINT=${#COMP_LINE}
      _demucs-cli "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let outcome = try program.run(
      ["-c", press, "bash", Program.executable.path] + completion.words,
      environment: ["DEMUCS_CLI_MODELS": program.folder.path + "/store"],
      executable: URL(fileURLWithPath: "/bin/bash"))
    #expect(Set(outcome.output.split(separator: "\n").map(String.init)) == completion.offers, "\(outcome.errors)")
  }
}
