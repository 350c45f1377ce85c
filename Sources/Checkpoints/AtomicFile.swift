import Foundation

/// Writes a file so that its final name only ever holds a whole one: a temporary file in the same folder,
/// flushed to the disk, then renamed.
enum AtomicFile {
  /// - Throws: `CheckpointError.unwritable`; the temporary file is gone then.
  static func write(to path: String, _ bytes: UnsafeRawBufferPointer) throws {
    let temporary = "\(path).\(getpid())-\(UInt32.random(in: 0...UInt32.max)).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw CheckpointError.unwritable(path: path, reason: systemReason()) }
    var failure = writeAll(bytes, to: descriptor)
    if failure == 0, fsync(descriptor) != 0 { failure = errno }
    if close(descriptor) != 0, failure == 0 { failure = errno }
    if failure == 0, rename(temporary, path) != 0 { failure = errno }
    guard failure == 0 else {
      unlink(temporary)
      throw CheckpointError.unwritable(path: path, reason: systemReason(failure))
    }
  }

  /// - Returns: 0, or the `errno` of the write that failed.
  private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
      let chunk = UnsafeRawBufferPointer(rebasing: rest)
      let written = Foundation.write(descriptor, chunk.baseAddress, chunk.count)
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }
}
