import Foundation

/// A command with its arguments and subcommands, as `--experimental-dump-help` of ArgumentParser describes it; of that
/// what a manual page needs.
struct CommandDescription: Decodable {
  let commandName: String
  let aliases: [String]?
  let abstract: String?
  let discussion: String?
  let defaultSubcommand: String?
  /// Nil counts as true.
  let shouldDisplay: Bool?
  let subcommands: [CommandDescription]?
  let arguments: [ArgumentDescription]?

  /// The subcommands that have pages. ArgumentParser's own `help` only prints those of others.
  var documentedSubcommands: [CommandDescription] {
    visibleSubcommands.filter { $0.commandName != "help" }
  }

  var visibleSubcommands: [CommandDescription] { (subcommands ?? []).filter { $0.shouldDisplay ?? true } }

  var visibleArguments: [ArgumentDescription] { (arguments ?? []).filter(\.shouldDisplay) }
}

/// An argument, an option with a value or a flag.
struct ArgumentDescription: Decodable {
  enum Kind: String, Decodable {
    case positional, option, flag
  }

  struct Name: Decodable {
    enum Kind: String, Decodable {
      case long, short, longWithSingleDash
    }

    let kind: Kind
    let name: String

    /// As it is typed: `--out`, `-o`.
    var text: String { (kind == .long ? "--" : "-") + name }
  }

  let kind: Kind
  let shouldDisplay: Bool
  let sectionTitle: String?
  let isOptional: Bool
  let isRepeating: Bool
  let names: [Name]?
  let preferredName: Name?
  let valueName: String?
  let defaultValue: String?
  let allValues: [String]?
  let allValueDescriptions: [String: String]?
  let abstract: String?
  let discussion: String?

  /// Short names first.
  var spellings: [String] {
    let names = names ?? []
    return (names.filter { $0.kind == .short } + names.filter { $0.kind != .short }).map(\.text)
  }
}

/// A whole program.
struct ProgramDescription: Decodable {
  /// The only layout of the description that there is so far.
  static let knownVersion = 0

  let command: CommandDescription

  /// - Throws: ``ManualPageError`` if `dump` is not what ArgumentParser writes.
  init(dump: String) throws {
    struct Header: Decodable { let serializationVersion: Int }

    let data = Data(dump.utf8)
    do {
      let version = try JSONDecoder().decode(Header.self, from: data).serializationVersion
      guard version == Self.knownVersion else { throw ManualPageError.unknownVersion(version) }
      self = try JSONDecoder().decode(Self.self, from: data)
    } catch let error as DecodingError {
      throw ManualPageError.unreadable("\(error)")
    }
  }
}

/// Why there are no manual pages.
public enum ManualPageError: Error, Equatable, CustomStringConvertible {
  case unreadable(String)
  case unknownVersion(Int)

  public var description: String {
    switch self {
    case .unreadable(let reason): "The description of the commands cannot be read: \(reason)"
    case .unknownVersion(let version):
      "The description of the commands has version \(version); ManualPages knows \(ProgramDescription.knownVersion) alone, "
        + "and has to learn what ArgumentParser writes now."
    }
  }
}
