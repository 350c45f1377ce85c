import AudioFiles
import Glibc
import Synchronization

/// The files that are being written and are not whole yet.
///
/// Each lies beside the place where it will go, under a name that nobody takes for a stem, and gets its own name only
/// when it is whole. A program that is told to stop calls `abandon`, from any thread, and may then exit at once. What a
/// killed one leaves is told by its lock, which ended with it, and goes with the next `sweep` of the folder.
public final class TemporaryFiles: Sendable {
  /// Those of this process.
  public static let shared = TemporaryFiles()

  private struct State {
    /// The descriptor that holds the lock of each file.
    var locks: [FilePath: Int32] = [:]
    /// Folders that were made for files that have no name yet, each after those around it.
    var newFolders: [FilePath] = []
    var sweptFolders: Set<FilePath> = []
    var isAbandoned = false
  }

  private let state = Mutex(State())

  public init() {}

  /// Creates an empty file in `folder`, which exists, and locks it.
  /// - Throws: `OutputError.abandoned` after `abandon`; `notWritable`.
  package func create(in folder: FilePath) throws -> FilePath {
    while true {
      // Short whatever the stem is called: some names are as long as a file system allows.
      let random = String(UInt64.random(in: .min ... .max), radix: 36)
      let path = folder.appending(FilePath("\(Self.prefix)\(getpid())-\(random)\(Self.suffix)"))
      let isCreated = try state.withLock { state in
        guard !state.isAbandoned else { throw OutputError.abandoned }
        let descriptor = path.call { open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
        guard descriptor >= 0 else {
          if errno == EEXIST || errno == EINTR { return false }
          throw OutputError.notWritable(path: folder, reason: systemMessage(errno))
        }
        // Between creation and lock another process may have taken the file for one that was left behind.
        guard Self.lock(descriptor) != .taken, Self.hasName(descriptor) else {
          close(descriptor)
          return false
        }
        state.locks[path] = descriptor
        return true
      }
      if isCreated { return path }
    }
  }

  /// Gives whole files their names. Either this or `abandon` has a file, never both.
  /// - Throws: `OutputError.cannotPublish`, `abandoned`; the files before the one at fault are in place then.
  package func publish(_ files: [(temporary: FilePath, final: FilePath)]) throws {
    try state.withLock { state in
      for file in files {
        guard !state.isAbandoned else { throw OutputError.abandoned }
        guard file.temporary.call({ old in file.final.call { rename(old, $0) } }) == 0 else {
          throw OutputError.cannotPublish(path: file.final, reason: systemMessage(errno))
        }
        if let descriptor = state.locks.removeValue(forKey: file.temporary) { close(descriptor) }
      }
    }
  }

  /// Removes those of `paths` that were not published.
  package func discard(_ paths: [FilePath]) {
    state.withLock { state in
      for path in paths {
        guard let descriptor = state.locks.removeValue(forKey: path) else { continue }
        _ = path.call { unlink($0) }
        close(descriptor)
      }
    }
  }

  /// Makes a folder and those around it, for files that have no name yet.
  /// - Returns: those that were not there, each after those around it: for `keep` or `remove`.
  /// - Throws: `OutputError.cannotCreateFolder`, `abandoned`.
  package func createFolder(_ folder: FilePath) throws -> [FilePath] {
    try state.withLock { state in
      var missing: [FilePath] = []
      var outer = folder
      while outer != "/", outer != ".", outer.call({ access($0, F_OK) }) != 0 {
        missing.append(outer)
        outer = outer.folder
      }
      var made: [FilePath] = []
      for folder in missing.reversed() {
        guard !state.isAbandoned else { throw OutputError.abandoned }
        if folder.call({ mkdir($0, 0o777) }) == 0 {
          made.append(folder)
        } else if errno != EEXIST {
          let code = errno
          Self.remove(made)
          throw OutputError.cannotCreateFolder(path: folder, reason: systemMessage(code))
        }
      }
      state.newFolders += made
      return made
    }
  }

  /// Lets folders stay: there is something in them.
  package func keep(folders: [FilePath]) {
    let folders = Set(folders)
    state.withLock { $0.newFolders.removeAll(where: folders.contains) }
  }

  /// Removes folders, but those that something else was put into meanwhile.
  package func remove(folders: [FilePath]) {
    keep(folders: folders)
    Self.remove(folders)
  }

  private static func remove(_ folders: [FilePath]) {
    for folder in folders.reversed() { _ = folder.call { rmdir($0) } }
  }

  /// Removes every file that is not whole, and the folders made for them, and lets none be published any more.
  public func abandon() {
    state.withLock { state in
      state.isAbandoned = true
      for path in state.locks.keys { _ = path.call { unlink($0) } }
      Self.remove(state.newFolders)
    }
  }

  /// Removes what killed programs left in `folder`; looks once into each.
  ///
  /// A file whose lock can be had belongs to nobody: locks end with their process, however that ends, and hold from
  /// other machines too where the file system has them. Where it has none, nothing is removed.
  package func sweep(_ folder: FilePath) {
    guard state.withLock({ $0.sweptFolders.insert(folder).inserted }) else { return }
    guard let directory = folder.withCString({ opendir($0) }) ?? nil else { return }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      // A name of ours is ASCII.
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      guard name.hasPrefix(Self.prefix), Self.suffixes.contains(where: name.hasSuffix) else { continue }
      let path = folder.appending(FilePath(name))
      let descriptor = path.call { open($0, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
      guard descriptor >= 0 else { continue }
      var status = stat()
      if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, Self.lock(descriptor) == .held {
        _ = path.call { unlink($0) }
      }
      close(descriptor)
    }
  }

  private static let prefix = ".demucs-"
  private static let suffix = ".part"
  /// `.tmp` is what has a name for a moment where a file system knows no files without.
  private static let suffixes = [suffix, ".tmp"]

  private enum Lock { case held, taken, unknown }

  private static func lock(_ descriptor: Int32) -> Lock {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return .held }
    return errno == EWOULDBLOCK ? .taken : .unknown
  }

  private static func hasName(_ descriptor: Int32) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_nlink > 0
  }
}
