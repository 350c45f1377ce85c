import Glibc

/// An open file. Closed with the last reference.
///
/// Files are opened here and not by libsndfile, whose "System error" does not tell a missing file from a folder.
package final class FileDescriptor {
  package let path: FilePath
  let number: Int32

  private init(path: FilePath, number: Int32) {
    self.path = path
    self.number = number
  }

  deinit {
    close(number)
  }

  /// Opens an existing regular file that is not empty.
  static func open(reading path: FilePath) throws -> FileDescriptor {
    // O_NONBLOCK: opening a named pipe must not wait for its writer.
    let file = try open(path, flags: O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    switch file.kind {
    case S_IFDIR: throw AudioFileError.isDirectory(path)
    case S_IFREG: break
    default: throw AudioFileError.notRegularFile(path)
    }
    guard file.size > 0 else { throw AudioFileError.emptyFile(path) }
    return file
  }

  /// Creates a file, or empties the one that is there.
  static func create(_ path: FilePath) throws -> FileDescriptor {
    try open(path, flags: O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC)
  }

  private static func open(_ path: FilePath, flags: Int32) throws -> FileDescriptor {
    let number = path.withCString { name in retrying { Glibc.open(name, flags, 0o666) } }
    guard let number else { throw AudioFileError.cannotOpen(path, reason: "the name holds a zero byte") }
    guard number >= 0 else { throw openError(path, errno) }
    return FileDescriptor(path: path, number: number)
  }

  /// Opens a pipe to read from; waits until somebody writes to it.
  static func open(pipe path: FilePath) throws -> FileDescriptor {
    try open(path, flags: O_RDONLY | O_CLOEXEC)
  }

  /// A second descriptor of a file that is open, under the name `path`.
  static func duplicate(_ number: Int32, path: FilePath) throws -> FileDescriptor {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw openError(path, errno) }
    return FileDescriptor(path: path, number: copy)
  }

  /// Creates an empty file to read and write that has no name: it goes away when it is closed, however the process ends.
  /// - Parameters:
  ///   - folder: an existing folder.
  ///   - path: what the file is called in messages; nil for the folder's path.
  /// - Throws: `AudioFileError`, with the folder for a name.
  package static func unnamed(in folder: FilePath, path: FilePath? = nil) throws -> FileDescriptor {
    // O_TMPFILE, a macro that Swift does not see. Not every file system knows files that never had a name.
    let unnamed = folder.withCString { name in
      retrying { Glibc.open(name, 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600) }
    }
    if let unnamed, unnamed >= 0 { return FileDescriptor(path: path ?? folder, number: unnamed) }
    let name = ".demucs-\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp"
    let place = FilePath(bytes: folder.bytes + Array("/\(name)".utf8))
    let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC
    let number = place.withCString { name in
      let number = retrying { Glibc.open(name, flags, 0o600) }
      if number >= 0 { unlink(name) }
      return number
    }
    guard let number else { throw AudioFileError.cannotOpen(folder, reason: "the name holds a zero byte") }
    guard number >= 0 else { throw openError(folder, errno) }
    return FileDescriptor(path: path ?? folder, number: number)
  }

  /// What kind of file is open: `S_IFREG`, `S_IFIFO` and so on.
  var kind: mode_t {
    var status = stat()
    return fstat(number, &status) == 0 ? status.st_mode & S_IFMT : 0
  }

  /// What changes when somebody writes to the file.
  struct Stamp: Equatable {
    let size: Int
    let seconds: Int
    let nanoseconds: Int
  }

  /// Length and time of the last change.
  var stamp: Stamp {
    var status = stat()
    guard fstat(number, &status) == 0 else { return Stamp(size: 0, seconds: 0, nanoseconds: 0) }
    return Stamp(size: Int(status.st_size), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
  }

  /// Makes the next plain `read` begin at the start of the file.
  func rewind() { lseek(number, 0, SEEK_SET) }

  /// Length in bytes.
  var size: Int {
    var status = stat()
    return fstat(number, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Up to `count` bytes at `offset`; fewer at the end of the file or when reading fails.
  func bytes(at offset: Int, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      initializedCount = max(0, retrying { pread(number, buffer.baseAddress, count, offset) })
    }
  }

  /// Fills `target` with the bytes at `offset`. Returns 0, or the error number of the system.
  package func read(into target: UnsafeMutableRawBufferPointer, at offset: Int) -> Int32 {
    var done = 0
    while done < target.count {
      let count = retrying {
        pread(number, target.baseAddress.map { $0 + done }, target.count - done, offset + done)
      }
      guard count > 0 else { return count == 0 ? EIO : errno }
      done += count
    }
    return 0
  }

  /// Reads the next bytes of a pipe, fewer than `target` takes where fewer are there, 0 at the end.
  /// Returns -1 and leaves the error number of the system in `errno` if that fails.
  func readNext(into target: UnsafeMutableRawBufferPointer) -> Int {
    retrying { Glibc.read(number, target.baseAddress, target.count) }
  }

  /// Writes all bytes at `offset`. Returns 0, or the error number of the system.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int32 {
    var done = 0
    while done < bytes.count {
      let written = retrying {
        pwrite(number, bytes.baseAddress.map { $0 + done }, bytes.count - done, offset + done)
      }
      guard written > 0 else { return written == 0 ? ENOSPC : errno }
      done += written
    }
    return 0
  }

  /// Puts what was written on the disk. Returns 0, or the error number of the system.
  func synchronize() -> Int32 {
    guard retrying({ fsync(number) }) != 0 else { return 0 }
    // Not every file system can; none of these means lost data.
    return [EINVAL, ENOSYS, EROFS, ENOTSUP].contains(errno) ? 0 : errno
  }

  private static func openError(_ path: FilePath, _ code: Int32) -> AudioFileError {
    switch code {
    case ENOENT, ENOTDIR: .notFound(path)
    case EACCES, EPERM: .permissionDenied(path)
    case EISDIR: .isDirectory(path)
    case ENXIO: .notRegularFile(path)
    default: .cannotOpen(path, reason: systemMessage(code))
    }
  }
}

/// The system's words for an error number.
package func systemMessage(_ code: Int32) -> String {
  strerror(code).map { String(cString: $0) } ?? "error \(code)"
}

/// Calls again what a signal interrupted.
private func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
