import Foundation

/// A file that is being written under a temporary name in the folder of its final one, which only ever holds a whole
/// file: it is flushed to the disk, then renamed.
struct AtomicFile {
  private let path: String
  private let descriptor: Int32

  /// Writes a file piece by piece.
  /// - Parameter body: writes the content; where it throws, there is no file.
  /// - Throws: `CheckpointError.unwritable`, and what `body` throws; the temporary file is gone then.
  static func write(to path: String, _ body: (AtomicFile) throws -> Void) throws {
    let temporary = "\(path).\(getpid())-\(UInt32.random(in: 0...UInt32.max)).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw CheckpointError.unwritable(path: path, reason: systemReason()) }
    do {
      try body(AtomicFile(path: path, descriptor: descriptor))
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
    var failure: Int32 = fsync(descriptor) == 0 ? 0 : errno
    if close(descriptor) != 0, failure == 0 { failure = errno }
    if failure == 0, rename(temporary, path) != 0 { failure = errno }
    guard failure == 0 else {
      unlink(temporary)
      throw CheckpointError.unwritable(path: path, reason: systemReason(failure))
    }
  }

  /// Writes a whole file.
  /// - Throws: `CheckpointError.unwritable`; the temporary file is gone then.
  static func write(to path: String, _ bytes: UnsafeRawBufferPointer) throws {
    try write(to: path) { try $0.write(bytes) }
  }

  /// Adds to the end.
  /// - Throws: `CheckpointError.unwritable`.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let chunk = UnsafeRawBufferPointer(rebasing: rest)
      let written = Foundation.write(descriptor, chunk.baseAddress, chunk.count)
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno != EINTR {
        throw CheckpointError.unwritable(path: path, reason: systemReason())
      }
    }
  }
}
