import Foundation
import Synchronization

/// The files that are being written and are not whole yet.
///
/// Each lies beside the place where it will go, under a name that nobody takes for a stem, and gets its own name only
/// when it is whole. A program that is told to stop calls `abandon`, from any thread, and may then exit at once.
public final class TemporaryFiles: Sendable {
  /// Those of this process.
  public static let shared = TemporaryFiles()

  private struct State {
    var paths: Set<String> = []
    var isAbandoned = false
  }

  private let state = Mutex(State())

  public init() {}

  /// A new name in `folder`, which exists. No file is created.
  /// - Throws: `OutputError.abandoned` after `abandon`.
  func reserve(in folder: String) throws -> String {
    // Short whatever the stem is called: some names are as long as a file system allows.
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    let path = (folder == "/" ? "" : folder) + "/.demucs-\(getpid())-\(random).part"
    try state.withLock { state in
      guard !state.isAbandoned else { throw OutputError.abandoned }
      state.paths.insert(path)
    }
    return path
  }

  /// Gives whole files their names. Either this or `abandon` has a file, never both.
  /// - Throws: `OutputError.cannotPublish`, `abandoned`; the files before the one at fault are in place then.
  func publish(_ files: [(temporary: String, final: String)]) throws {
    try state.withLock { state in
      for file in files {
        guard !state.isAbandoned else { throw OutputError.abandoned }
        guard rename(file.temporary, file.final) == 0 else {
          throw OutputError.cannotPublish(path: file.final, reason: String(cString: strerror(errno)))
        }
        state.paths.remove(file.temporary)
      }
    }
  }

  /// Removes those of `paths` that were not published.
  func discard(_ paths: [String]) {
    state.withLock { state in
      for path in paths where state.paths.remove(path) != nil { unlink(path) }
    }
  }

  /// Removes every file that is not whole and lets none be published any more.
  public func abandon() {
    state.withLock { state in
      state.isAbandoned = true
      for path in state.paths { unlink(path) }
      state.paths = []
    }
  }
}
