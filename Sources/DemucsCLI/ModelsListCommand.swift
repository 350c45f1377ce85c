import ArgumentParser
import ModelStore
import Separation

/// `demucs-cli models list`: what is there, and what could be fetched.
struct ModelsListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the models that are there and those that can be fetched.")

  @Option(help: ArgumentHelp("Folder in which models are looked for first.", valueName: "dir"), completion: .directory)
  var modelsDir: String?

  @Flag(help: "Print a JSON array instead of a table.")
  var json = false

  /// One line of the list.
  private struct Row: Encodable {
    let name: String
    /// `here`, `fetch`, `unsupported`, or `missing` for what should have come with the program.
    let state: String
    let sources: [String]?
    let networks: Int?
    let files: [String]?
    let summary: String?
    let licence: String?
  }

  func run() throws {
    try runReporting { console, _ in
      try ModelStore.checkFolders([modelsDir])
      let folders = ModelFolders(modelsDirectory: modelsDir)
      let registry = try Registry(folders)
      let there = Dictionary(ModelStore.available(in: folders).map { ($0.name, $0) }) { first, _ in first }
      let own = there.keys.filter { registry[$0] == nil }.sorted()
      let rows = (registry.entries.map(\.name) + own).map { row($0, registry, there[$0]) }
      if json { return console.result(try DemucsCLI.json(rows)) }
      let width = rows.map(\.name.count).max() ?? 0
      for row in rows {
        let name = row.name + String(repeating: " ", count: width - row.name.count)
        let state = row.state + String(repeating: " ", count: "unsupported".count - row.state.count)
        console.result("\(name)  \(state)  \((row.sources ?? []).joined(separator: ", "))".trimmingSpaces)
      }
    }
  }

  private func row(_ name: String, _ registry: Registry, _ location: ModelLocation?) -> Row {
    let entry = registry[name]
    // A file that is there tells best what is in it.
    let sources = (location?.members.first).flatMap { path in
      try? openCheckpoint(path).modelDescription().kwargs["sources"]?.arrayValue?.compactMap(\.stringValue)
    }
    let state =
      if location != nil {
        "here"
      } else if entry?.models != nil {
        "fetch"
      } else {
        entry?.unsupported != nil ? "unsupported" : "missing"
      }
    return Row(
      name: name, state: state,
      sources: sources ?? entry?.sources, networks: location?.members.count ?? entry?.models?.count,
      files: location?.files, summary: entry?.summary ?? entry?.unsupported,
      licence: entry.flatMap(registry.licence))
  }
}

extension String {
  /// The text without spaces at its end.
  fileprivate var trimmingSpaces: String { String(reversed().drop { $0 == " " }.reversed()) }
}
