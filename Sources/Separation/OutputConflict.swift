import AudioFiles

/// A stem or record that would take the place of another song of the same command, which would be lost.
///
/// All names of a file count, hard links and symbolic ones. A song in the place of its own stem is left to
/// `StemWriter.plan`, as the others can be separated.
public struct ReplacedInput: Equatable, Sendable, CustomStringConvertible {
  /// Where the stem would go, or the record of the song.
  public let output: FilePath
  /// The song that it is of.
  public let song: Song
  /// The song that lies there.
  public let input: Song
  /// Whether it is the song's record, which lies beside its first stem, rather than a stem.
  var isRecord = false

  public var description: String {
    "\(song) would write its \(isRecord ? "record" : "stem") \(output) over another song of the list, \(input). "
      + "Choose another --out or --filename, or leave that song out."
  }
}

/// A file that a command needs beside its songs, and that no stem may take the place of.
public struct NeededFile: Equatable, Sendable {
  let identity: FileIdentity
  /// What messages call it, such as "the list of songs, names.txt".
  public let name: String

  /// nil if nothing is there.
  /// - Parameter role: what the file is to the command.
  public init?(_ path: FilePath, role: String) {
    guard let identity = FileIdentity(path) else { return nil }
    (self.identity, name) = (identity, "\(role), \(path)")
  }

  /// An open file; nil for a terminal, a pipe or another thing without a place.
  public init?(descriptor: Int32, name: String) {
    guard let identity = FileIdentity(descriptor: descriptor) else { return nil }
    (self.identity, self.name) = (identity, name)
  }
}

/// A stem or record that would take the place of a file that the command needs.
public struct ReplacedFile: Equatable, Sendable, CustomStringConvertible {
  /// Where the stem would go, or the record of the song.
  public let output: FilePath
  /// The song that it is of.
  public let song: Song
  /// What lies there.
  public let file: NeededFile
  /// Whether it is the song's record, which lies beside its first stem, rather than a stem.
  var isRecord = false

  public var description: String {
    "\(song) would write its \(isRecord ? "record" : "stem") \(output) over \(file.name). Choose another --out or --filename."
  }
}

/// What songs of one command would destroy.
public enum OutputConflict: Equatable, Sendable, CustomStringConvertible {
  case collision(OutputCollision)
  case replacedInput(ReplacedInput)
  case replacedFile(ReplacedFile)

  public var description: String {
    switch self {
    case .collision(let collision): collision.description
    case .replacedInput(let replaced): replaced.description
    case .replacedFile(let replaced): replaced.description
    }
  }
}
