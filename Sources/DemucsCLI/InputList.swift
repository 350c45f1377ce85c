import AudioFiles
import Glibc
import Separation

/// The songs of a command line, looked at before any work is done.
struct InputList {
  /// A song to separate, or an argument that is none, and why.
  enum Entry {
    case song(Song)
    case failure(SongFailure)
  }

  /// Each song once, in the order given.
  private(set) var entries: [Entry] = []
  /// Songs that were given more than once.
  private(set) var duplicates: [Song] = []

  /// A file under one name, however it is reached.
  private struct Identity: Hashable {
    let realPath: [UInt8]
    let name: FilePath
  }

  private var seen: Set<Identity> = []

  /// Sorts the arguments.
  init(_ arguments: [FilePath]) {
    for path in arguments { add(path) }
  }

  /// The songs to separate.
  var songs: [Song] {
    entries.compactMap { if case .song(let song) = $0 { song } else { nil } }
  }

  /// The argument that stands for standard input.
  static let standardInput: FilePath = "-"

  private mutating func add(_ path: FilePath) {
    let song = path == InputList.standardInput ? Song.standardInput : Song(path)
    if song.source == .file, let reason = InputList.problem(with: path) {
      entries.append(.failure(SongFailure(song: song, reason: reason.text, code: reason.code)))
    } else if seen.insert(InputList.identity(of: song)).inserted {
      entries.append(.song(song))
    } else {
      duplicates.append(song)
    }
  }

  private static func identity(of song: Song) -> Identity {
    guard song.source == .file else { return Identity(realPath: [], name: InputList.standardInput) }
    let real = song.path.withCString { realpath($0, nil) } ?? nil
    defer { free(real) }
    let bytes = real.map { UnsafeBufferPointer(start: $0, count: strlen($0)).map(UInt8.init(bitPattern:)) }
    return Identity(realPath: bytes ?? song.path.bytes, name: song.name)
  }

  private static func problem(with path: FilePath) -> (text: String, code: String)? {
    if path.bytes.isEmpty { return ("the name is empty; a variable of a script may not be set.", "input-not-found") }
    var status = stat()
    guard path.call({ stat($0, &status) }) == 0 else {
      return ("there is no such file. Check the path; quote it if it contains spaces.", "input-not-found")
    }
    return status.st_mode & S_IFMT == S_IFDIR
      ? ("is a folder. Pass the files in it, for example \(path)/*.wav", "input-is-folder") : nil
  }
}

/// A song that was not separated.
struct SongFailure: Equatable {
  let song: Song
  let reason: String
  /// Stays the same where the words change: docs/json.md.
  let code: String

  init(song: Song, reason: String, code: String) {
    (self.song, self.reason, self.code) = (song, reason, code)
  }

  /// An error's own words; most of them name the file already.
  init(song: Song, error: any Error) {
    self.init(song: song, reason: "\(error)", code: errorCode(of: error))
  }

  /// One line that names the file once.
  var line: String { reason.hasPrefix("\(song): ") ? reason : "\(song): \(reason)" }
}
