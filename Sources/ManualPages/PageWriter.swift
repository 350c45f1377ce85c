/// Writes the page of one command.
struct PageWriter {
  /// The command, after those that it is a subcommand of; never empty.
  let path: [CommandDescription]
  /// Program and version, for the foot of the page.
  let source: String
  let date: String

  private var command: CommandDescription { path[path.count - 1] }
  private var invocation: String { path.map(\.commandName).joined(separator: " ") }

  var text: String {
    let discussion = Discussion(command.discussion ?? "")
    let title = ManualPage.pageName(path).uppercased()
    var lines = [
      ".\\\" Written by \(source) from its own help. Do not edit.",
      ".TH \(Roff.quoted(title)) 1 \(Roff.quoted(date)) \(Roff.quoted(source)) \"User Commands\"",
    ]
    lines += [Roff.section("Name"), nameLine]
    lines += [Roff.section("Synopsis"), synopsis]
    lines += section("Description", command.abstract.map { [$0] } ?? [], discussion.description)
    lines += arguments
    lines += options
    lines += subcommands
    for title in Discussion.sectionTitles {
      lines += section(title, [], discussion.sections[title] ?? [])
    }
    lines += seeAlso
    return lines.joined(separator: "\n") + "\n"
  }

  /// By custom the abstract has no full stop here.
  private var nameLine: String {
    let names = [ManualPage.pageName(path)] + (command.aliases ?? [])
    let abstract = (command.abstract ?? "").trimmingSuffix(".")
    return Roff.text(names.joined(separator: ", ")) + " \\- " + Roff.text(abstract)
  }

  private var synopsis: String {
    var words = [Roff.bold(invocation)]
    let options = command.visibleArguments.filter { $0.kind != .positional }
    if options.contains(where: \.isOptional) { words.append("[\(Roff.italic("option"))]...") }
    words += options.filter { !$0.isOptional }.map(synopsis)
    words += command.visibleArguments.filter { $0.kind == .positional }.map(synopsis)
    if !command.visibleSubcommands.isEmpty {
      let subcommand = Roff.italic("subcommand")
      words.append(command.defaultSubcommand == nil ? subcommand : "[\(subcommand)]")
    }
    return words.joined(separator: " ")
  }

  private func synopsis(_ argument: ArgumentDescription) -> String {
    let name = argument.preferredName.map { Roff.bold($0.text) }
    let value = argument.kind == .flag ? nil : Roff.italic(argument.valueName ?? "value")
    let words = [name, value].compactMap(\.self).joined(separator: " ") + (argument.isRepeating ? "..." : "")
    return argument.isOptional ? "[\(words)]" : words
  }

  private var arguments: [String] {
    let positionals = command.visibleArguments.filter { $0.kind == .positional }
    return positionals.isEmpty ? [] : [Roff.section("Arguments")] + positionals.flatMap(entry)
  }

  /// First those that are in no section, but for `--help` and the like, which every command has and which end the list.
  private var options: [String] {
    let options = command.visibleArguments.filter { $0.kind != .positional }
    guard !options.isEmpty else { return [] }
    var titles: [String] = []
    for title in options.compactMap(\.sectionTitle) where !titles.contains(title) { titles.append(title) }
    var lines = [Roff.section("Options")]
    for title in titles {
      lines.append(Roff.subsection(title))
      lines += options.filter { $0.sectionTitle == title }.flatMap(entry)
    }
    let others = options.filter { $0.sectionTitle == nil }
    if !titles.isEmpty, !others.isEmpty { lines.append(Roff.subsection("Other options")) }
    return lines + others.flatMap(entry)
  }

  private func entry(_ argument: ArgumentDescription) -> [String] {
    let value = argument.kind == .flag ? nil : Roff.italic(argument.valueName ?? "value")
    let names = argument.spellings.map { Roff.bold($0) }.joined(separator: ", ")
    var head = argument.kind == .positional ? (value ?? "") : [names, value].compactMap(\.self).joined(separator: " ")
    if argument.isRepeating { head += "..." }
    let facts = [
      argument.allValues.map { "values: " + $0.joined(separator: ", ") },
      argument.defaultValue.map { "default: " + $0 },
    ].compactMap(\.self)
    let body = [argument.abstract, facts.isEmpty ? nil : "(\(facts.joined(separator: "; ")))"].compactMap(\.self)
    var lines = [".TP", head] + (body.isEmpty ? [] : [Roff.text(body.joined(separator: " "))])
    let described = (argument.allValues ?? []).compactMap { value in
      argument.allValueDescriptions?[value].map { Discussion.Item(term: value, explanation: $0) }
    }
    let more = Discussion(argument.discussion ?? "").description + (described.isEmpty ? [] : [.list(described)])
    if !more.isEmpty { lines += [".RS"] + more.flatMap(block) + [".RE"] }
    return lines
  }

  private var subcommands: [String] {
    let commands = command.visibleSubcommands
    guard !commands.isEmpty else { return [] }
    return [Roff.section("Subcommands")]
      + commands.flatMap { [".TP", Roff.bold($0.commandName)] + ($0.abstract.map { [Roff.text($0)] } ?? []) }
  }

  /// Those above it, those beside it and those below it.
  private var seeAlso: [String] {
    var paths = path.indices.dropLast().map { Array(path[...$0]) }
    if path.count > 1 {
      let siblings = path[path.count - 2].documentedSubcommands.filter { $0.commandName != command.commandName }
      paths += siblings.map { path.dropLast() + [$0] }
    }
    paths += command.documentedSubcommands.map { path + [$0] }
    guard !paths.isEmpty else { return [] }
    return [
      Roff.section("See also"), paths.map { Roff.bold(ManualPage.pageName($0)) + "(1)" }.joined(separator: ",\n"),
    ]
  }

  private func section(_ title: String, _ paragraphs: [String], _ blocks: [Discussion.Block]) -> [String] {
    let blocks = paragraphs.map(Discussion.Block.paragraph) + blocks
    return blocks.isEmpty ? [] : [Roff.section(title)] + blocks.flatMap(block)
  }

  private func block(_ block: Discussion.Block) -> [String] {
    switch block {
    case .paragraph(let text): [".PP", Roff.text(text)]
    case .example(let lines): [".PP", ".RS 4", ".nf"] + lines.map { Roff.text($0) } + [".fi", ".RE"]
    case .list(let items): items.flatMap { [".TP", Roff.bold($0.term), Roff.text($0.explanation)] }
    }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}
