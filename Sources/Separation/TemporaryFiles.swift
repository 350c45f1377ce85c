import AudioFiles
import Glibc
import Synchronization

/// The files that are being written and are not whole yet.
///
/// Each lies beside the place where it will go, under a name that nobody takes for a stem, and gets its own name only
/// when it is whole. A program that is told to stop calls `abandon`, from any thread, and may then exit at once.
public final class TemporaryFiles: Sendable {
  /// Those of this process.
  public static let shared = TemporaryFiles()

  private struct State {
    var paths: Set<FilePath> = []
    var isAbandoned = false
  }

  private let state = Mutex(State())

  public init() {}

  /// A new name in `folder`, which exists. No file is created.
  /// - Throws: `OutputError.abandoned` after `abandon`.
  func reserve(in folder: FilePath) throws -> FilePath {
    // Short whatever the stem is called: some names are as long as a file system allows.
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    let path = folder.appending(FilePath(".demucs-\(getpid())-\(random).part"))
    try state.withLock { state in
      guard !state.isAbandoned else { throw OutputError.abandoned }
      state.paths.insert(path)
    }
    return path
  }

  /// Gives whole files their names. Either this or `abandon` has a file, never both.
  /// - Throws: `OutputError.cannotPublish`, `abandoned`; the files before the one at fault are in place then.
  func publish(_ files: [(temporary: FilePath, final: FilePath)]) throws {
    try state.withLock { state in
      for file in files {
        guard !state.isAbandoned else { throw OutputError.abandoned }
        guard file.temporary.call({ old in file.final.call { rename(old, $0) } }) == 0 else {
          throw OutputError.cannotPublish(path: file.final, reason: systemMessage(errno))
        }
        state.paths.remove(file.temporary)
      }
    }
  }

  /// Removes those of `paths` that were not published.
  func discard(_ paths: [FilePath]) {
    state.withLock { state in
      for path in paths where state.paths.remove(path) != nil { _ = path.call { unlink($0) } }
    }
  }

  /// Removes every file that is not whole and lets none be published any more.
  public func abandon() {
    state.withLock { state in
      state.isAbandoned = true
      for path in state.paths { _ = path.call { unlink($0) } }
      state.paths = []
    }
  }
}
