import ArgumentParser
import AudioFiles
import Foundation
import Glibc

/// Names of files that begin with a dash, as a shell's `*.wav` may hand them over: they would be taken for options, and
/// `-h.wav` for the wish to see the help.
enum DashedNames {
  /// The first argument that is such a name rather than an option.
  ///
  /// It is one if there is a file or folder of that name, or if it ends as sound does; but for what is an option to its
  /// end, or up to an equals sign.
  static func first(in arguments: [String]) -> FilePath? {
    // How shells ask for completions.
    if arguments.first?.hasPrefix("---") == true { return nil }
    return arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("-") && $0 != "-" }.lazy
      .map { FilePath(lossless: $0) }.first { (isThere($0) || looksLikeSong($0)) && !isOption($0) }
  }

  /// What is wrong with it, and the way out, as two sentences.
  static func problem(_ name: FilePath) -> String {
    "'\(name)' would be taken for options, as it begins with a dash. To name a file that begins with a dash write ./\(name), "
      + "or put -- before it and what follows."
  }

  private static func isThere(_ name: FilePath) -> Bool {
    var status = stat()
    return name.call { lstat($0, &status) } == 0
  }

  private static func looksLikeSong(_ name: FilePath) -> Bool {
    // A folder of results may be called anything: -oresults.wav.
    let mayBeValue = name.bytes.starts(with: "-o".utf8) || name.bytes.contains(UInt8(ascii: "="))
    return !mayBeValue && FolderScan.hasExtensionOfSound(name)
  }

  /// Whether it is an option of any command to its end, or up to the value behind an equals sign.
  private static func isOption(_ name: FilePath) -> Bool {
    let end = name.bytes.firstIndex(of: UInt8(ascii: "=")) ?? name.bytes.endIndex
    return options.contains(String(decoding: name.bytes[..<end], as: UTF8.self))
  }

  /// All options with their dashes.
  static let options = Set(described.flatMap(\.spelled) + ["-h", "--help", "--version"])

  /// Those that take a value.
  static let optionsWithValue = Set(described.filter { $0.kind == "option" }.flatMap(\.spelled))

  /// What every command takes.
  private static let described: [Description.Argument] = {
    let description = try? JSONDecoder().decode(Description.self, from: Data(DemucsCommand.description.utf8))
    return description?.command.all ?? []
  }()

  /// What ArgumentParser says of the program.
  private struct Description: Decodable {
    struct Command: Decodable {
      let arguments: [Argument]?
      let subcommands: [Command]?

      var all: [Argument] { (arguments ?? []) + (subcommands ?? []).flatMap(\.all) }
    }

    struct Argument: Decodable {
      struct Name: Decodable {
        let kind: String
        let name: String
      }

      /// `option`, `flag` or `positional`.
      let kind: String
      let names: [Name]?

      /// Its names with their dashes.
      var spelled: [String] { (names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name } }
    }

    let command: Command
  }
}
