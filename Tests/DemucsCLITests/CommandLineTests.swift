import Checkpoints
import Foundation
import Testing

/// Command lines of `demucs` run unchanged, and write files of the same names.
struct CommandLineTests {
  /// What scripts/oracle/command_lines.py made of demucs itself.
  struct Lines: Decodable {
    struct Row: Decodable, Sendable {
      let line: String
      let arguments: [String]
      let files: [String]
    }

    let songs: [String]
    let rows: [Row]
  }

  private static let lines = Result {
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Snapshots/demucs-command-lines.json")
    return try JSONDecoder().decode(Lines.self, from: Data(contentsOf: url))
  }

  /// A folder with the songs and small models of the names of demucs.
  private func makeProgram() throws -> Program {
    let program = try Program()
    for song in try Self.lines.get().songs { try program.writeSong(song, frames: 12_000) }
    let four = ["drums", "bass", "other", "vocals"]
    try TestModel(sources: four, segment: 7.8).write(program, "models/htdemucs.safetensors")
    try TestModel(sources: four + ["guitar", "piano"], segment: 7.8).write(program, "models/htdemucs_6s.safetensors")
    return program
  }

  @Test func filesOfTheSameNames() throws {
    let lines = try Self.lines.get()
    #expect(lines.rows.count > 20)
    let program = try makeProgram()
    defer { program.remove() }
    let models = ["DEMUCS_CLI_MODELS": program.folder.appendingPathComponent("models").path]
    let before = Set(try program.files())
    for row in lines.rows {
      let outcome = try program.run(["separate"] + row.arguments, environment: models)
      #expect(outcome.status == 0, "\(row.line): \(outcome.errors)")
      let new = Set(try program.files()).subtracting(before).filter { path in
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(
          atPath: program.folder.appendingPathComponent(path).path, isDirectory: &isFolder)
        return !isFolder.boolValue && path.split(separator: "/").last?.first != "."
      }
      #expect(new.sorted() == row.files, "\(row.line)")
      #expect(outcome.output.split(separator: "\n").map(String.init).sorted() == row.files, "\(row.line)")
      for top in Set(new.compactMap { $0.split(separator: "/").first }) {
        try FileManager.default.removeItem(at: program.folder.appendingPathComponent(String(top)))
      }
    }
  }

  /// The table of the README has every line.
  @Test func theTableOfTheReadmeHasEachLine() throws {
    let readme = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("README.md"), encoding: .utf8)
    for row in try Self.lines.get().rows { #expect(readme.contains("`\(row.line)`"), "\(row.line)") }
  }

  /// What tests elsewhere see the program end with: README, manual and docs/json.md say the same of each.
  @Test func exitStatusesAreDocumentedAlike() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    let page = try String(contentsOf: root.appendingPathComponent("docs/json.md"), encoding: .utf8)
    let program = try Program()
    defer { program.remove() }
    let help = try program.run(["separate", "--help"]).output
    for status in [0, 1, 64, 130] {
      let row = try #require(page.split(separator: "\n").first { $0.hasPrefix("| \(status) | ") })
      #expect(readme.contains(row), "\(row)")
      #expect(help.contains("\n  \(status) "))
    }
    #expect(page.split(separator: "\n").count { $0.prefixMatch(of: /\| \d+ \|/) != nil } == 4)
  }

  @Test func theModelsAreListedAsInDemucs() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(["separate", "--list-models"])
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(outcome.output.hasPrefix("Bag of models:\n    htdemucs\n"))
    #expect(outcome.output.contains("    htdemucs_ft\n") && outcome.output.contains("\nSingle models:\n    open_6s\n"))
    #expect(outcome.output.contains("\n    5c90dfd2\n"))
    let folder = program.folder.appendingPathComponent("repo")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    for name in ["b.th", "955717e8-8726e21a.th", "mine.yaml"] {
      try Data("x".utf8).write(to: folder.appendingPathComponent(name))
    }
    let own = try program.run(["separate", "--list-models", "--repo", "repo"])
    #expect(own.output == "Bag of models:\n    mine\nSingle models:\n    955717e8\n    b\n", "\(own.errors)")
    #expect(try program.run(["separate", "--list-models", "--repo", "absent"]).status == 1)
  }

  @Test(arguments: [
    (["-s", "1234abcd"], "Give the path of the network's file with -n"), (["-d", "cuda"], "CPU only"),
    (["--name", ""], "The value of --name is empty"),
    (["--no-split", "--segment", "3"], "--no-split and --segment exclude each other"),
    (["--mp3-preset", "9"], "it must be 2 to 7"), (["--mp3", "--flac"], "--flac"),
  ])
  func whatCannotBeIsRefusedKindly(options: [String], says: String) throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(["separate", "song.mp3"] + options)
    #expect(outcome.status == 64 && outcome.errors.contains(says), "\(outcome.errors)")
  }

  @Test func aLongSongThatIsNotToBeCutIsRefused() throws {
    let program = try Program()
    defer { program.remove() }
    try TestModel().write(program)
    try program.writeSong("long.wav", frames: 60_000)
    let outcome = try program.run(["separate", "long.wav", "-n", "tiny.safetensors", "--no-split", "--quiet"])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("Without cuts (--no-split) this model takes 0.5 s at once"), "\(outcome.errors)")
    #expect(try program.files() == ["long.wav", "tiny.safetensors"])
  }
}
