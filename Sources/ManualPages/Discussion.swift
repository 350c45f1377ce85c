/// The long text of a command's help, taken apart: paragraphs, examples and lists, in sections.
///
/// The texts are written for `--help`. What they are made of is told by their looks:
/// - an empty line ends a paragraph;
/// - indented lines stay as they are, an example; if each has a term and, two or more spaces on, its explanation, they
///   are a list;
/// - a paragraph that begins with one of ``sectionTitles`` and a colon begins a section of the manual page.
struct Discussion: Equatable {
  enum Block: Equatable {
    case paragraph(String)
    case example([String])
    case list([Item])
  }

  struct Item: Equatable {
    let term: String
    var explanation: String
  }

  /// The sections that manual pages have by custom, in their order.
  static let sectionTitles = ["Exit status", "Environment", "Files", "Examples"]

  /// What stands before any section.
  private(set) var description: [Block] = []
  /// By title.
  private(set) var sections: [String: [Block]] = [:]

  init(_ text: String) {
    var section: String?
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)[...]
    while let first = lines.first {
      if Self.isBlank(first) {
        lines.removeFirst()
        continue
      }
      let isIndented = first.hasPrefix(" ")
      let chunk = lines.prefix { !Self.isBlank($0) && $0.hasPrefix(" ") == isIndented }
      lines = lines.dropFirst(chunk.count)
      guard !isIndented else {
        append(Self.indented(Array(chunk)), to: section)
        continue
      }
      var paragraph = chunk.joined(separator: " ")
      if let title = Self.sectionTitles.first(where: { paragraph.hasPrefix($0 + ":") }) {
        section = title
        paragraph = String(paragraph.dropFirst(title.count + 1).drop { $0 == " " })
      }
      if !paragraph.isEmpty { append(.paragraph(paragraph), to: section) }
    }
  }

  private mutating func append(_ block: Block, to section: String?) {
    if let section { sections[section, default: []].append(block) } else { description.append(block) }
  }

  private static func isBlank(_ line: String) -> Bool { line.allSatisfy { $0 == " " } }

  private static func indentation(_ line: String) -> Int { line.prefix { $0 == " " }.count }

  private static func indented(_ lines: [String]) -> Block {
    let margin = lines.map(indentation).min() ?? 0
    let lines = lines.map { String($0.dropFirst(margin)) }
    return list(lines).map(Block.list) ?? .example(lines)
  }

  /// Nil if a line is neither a term with its explanation nor goes on with one.
  private static func list(_ lines: [String]) -> [Item]? {
    var items: [Item] = []
    for line in lines {
      if line.hasPrefix("  "), !items.isEmpty {
        items[items.count - 1].explanation += " " + line.drop { $0 == " " }
      } else if let match = line.wholeMatch(of: /(\S+(?: \S+)*) {2,}(\S.*)/) {
        items.append(Item(term: String(match.1), explanation: String(match.2)))
      } else {
        return nil
      }
    }
    return items
  }
}
