import AudioFiles
import Glibc

/// The names in a file of names, as bytes.
enum NameList {
  /// Why a list is none.
  enum Fault: Error, Equatable {
    /// Text in UTF-16, which is not a list of names of files.
    case wideText
    case audio
    /// Neither text nor names.
    case binary
    case unreadable(SystemError)
  }

  /// Reads the names in a list.
  /// - Parameters:
  ///   - path: a file, a pipe, or `-` for standard input.
  ///   - isNull: names end in zero bytes, even if there is only one.
  /// - Throws: `Fault`.
  static func read(_ path: FilePath, isNull: Bool) throws -> [FilePath] {
    let descriptor =
      path == InputList.standardInput ? dup(STDIN_FILENO) : path.call { open($0, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw Fault.unreadable(SystemError(code: errno)) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    var isChecked = false
    while true {
      let count = Glibc.read(descriptor, &block, block.count)
      if count > 0 {
        bytes += block[..<count]
        // Hours of audio need not be read to their end.
        if !isChecked, bytes.count >= checkedCount {
          try check(bytes, isNull: isNull)
          isChecked = true
        }
      } else if count == 0 {
        if !isChecked { try check(bytes, isNull: isNull) }
        return names(in: bytes, isNull: isNull)
      } else if errno != EINTR {
        throw Fault.unreadable(SystemError(code: errno))
      }
    }
  }

  /// The names: between zero bytes if there is one or `isNull` says so, else one a line, where carriage returns at ends of
  /// lines and a mark of UTF-8 at the start do not count. Empty names say nothing, nor do lines of spaces and tabs.
  private static func names(in bytes: [UInt8], isNull: Bool) -> [FilePath] {
    if isNull || bytes.contains(0) { return bytes.split(separator: 0).map { FilePath(bytes: $0) } }
    let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    return text.split(separator: UInt8(ascii: "\n"))
      .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
      .filter { line in !line.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } }
      .map { FilePath(bytes: $0) }
  }

  /// Bytes by which it is told what a list is.
  private static let checkedCount = 4096

  /// - Parameter bytes: the beginning of a list.
  /// - Throws: `Fault` where it is evidently none: a name may hold any byte, but a list mostly holds text.
  private static func check(_ bytes: [UInt8], isNull: Bool) throws {
    if !isNull, bytes.contains(0), bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw Fault.wideText
    }
    let start = bytes.prefix(checkedCount)
    let controls = start.count(where: isOddControl)
    guard controls > 0 || start.contains(0) else { return }
    // Names may begin as files do; then the first of them is one of a file.
    if let first = names(in: Array(start), isNull: isNull).first, isThere(first) { return }
    if isAudio(start) { throw Fault.audio }
    if controls >= 4, controls * 32 > start.count { throw Fault.binary }
  }

  /// Not the zero between names, nor what text has: tabs, ends of lines, and the escapes of colours.
  private static func isOddControl(_ byte: UInt8) -> Bool {
    byte < 0x20 && ![0, UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x1B].contains(byte)
  }

  private static func isThere(_ path: FilePath) -> Bool {
    var status = stat()
    return path.call { lstat($0, &status) } == 0
  }

  /// Whether it begins as usual files of sound do.
  private static func isAudio(_ bytes: ArraySlice<UInt8>) -> Bool {
    let words = ["RIFF", "RIFX", "RF64", "riff", "fLaC", "ID3", "OggS", "FORM", "caff", ".snd", "wvpk", "MAC "]
    if words.contains(where: { bytes.starts(with: $0.utf8) }) { return bytes.prefix(64).contains(where: isOddControl) }
    let isMPEG = bytes.first == 0xFF && bytes.dropFirst().first.map { $0 >= 0xE0 } ?? false
    return bytes.prefix(64).contains(0)
      && (isMPEG || bytes.dropFirst(4).starts(with: "ftyp".utf8) || bytes.starts(with: [0x1A, 0x45, 0xDF, 0xA3]))
  }
}

/// What the system says.
struct SystemError: Error, Equatable, CustomStringConvertible {
  let code: Int32
  var description: String { systemMessage(code) }
}
