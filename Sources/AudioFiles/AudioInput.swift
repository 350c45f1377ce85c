import Glibc

/// An audio file that is held open, so that it can be read more than once and stay the same file.
///
/// Its name may be removed or given to another file meanwhile. What comes out of a pipe is copied to a temporary file
/// first, as it can be read only once.
public final class AudioInput {
  /// What messages call it.
  public let path: FilePath
  let descriptor: FileDescriptor
  /// What happened before the file could be read, one line each.
  public let warnings: [String]
  /// What was told of the content beside the audio; nil where the audio file itself is to be asked.
  let tags: AudioTags?
  private let stamp: FileDescriptor.Stamp

  /// Opens a file.
  /// - Parameters:
  ///   - path: a regular file; a named pipe too if there is a spool folder.
  ///   - spoolFolder: where what comes out of a pipe is kept; nil refuses pipes.
  /// - Throws: `AudioFileError`: the cases of opening, `cannotSpool`, `readFailed`.
  public convenience init(path: FilePath, spoolFolder: FilePath? = nil) throws {
    if let spoolFolder, AudioInput.isPipe(path) {
      try self.init(pipe: FileDescriptor.open(pipe: path), spoolFolder: spoolFolder)
    } else {
      self.init(try FileDescriptor.open(reading: path))
    }
  }

  /// Takes standard input: as it is where a file was redirected to it, else through a temporary file.
  /// - Parameters:
  ///   - name: what messages call it.
  ///   - spoolFolder: where what comes out of a pipe is kept.
  /// - Throws: `AudioFileError`: `emptyFile`, `cannotSpool`, `readFailed`, `isDirectory`.
  public convenience init(standardInput name: FilePath, spoolFolder: FilePath) throws {
    let descriptor = try FileDescriptor.duplicate(STDIN_FILENO, path: name)
    switch descriptor.kind {
    case S_IFDIR: throw AudioFileError.isDirectory(name)
    case S_IFREG:
      guard descriptor.size > 0 else { throw AudioFileError.emptyFile(name) }
      self.init(descriptor)
    default: try self.init(pipe: descriptor, spoolFolder: spoolFolder)
    }
  }

  /// Whether somebody wrote to the file since it was opened.
  public var hasChanged: Bool { descriptor.stamp != stamp }

  init(_ descriptor: FileDescriptor, path: FilePath? = nil, warnings: [String] = [], tags: AudioTags? = nil) {
    self.path = path ?? descriptor.path
    (self.warnings, self.tags) = (warnings, tags)
    self.descriptor = descriptor
    stamp = descriptor.stamp
  }

  /// Copies a pipe to its end.
  private convenience init(pipe: FileDescriptor, spoolFolder: FilePath) throws {
    let path = pipe.path
    let copy = try AudioInput.makeSpool(for: path, in: spoolFolder)
    var block = [UInt8](repeating: 0, count: 1 << 18)
    var position = 0
    while true {
      let count = block.withUnsafeMutableBytes { pipe.readNext(into: $0) }
      guard count >= 0 else { throw AudioFileError.cannotOpen(path, reason: systemMessage(errno)) }
      if count == 0 { break }
      let code = block.withUnsafeBytes { copy.write(UnsafeRawBufferPointer(rebasing: $0[..<count]), at: position) }
      guard code == 0 else {
        throw AudioFileError.cannotSpool(path, folder: spoolFolder, reason: systemMessage(code))
      }
      position += count
    }
    guard position > 0 else { throw AudioFileError.emptyFile(path) }
    self.init(copy, path: path)
  }

  /// A temporary file without a name, which errors call `path`.
  static func makeSpool(for path: FilePath, in folder: FilePath) throws -> FileDescriptor {
    do {
      return try FileDescriptor.unnamed(in: folder, path: path)
    } catch {
      throw AudioFileError.cannotSpool(path, folder: folder, reason: (error as? AudioFileError)?.reason ?? "\(error)")
    }
  }

  private static func isPipe(_ path: FilePath) -> Bool {
    var status = stat()
    return path.withCString { stat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFIFO
  }
}
