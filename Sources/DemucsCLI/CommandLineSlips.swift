import ArgumentParser
import AudioFiles

/// What goes wrong in a command line before its options can be read: each would be taken for something else.
enum CommandLineSlips {
  /// The first that is found, as a sentence with the way out; nil if there is none.
  static func problem(in arguments: [String]) -> String? {
    // How shells ask for completions.
    if arguments.first?.hasPrefix("---") == true { return nil }
    return emptyValue(in: arguments) ?? unknownSubcommand(in: arguments) ?? singleDash(in: arguments)
  }

  /// An empty name of a file or folder would mean the current folder, or the file system's root.
  private static func emptyValue(in arguments: [String]) -> String? {
    for (place, argument) in arguments.enumerated() {
      var option = argument.hasSuffix("=") ? String(argument.dropLast()) : ""
      if argument.isEmpty, place > 0 { option = arguments[place - 1] }
      if !option.isEmpty, DashedNames.optionsWithValue.contains(option) { return "The value of \(option)" + unset }
      // Of many songs, one without a name does not stop the rest.
      if argument.isEmpty, arguments.first != "separate" { return "An argument" + unset }
    }
    return nil
  }

  private static let unset = " is empty; a variable of a script may not be set."

  /// ArgumentParser finds fault with the words behind it, too, and knows no file.
  private static func unknownSubcommand(in arguments: [String]) -> String? {
    var command: any ParsableCommand.Type = DemucsCommand.self
    for (depth, argument) in arguments.enumerated() {
      let subcommands = command.configuration.subcommands
      if subcommands.isEmpty || argument.hasPrefix("-") || depth == 0 && argument == "help" { return nil }
      if let next = subcommands.first(where: { $0.configuration.commandName == argument }) {
        command = next
        continue
      }
      let names = subcommands.map { $0.configuration }.filter(\.shouldDisplay).compactMap(\.commandName)
      let name = FilePath(lossless: argument)
      if depth == 0, FolderScan.hasExtensionOfSound(name) {
        return "'\(name)' is no subcommand. To separate it: demucs-cli separate \(name)"
      }
      let meant = names.map { ($0, distance(argument, $0)) }.filter { $0.1 <= 2 }.min { $0.1 < $1.1 }?.0
      return "There is no subcommand '\(name)'; "
        + (meant.map { "did you mean \($0)?" } ?? "there are \(names.joined(separator: ", ")).")
    }
    return nil
  }

  /// `-shifts 4` would be `-s` with a value, and what has an `h` in it the wish to see the help.
  private static func singleDash(in arguments: [String]) -> String? {
    for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("-") && !argument.hasPrefix("--") {
      let name = "-" + argument.prefix { $0 != "=" }
      if argument.utf8.count > 2, DashedNames.options.contains(name), !DashedNames.options.contains(argument) {
        return "'\(argument)' has one dash; write \(name)."
      }
    }
    return nil
  }

  /// Letters to put in, take out or change between two words.
  private static func distance(_ first: String, _ second: String) -> Int {
    let second = Array(second)
    var row = Array(0...second.count)
    for (index, letter) in first.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in second.indices {
        let kept = diagonal + (letter == second[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(kept, diagonal + 1, row[column] + 1)
      }
    }
    return row[second.count]
  }
}
