/// A page for man(1), made of what a command says of itself, so that it is as true as `--help`.
public struct ManualPage: Sendable, Equatable {
  /// `demucs-cli-models-list` for `demucs-cli models list`.
  public let name: String
  /// In roff, with the macros of man(7).
  public let text: String

  /// Pages of commands belong to section 1 of the manual.
  public var fileName: String { "\(name).1" }

  /// The pages of a program: one for itself, one for each subcommand that its help shows.
  /// - Parameters:
  ///   - dump: what the program prints for `--experimental-dump-help`.
  ///   - version: of the program.
  ///   - date: of the program, in words for the foot of the page; empty for none.
  /// - Throws: ``ManualPageError`` if `dump` is of another kind.
  public static func all(dump: String, version: String, date: String = "") throws -> [ManualPage] {
    let program = try ProgramDescription(dump: dump).command
    return pages(of: [program], source: "\(program.commandName) \(version)", date: date)
  }

  /// - Parameter path: the command, after those that it is a subcommand of.
  private static func pages(of path: [CommandDescription], source: String, date: String) -> [ManualPage] {
    let page = ManualPage(name: pageName(path), text: PageWriter(path: path, source: source, date: date).text)
    let subcommands = path.last?.documentedSubcommands ?? []
    return [page] + subcommands.flatMap { pages(of: path + [$0], source: source, date: date) }
  }

  static func pageName(_ path: [CommandDescription]) -> String {
    path.map(\.commandName).joined(separator: "-")
  }
}
