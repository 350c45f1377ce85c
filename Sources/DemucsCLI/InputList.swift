import AudioFiles
import Glibc
import Separation

/// The songs of a command line, looked at before any work is done.
struct InputList {
  /// A song to separate, or something that is none, and why.
  enum Entry {
    case song(Song)
    case failure(SongFailure)
  }

  /// Each song once, in the order given.
  private(set) var entries: [Entry] = []
  /// Songs that were given more than once.
  private var duplicates: [Song] = []
  /// What was left out, one line each.
  private var omissions: [String] = []

  /// A file under one name, however it is reached.
  private struct Identity: Hashable {
    let realPath: FilePath
    let name: FilePath
  }

  private let folders: FolderScan?
  private var seen: Set<Identity> = []
  private var realFolders: [FilePath: FilePath] = [:]

  /// - Parameter folders: how to look for songs in folders; nil refuses them.
  init(folders: FolderScan? = nil) { self.folders = folders }

  /// What to say before work begins, one line each.
  var notes: [String] {
    let shown = duplicates.prefix(InputList.shownDuplicates)
    let rest = duplicates.count - shown.count
    return omissions + shown.map { "\($0) is given more than once; it is separated once." }
      + (rest > 0 ? ["\(rest) more songs are given more than once; each is separated once."] : [])
  }

  private static let shownDuplicates = 5

  /// The songs to separate.
  var songs: [Song] {
    entries.compactMap { if case .song(let song) = $0 { song } else { nil } }
  }

  /// The argument that stands for standard input.
  static let standardInput: FilePath = "-"

  /// Adds what an argument stands for: a song, standard input, the songs of a folder, or what a pattern matches.
  mutating func add(argument path: FilePath) {
    if path == InputList.standardInput { return add(Song.standardInput) }
    var status = stat()
    guard Glob.isPattern(path), path.call({ lstat($0, &status) }) != 0 else { return add(path) }
    let matches = Glob.expand(path)
    for match in matches { add(match) }
    if matches.isEmpty {
      fail(Song(path), "nothing matches this pattern. Check it, and the folder you are in.", "input-not-found")
    }
  }

  /// Adds the names in a list; they are neither patterns nor `-`.
  mutating func add(listIn path: FilePath, isNull: Bool) {
    let list = path == InputList.standardInput ? Song.standardInput : Song(path)
    do {
      let names = try NameList.read(path, isNull: isNull)
      if names.isEmpty { omissions.append("\(list) names no song.") }
      for name in names { add(name) }
    } catch {
      fail(list, InputList.reason(error, isStandardInput: list == .standardInput), "input-cannot-be-opened")
    }
  }

  /// What is wrong with a list, as a sentence.
  private static func reason(_ error: any Error, isStandardInput: Bool) -> String {
    let way = isStandardInput ? "give - in place of --from-file -." : "leave out --from-file."
    switch error as? NameList.Fault {
    case .wideText: return "the list is in UTF-16. Save it as UTF-8."
    case .audio: return "is audio, not a list of names. To separate it, \(way)"
    case .binary: return "is no list of names, but binary data. If it is audio, \(way)"
    case .unreadable(SystemError(code: EBADF)) where isStandardInput:
      return "is closed, so there is no list in it. Write < LIST or a pipe to it, or name the list's file."
    case .unreadable(let error):
      return "the list cannot be read: \(error). Check \(isStandardInput ? "where it comes from" : "its path")."
    case nil: return "the list cannot be read: \(error)."
    }
  }

  /// Adds a file, or the songs below a folder.
  private mutating func add(_ path: FilePath) {
    if path.bytes.isEmpty {
      return fail(Song(path), "an empty name is no file; a variable of a script may not be set.", "input-not-found")
    }
    var status = stat()
    guard path.call({ stat($0, &status) }) == 0 else { return fail(Song(path), errno) }
    guard status.st_mode & S_IFMT == S_IFDIR else { return add(Song(path)) }
    guard let folders else {
      return fail(
        Song(path), "is a folder. Take the songs in it with -r, or pass \(path.appending("*.wav")) or the like.",
        "input-is-folder")
    }
    let finding = folders.scan(path)
    for file in finding.files { add(found: Song(path.appending(file), relativePath: file)) }
    for (folder, code) in finding.unreadable {
      fail(
        Song(path.appending(folder)), "the folder cannot be read: \(systemMessage(code)). Change its permissions.",
        code == EACCES ? "permission-denied" : "input-cannot-be-opened")
    }
    if let omissions = finding.omissions { self.omissions.append("\(path): left out: \(omissions).") }
    if finding.files.isEmpty, finding.unreadable.isEmpty {
      fail(
        Song(path),
        "there is no audio file in this folder or below it. Check the path; a file of another extension can be named itself.",
        "input-without-audio")
    }
  }

  private mutating func add(found song: Song) {
    var status = stat()
    if song.path.call({ stat($0, &status) }) == 0 { add(song) } else { fail(song, errno) }
  }

  private mutating func add(_ song: Song) {
    if seen.insert(identity(of: song)).inserted { entries.append(.song(song)) } else { duplicates.append(song) }
  }

  private mutating func fail(_ song: Song, _ reason: String, _ code: String) {
    entries.append(.failure(SongFailure(song: song, reason: reason, code: code)))
  }

  /// A name that the system refuses.
  private mutating func fail(_ song: Song, _ number: Int32) {
    var status = stat()
    switch number {
    case ENOENT where song.path.call { lstat($0, &status) } == 0:
      fail(song, "is a link that leads nowhere. Mend or remove it.", "input-not-found")
    case ENOENT, ENOTDIR:
      fail(song, "there is no such file. Check the path; quote it if it contains spaces.", "input-not-found")
    case EACCES: fail(song, "permission denied. Change the permissions of the folders around it.", "permission-denied")
    default: fail(song, "cannot be opened: \(systemMessage(number)). Check the path.", "input-cannot-be-opened")
    }
  }

  /// The real path; that of each folder is asked for once, as there may be thousands of songs in it.
  private mutating func identity(of song: Song) -> Identity {
    guard song.source == .file else { return Identity(realPath: "", name: "") }
    var status = stat()
    if song.path.call({ lstat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFLNK {
      return Identity(realPath: InputList.realPath(song.path), name: song.name)
    }
    let folder = song.path.folder
    let real = realFolders[folder] ?? InputList.realPath(folder)
    realFolders[folder] = real
    return Identity(realPath: real.appending(song.name), name: song.name)
  }

  private static func realPath(_ path: FilePath) -> FilePath {
    guard let real = path.withCString({ realpath($0, nil) }) ?? nil else { return path }
    defer { free(real) }
    return FilePath(cString: real)
  }
}

/// A song that was not separated.
struct SongFailure: Error, Equatable {
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
  var line: String { reason.hasPrefix("\(name): ") ? reason : "\(name): \(reason)" }

  /// What the song is called in messages.
  var name: String { song.path.bytes.isEmpty ? "''" : song.description }
}
