import AudioFiles
import Glibc
import ModelStore

/// What a file is told by: cheap where nothing touched it, and sure where it was copied.
struct FileFingerprint: Codable, Equatable, Sendable {
  /// Length in bytes.
  let size: Int
  /// Nanoseconds from 1970 to its last change.
  let modified: Int
  /// SHA-256 of its bytes, in hexadecimal digits.
  let sha256: String

  /// What the system says of a regular file.
  struct Stamp: Equatable, Sendable {
    let size: Int
    let modified: Int
    let inode: UInt
    private let device: UInt

    /// nil if there is no regular file of that name.
    init?(of path: FilePath) {
      var status = stat()
      guard path.call({ stat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
      size = Int(status.st_size)
      modified = Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec)
      (device, inode) = (UInt(status.st_dev), UInt(status.st_ino))
    }
  }

  /// Reads a regular file.
  /// - Parameters:
  ///   - stamp: what the file has to be still; nil for whatever it is now.
  ///   - check: is asked now and then whether to go on; what it throws ends the reading.
  /// - Returns: nil if the file cannot be read, is another, or changes meanwhile.
  /// - Throws: what `check` throws.
  init?(of path: FilePath, still stamp: Stamp? = nil, check: () throws -> Void) throws {
    guard let before = Stamp(of: path), stamp ?? before == before else { return nil }
    let descriptor = path.call { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard let checksum = try Checksum.sha256(of: descriptor, check: check), Stamp(of: path) == before else {
      return nil
    }
    (size, modified, sha256) = (before.size, before.modified, checksum)
  }

  /// Whether a file is still the one that was read. Of one whose time differs, as a copy's does, the checksum decides.
  /// - Parameter inode: what else the file has to have to be believed without its checksum.
  func fits(_ path: FilePath, inode: UInt? = nil, check: () throws -> Void) throws -> Bool {
    guard let stamp = Stamp(of: path), stamp.size == size else { return false }
    if stamp.modified == modified, inode ?? stamp.inode == stamp.inode { return true }
    return try FileFingerprint(of: path, check: check)?.sha256 == sha256
  }
}
