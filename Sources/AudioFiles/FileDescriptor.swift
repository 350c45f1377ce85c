import Glibc

/// An open regular file. Closed with the last reference.
///
/// Files are opened here and not by libsndfile, whose "System error" does not tell a missing file from a folder.
final class FileDescriptor {
  let path: FilePath
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
    var status = stat()
    guard fstat(file.number, &status) == 0 else { throw openError(path, errno) }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: throw AudioFileError.isDirectory(path)
    case S_IFREG: break
    default: throw AudioFileError.notRegularFile(path)
    }
    guard status.st_size > 0 else { throw AudioFileError.emptyFile(path) }
    return file
  }

  /// Creates a file, or empties the one that is there.
  static func create(_ path: FilePath) throws -> FileDescriptor {
    try open(path, flags: O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC)
  }

  private static func open(_ path: FilePath, flags: Int32) throws -> FileDescriptor {
    let number = path.withCString { name in retrying { Glibc.open(name, flags, 0o666) } }
    guard let number else { throw AudioFileError.cannotOpen(path, reason: "the name holds a zero byte") }
    guard number >= 0 else { throw openError(path, errno) }
    return FileDescriptor(path: path, number: number)
  }

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

  /// Writes all bytes at `offset`. Returns 0, or the error number of the system.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int32 {
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
func systemMessage(_ code: Int32) -> String {
  strerror(code).map { String(cString: $0) } ?? "error \(code)"
}

/// Calls again what a signal interrupted.
private func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
