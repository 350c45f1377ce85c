import AudioFiles
import Glibc

/// The names in a file of names, as bytes.
enum NameList {
  /// Reads a file to its end.
  /// - Parameter path: a file, a pipe, or `-` for standard input.
  /// - Throws: `SystemError`.
  static func read(_ path: FilePath) throws -> [UInt8] {
    let descriptor =
      path == InputList.standardInput ? dup(STDIN_FILENO) : path.call { open($0, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw SystemError(code: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &block, block.count)
      if count > 0 {
        bytes += block[..<count]
      } else if count == 0 {
        return bytes
      } else if errno != EINTR {
        throw SystemError(code: errno)
      }
    }
  }

  /// The names: between zero bytes if there is one or `isNull` says so, else one a line, where carriage returns at ends of
  /// lines and a mark of UTF-8 at the start do not count. Empty names say nothing.
  /// - Returns: nil for text in UTF-16, which is not a list of names of files.
  static func names(in bytes: [UInt8], isNull: Bool) -> [FilePath]? {
    let hasNull = bytes.contains(0)
    if !isNull, hasNull, bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { return nil }
    if isNull || hasNull { return bytes.split(separator: 0).map { FilePath(bytes: $0) } }
    let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    return text.split(separator: UInt8(ascii: "\n"))
      .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
      .filter { !$0.isEmpty }.map { FilePath(bytes: $0) }
  }
}

/// What the system says.
struct SystemError: Error, CustomStringConvertible {
  let code: Int32
  var description: String { systemMessage(code) }
}
