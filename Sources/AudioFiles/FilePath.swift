import Glibc

/// The name of a file as the system keeps it: bytes, which need not be UTF-8.
///
/// A `String` cannot carry every name that a music library holds; `FilePath(bytes:)` can.
public struct FilePath: Sendable, Hashable, ExpressibleByStringLiteral {
  /// The bytes of the path, without a terminating zero.
  public let bytes: [UInt8]

  /// The UTF-8 bytes of `string`.
  public init(_ string: String) {
    bytes = Array(string.utf8)
  }

  public init(stringLiteral value: String) {
    self.init(value)
  }

  /// Any bytes, for example those of `readdir` or of an argument vector.
  public init(bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
  }

  /// The bytes of a zero-terminated string.
  package init(cString: UnsafePointer<CChar>) {
    bytes = Array(UnsafeRawBufferPointer(start: cString, count: strlen(cString)))
  }

  /// Calls `body` with a zero-terminated string; nil if the path is no C string (a zero byte inside).
  package func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result? {
    guard !bytes.contains(0) else { return nil }
    return try (bytes.map(CChar.init(bitPattern:)) + [0]).withUnsafeBufferPointer {
      try $0.baseAddress.map(body)
    }
  }
}

extension FilePath: CustomStringConvertible {
  /// The path for a message of one line: control characters, text direction marks and bytes that are not
  /// UTF-8 are written as `\n`, `\u{202E}`, `\xFF`.
  public var description: String { printable(bytes) }
}

/// Text of one line that shows `bytes` and cannot break the line or a terminal.
func printable(_ bytes: [UInt8]) -> String {
  var parser = Unicode.UTF8.ForwardParser()
  var iterator = bytes.makeIterator()
  var offset = 0
  var text = String.UnicodeScalarView()
  while true {
    switch parser.parseScalar(from: &iterator) {
    case .valid(let encoded):
      offset += encoded.count
      let scalar = Unicode.UTF8.decode(encoded)
      if isSafe(scalar) {
        text.append(scalar)
      } else {
        text.append(contentsOf: scalar.escaped(asASCII: true).unicodeScalars)
      }
    case .error(let length):
      for byte in bytes[offset..<offset + length] {
        let digits = String(byte, radix: 16, uppercase: true)
        text.append(contentsOf: "\\x\(digits)".unicodeScalars)
      }
      offset += length
    case .emptyInput:
      return String(text)
    }
  }
}

private func isSafe(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .lineSeparator, .paragraphSeparator: false
  default: !scalar.properties.isBidiControl
  }
}
