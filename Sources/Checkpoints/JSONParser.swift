/// Why some bytes are not the JSON that was hoped for.
public struct JSONError: Error, Equatable, CustomStringConvertible, Sendable {
  /// Where, in bytes from the start.
  public let offset: Int
  /// What is wrong there.
  public let reason: String

  public var description: String { "\(reason) at byte \(offset)" }
}

extension JSONValue {
  /// Parses one JSON document (RFC 8259).
  ///
  /// Stricter than the standard where a file could mean two things or exhaust the reader: duplicate keys,
  /// numbers that overflow a double, and documents beyond the limits are errors.
  /// - Parameters:
  ///   - bytes: UTF-8.
  ///   - maximumDepth: how far arrays and objects may nest.
  ///   - maximumSize: how long the document may be, in bytes.
  /// - Throws: `JSONError`.
  public init(
    parsing bytes: UnsafeRawBufferPointer, maximumDepth: Int = 32, maximumSize: Int = 16 << 20
  ) throws {
    guard bytes.count <= maximumSize else {
      throw JSONError(offset: maximumSize, reason: "more than \(maximumSize) bytes of JSON")
    }
    var parser = JSONParser(bytes: bytes, maximumDepth: maximumDepth)
    self = try parser.document()
  }

  /// Parses the UTF-8 of `text`; limits and errors as above.
  public init(parsing text: String, maximumDepth: Int = 32, maximumSize: Int = 16 << 20) throws {
    self = try Array(text.utf8).withUnsafeBytes {
      try JSONValue(parsing: $0, maximumDepth: maximumDepth, maximumSize: maximumSize)
    }
  }
}

/// A recursive-descent parser; its recursion is bounded by `maximumDepth`.
private struct JSONParser {
  let bytes: UnsafeRawBufferPointer
  let maximumDepth: Int
  var position = 0

  init(bytes: UnsafeRawBufferPointer, maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  mutating func document() throws -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw failure("text after the end of the document") }
    return value
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func failure(_ reason: String) -> JSONError { JSONError(offset: position, reason: reason) }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  /// Steps over `byte` where it is next.
  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard let found = next, found == UInt8(ascii: byte) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws -> JSONValue {
    guard depth <= maximumDepth else { throw failure("nesting deeper than \(maximumDepth)") }
    skipSpace()
    switch next {
    case nil: throw failure("the document ends too early")
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: return try number()
    }
  }

  private mutating func literal(_ word: StaticString, _ value: JSONValue) throws -> JSONValue {
    for byte in word.description.utf8 {
      guard next == byte else { throw failure("unexpected character") }
      position += 1
    }
    return value
  }

  private mutating func array(depth: Int) throws -> JSONValue {
    position += 1
    var values: [JSONValue] = []
    skipSpace()
    if take("]") { return .array(values) }
    while true {
      values.append(try value(depth: depth + 1))
      skipSpace()
      if take("]") { return .array(values) }
      guard take(",") else { throw failure("expected , or ] in an array") }
    }
  }

  private mutating func object(depth: Int) throws -> JSONValue {
    position += 1
    var members: [String: JSONValue] = [:]
    skipSpace()
    if take("}") { return .object(members) }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw failure("expected a key in an object") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw failure("expected : after a key") }
      let value = try value(depth: depth + 1)
      guard members.updateValue(value, forKey: key) == nil else {
        throw failure("the key \(shown(key)) stands twice in one object, the second time")
      }
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw failure("expected , or } in an object") }
    }
  }

  private mutating func number() throws -> JSONValue {
    let start = position
    _ = take("-")
    let firstDigit = position
    guard skipDigits() else { throw failure("unexpected character") }
    if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1 { throw failure("leading zero") }
    var isInteger = true
    if take(".") {
      isInteger = false
      guard skipDigits() else { throw failure("digits must follow a decimal point") }
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      guard skipDigits() else { throw failure("digits must follow an exponent") }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw failure("number out of range") }
    return .number(value)
  }

  /// Steps over decimal digits; false where there is none.
  private mutating func skipDigits() -> Bool {
    let start = position
    while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    return position > start
  }

  private mutating func string() throws -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw failure("a string that is not UTF-8 ends")
        }
        position += 1
        return string
      case UInt8(ascii: "\\"):
        position += 1
        try text.append(contentsOf: UTF8.encode(escape()) ?? UTF8.encodedReplacementCharacter)
      case 0..<0x20: throw failure("control character in a string")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw failure("the document ends inside a string")
  }

  /// Reads what follows a backslash.
  private mutating func escape() throws -> Unicode.Scalar {
    let simple: Unicode.Scalar
    switch next {
    case UInt8(ascii: "\""): simple = "\""
    case UInt8(ascii: "\\"): simple = "\\"
    case UInt8(ascii: "/"): simple = "/"
    case UInt8(ascii: "b"): simple = "\u{8}"
    case UInt8(ascii: "f"): simple = "\u{C}"
    case UInt8(ascii: "n"): simple = "\n"
    case UInt8(ascii: "r"): simple = "\r"
    case UInt8(ascii: "t"): simple = "\t"
    case UInt8(ascii: "u"):
      position += 1
      return try unicodeEscape()
    default: throw failure("unknown escape in a string")
    }
    position += 1
    return simple
  }

  /// Reads the four digits of `\u`, and the second half of a surrogate pair where the first asks for one.
  private mutating func unicodeEscape() throws -> Unicode.Scalar {
    let first = try fourHexadecimalDigits()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, take("\\"), take("u") else { throw failure("half a surrogate pair in a string") }
    let second = try fourHexadecimalDigits()
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    else { throw failure("half a surrogate pair in a string") }
    return scalar
  }

  private mutating func fourHexadecimalDigits() throws -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw failure("\\u wants four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
