import AudioFiles
import Evaluation
import Foundation
import Separation
import Synchronization

/// The place where a golden record is made before it takes that of the old one: a hidden folder inside that of the record.
///
/// Until `publish` the old record stays as it is. What a killed program leaves is told by its lock, which ended with it,
/// and goes with the next staging in the folder.
final class GoldenStaging: Sendable {
  /// The folder of the record.
  private let folder: String
  /// The hidden one.
  let path: String

  private struct State {
    /// Holds the lock.
    var descriptor: Int32
    /// Folders that were made for the record, each after those around it.
    var newFolders: [FilePath]
    var isOver = false
  }

  private let state: Mutex<State>

  /// Makes the folder, and those around it.
  /// - Throws: `OutputError.cannotCreateFolder`, `EvaluationError.unwritable`.
  init(in folder: String) throws {
    let newFolders = try TemporaryFiles.shared.createFolder(FilePath(folder))
    Self.sweep(folder)
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    let path = PathParts.join(folder, "\(Self.prefix)\(getpid())-\(random)\(Self.suffix)")
    guard mkdir(path, 0o777) == 0 else {
      let reason = String(cString: strerror(errno))
      TemporaryFiles.shared.remove(folders: newFolders)
      throw EvaluationError.unwritable(path: folder, reason: reason)
    }
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor >= 0 { _ = flock(descriptor, LOCK_EX | LOCK_NB) }
    (self.folder, self.path) = (folder, path)
    state = Mutex(State(descriptor: descriptor, newFolders: newFolders))
  }

  /// Makes a folder inside, and those around it.
  /// - Throws: `CancellationError` after `discard`; `EvaluationError.unwritable`.
  func makeFolder(_ name: String) throws {
    try state.withLock { state in
      if state.isOver { throw CancellationError() }
      try Self.makeFolder(PathParts.join(path, name))
    }
  }

  /// Puts what was made in the place of the record that is there. Either this or `discard` has it, never both.
  /// - Parameters:
  ///   - old: reads the record that is replaced; its stems go.
  ///   - new: is written.
  /// - Throws: `CancellationError` after `discard`; `EvaluationError.unwritable`, and the old record is as it was then.
  func publish(_ new: GoldenRecord, inPlaceOf old: () throws -> GoldenRecord?) throws {
    try state.withLock { state in
      if state.isOver { throw CancellationError() }
      try new.write(to: path)
      let old = try old()
      let leaving = old.map { [GoldenRecord.fileName] + $0.stemFiles } ?? []
      var moves: [(from: String, to: String)] = []
      func move(_ name: String, from: String, to: String) throws {
        let (from, to) = (PathParts.join(from, name), PathParts.join(to, name))
        try Self.makeFolder(PathParts.folder(to))
        do {
          try FileManager.default.moveItem(atPath: from, toPath: to)
        } catch {
          throw EvaluationError.unwritable(path: to, error: error)
        }
        moves.append((from, to))
      }
      do {
        for name in leaving where Self.isFile(PathParts.join(folder, name)) {
          try move(name, from: folder, to: PathParts.join(path, "replaced"))
        }
        for name in new.stemFiles + [GoldenRecord.fileName] { try move(name, from: path, to: folder) }
      } catch {
        for move in moves.reversed() { try? FileManager.default.moveItem(atPath: move.to, toPath: move.from) }
        Self.removeEmptyFolders(of: new, in: folder)
        throw error
      }
      if let old { Self.removeEmptyFolders(of: old, in: folder) }
      TemporaryFiles.shared.keep(folders: state.newFolders)
      state.newFolders = []
      end(&state)
    }
  }

  /// Removes what was not published, and the folders that were made for it.
  func discard() {
    state.withLock { state in
      if !state.isOver { end(&state) }
    }
  }

  private func end(_ state: inout State) {
    state.isOver = true
    // Another thread may still be writing into it.
    for _ in 0..<3 where FileManager.default.fileExists(atPath: path) {
      try? FileManager.default.removeItem(atPath: path)
    }
    if state.descriptor >= 0 { close(state.descriptor) }
    TemporaryFiles.shared.remove(folders: state.newFolders)
  }

  private static let prefix = ".demucs-golden-"
  private static let suffix = ".part"

  /// Removes what killed programs left in `folder`.
  private static func sweep(_ folder: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
      let path = PathParts.join(folder, name)
      let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(atPath: path) }
      close(descriptor)
    }
  }

  private static func makeFolder(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw EvaluationError.unwritable(path: path, error: error)
    }
  }

  /// Whether there is a file, or a link in the place of one.
  private static func isFile(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && [S_IFREG, S_IFLNK].contains(status.st_mode & S_IFMT)
  }

  /// Removes the folders of stems that are no longer there, but those that hold something else.
  private static func removeEmptyFolders(of record: GoldenRecord, in folder: String) {
    for name in Set(record.stemFiles.map(PathParts.folder)) {
      var name = name
      while !name.isEmpty, rmdir(PathParts.join(folder, name)) == 0 { name = PathParts.folder(name) }
    }
  }
}
