import CXattr
import Foundation

/// What has come so far of a file that is being fetched: `FILE.part`, locked as long as this lives.
///
/// It stays when the transfer is interrupted, and is what the next goes on from.
final class PartialFile {
  let path: String
  private let final: String
  private let descriptor: Int32
  /// Whether the file has its name, is gone, or was never this one's.
  private var isOver = false

  /// The server's name for the version of the file that the bytes are of, kept as an attribute of the file. Not every
  /// file system keeps it.
  private static let attribute = "user.demucs-cli.etag"

  /// Opens the file, or makes it, with its folder.
  /// - Parameter final: where the whole file will go.
  /// - Throws: `DownloadError.unwritable`, `.busy`.
  init(for final: String) throws {
    self.final = final
    path = final + ".part"
    let folder = (final as NSString).deletingLastPathComponent
    do {
      try FileManager.default.createDirectory(
        atPath: folder.isEmpty ? "." : folder, withIntermediateDirectories: true)
    } catch {
      let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
      throw DownloadError.unwritable(path: folder, reason: (cause ?? error as NSError).localizedDescription)
    }
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    guard descriptor >= 0 else {
      isOver = true
      throw DownloadError.unwritable(path: final, reason: systemReason())
    }
    var (mine, there) = (stat(), stat())
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &mine) == 0, stat(path, &there) == 0,
      mine.st_ino == there.st_ino
    else {
      // The file is another's.
      isOver = true
      throw DownloadError.busy(path: path)
    }
    guard mine.st_mode & S_IFMT == S_IFREG else {
      isOver = true
      throw DownloadError.unwritable(path: path, reason: "it is not a regular file")
    }
  }

  deinit {
    // Of nothing, nothing is left.
    if !isOver, count == 0 { unlink(path) }
    if descriptor >= 0 { close(descriptor) }
  }

  /// Bytes that have come.
  var count: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// The server's name for the version that the bytes are of; nil if it is not known.
  var validator: String? {
    var bytes = [UInt8](repeating: 0, count: 512)
    let length = fgetxattr(descriptor, PartialFile.attribute, &bytes, bytes.count)
    return length > 0 ? String(bytes: bytes[..<length], encoding: .utf8) : nil
  }

  /// Throws all bytes away and takes note of the version of those that come now.
  func restart(validator: String?) throws {
    guard ftruncate(descriptor, 0) == 0 else { throw unwritable() }
    fremovexattr(descriptor, PartialFile.attribute)
    // A weak tag does not promise equal bytes.
    guard let validator, !validator.hasPrefix("W/"), validator.utf8.count <= 512 else { return }
    let bytes = Array(validator.utf8)
    fsetxattr(descriptor, PartialFile.attribute, bytes, bytes.count, 0)
  }

  /// Adds bytes at the end.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    guard lseek(descriptor, 0, SEEK_END) >= 0 else { throw unwritable() }
    var rest = bytes[...]
    while !rest.isEmpty {
      let chunk = UnsafeRawBufferPointer(rebasing: rest)
      let written = write(descriptor, chunk.baseAddress, chunk.count)
      if written >= 0 {
        rest = rest.dropFirst(written)
      } else if errno != EINTR {
        throw unwritable()
      }
    }
  }

  /// Puts the whole file on the disk and gives it its name.
  func publish() throws {
    fremovexattr(descriptor, PartialFile.attribute)
    guard fsync(descriptor) == 0, rename(path, final) == 0 else { throw unwritable() }
    isOver = true
    let folder = open((final as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }

  /// Removes the file: nothing can go on from it.
  func remove() {
    unlink(path)
    isOver = true
  }

  private func unwritable() -> DownloadError { .unwritable(path: final, reason: systemReason()) }
}
