import Foundation

/// A regular file mapped read-only into memory.
///
/// Its pages are read when they are first touched and belong to the system's cache. A page of a mapping whose
/// file was cut short in the meantime kills the process, so `withBytes` looks at the length again before each
/// use.
final class MappedFile: @unchecked Sendable {
  let path: String
  /// Length in bytes when it was mapped.
  let count: Int

  private let descriptor: Int32
  /// Nil for an empty file, which cannot be mapped.
  private let address: UnsafeMutableRawPointer?

  /// - Throws: `CheckpointError.unreadable`.
  init(path: String) throws {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw CheckpointError.unreadable(path: path, reason: systemReason()) }
    do {
      (count, address) = try MappedFile.map(descriptor, path: path)
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    if let address { munmap(address, count) }
    close(descriptor)
  }

  private static func map(_ descriptor: Int32, path: String) throws -> (Int, UnsafeMutableRawPointer?) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw CheckpointError.unreadable(path: path, reason: systemReason())
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw CheckpointError.unreadable(path: path, reason: "it is a folder")
    default: throw CheckpointError.unreadable(path: path, reason: "it is not a regular file")
    }
    let count = Int(status.st_size)
    if count == 0 { return (0, nil) }
    let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address, address != MAP_FAILED else {
      throw CheckpointError.unreadable(path: path, reason: systemReason())
    }
    return (count, address)
  }

  /// Calls `body` with the bytes in `range`, which must lie inside the file.
  /// - Throws: `CheckpointError.unreadable` where the file has been cut short since it was mapped, and what
  ///   `body` throws.
  func withBytes<Result>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    var status = stat()
    guard fstat(descriptor, &status) == 0, Int(status.st_size) >= count else {
      throw CheckpointError.unreadable(path: path, reason: "it was cut short while it was in use")
    }
    let whole = UnsafeRawBufferPointer(start: address, count: count)
    return try body(UnsafeRawBufferPointer(rebasing: whole[range]))
  }
}

/// The system's words for the error that the last call left.
func systemReason(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
