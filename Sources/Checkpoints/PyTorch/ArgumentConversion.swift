/// Turns arguments of a constructor into the JSON that demucs 4.1 writes of them.
///
/// What JSON cannot hold becomes `{"_type": "python", "name": ...}`: an error for whoever needs its value, and nothing to
/// those who do not.
struct ArgumentConversion {
  /// Deepest nesting; `JSONValue` reads 32 levels.
  private static let maximumDepth = 16
  /// Most values and characters together. A pickle may refer to one value any number of times, which JSON cannot.
  private static let maximumSize = 1 << 18

  private var size = 0

  /// - Throws: `FormatFlaw` where the arguments are endless, or too many.
  static func json(_ values: [PickleValue]) throws -> [JSONValue] {
    var conversion = ArgumentConversion()
    return try values.map { try conversion.json($0, depth: 0) }
  }

  /// - Throws: `FormatFlaw` where the arguments are endless, or too many.
  static func json(_ values: [String: PickleValue]) throws -> [String: JSONValue] {
    var conversion = ArgumentConversion()
    return try values.mapValues { try conversion.json($0, depth: 0) }
  }

  private mutating func json(_ value: PickleValue, depth: Int) throws -> JSONValue {
    guard depth <= ArgumentConversion.maximumDepth else {
      throw FormatFlaw("its arguments are nested deeper than \(ArgumentConversion.maximumDepth) levels")
    }
    try count(1 + value.size)
    switch value.node {
    case .none: return .null
    case .bool(let flag): return .bool(flag)
    case .integer(let integer): return .integer(integer)
    case .float(let number) where number.isFinite: return .number(number)
    case .string(let text): return try string(text)
    case .tuple, .list: return try array(value, depth: depth)
    case .object:
      if let scalar = NumPyScalar.json(value) { return scalar }
      if let fraction = ArgumentConversion.fraction(value) { return .fraction(fraction) }
      if value.className?.hasPrefix("omegaconf.") == true, let state = value.state?.namedItems,
        let content = state["_content"] ?? state["_val"]
      {
        return try json(content, depth: depth + 1)
      }
      if value.className == "torch.Size" { return try array(value, depth: depth) }
      fallthrough
    case .dictionary:
      guard let items = value.items else { return try opaque(value) }
      var members: [String: JSONValue] = [:]
      for (key, item) in items {
        guard let name = key.stringValue else { return try opaque(value) }
        try count(name.utf8.count)
        members[name] = try json(item, depth: depth + 1)
      }
      return .object(members)
    case .wideInteger, .float, .bytes, .global, .persistent: return try opaque(value)
    }
  }

  private mutating func array(_ value: PickleValue, depth: Int) throws -> JSONValue {
    guard let elements = value.elements else { return try opaque(value) }
    return .array(try elements.map { try json($0, depth: depth + 1) })
  }

  private mutating func string(_ text: String) throws -> JSONValue {
    try count(text.utf8.count)
    return .string(text)
  }

  private mutating func opaque(_ value: PickleValue) throws -> JSONValue {
    .object(["_type": .string("python"), "name": try string(value.className ?? value.globalName ?? value.kind)])
  }

  private mutating func count(_ amount: Int) throws {
    size += amount
    guard size <= ArgumentConversion.maximumSize else { throw FormatFlaw("its arguments are too many, or too long") }
  }

  /// `fractions.Fraction("39/5")` until Python 3.11, `Fraction(39, 5)` since.
  private static func fraction(_ value: PickleValue) -> Fraction? {
    guard value.className == "fractions.Fraction" else { return nil }
    let arguments = value.arguments
    if let numerator = arguments.first?.intValue {
      guard arguments.count <= 2 else { return nil }
      return arguments.count == 1 ? Fraction(numerator, 1) : arguments[1].intValue.flatMap { Fraction(numerator, $0) }
    }
    guard arguments.count == 1, let text = arguments[0].stringValue, text.utf8.count <= 64 else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count <= 2, let numerator = parts[0] else { return nil }
    return parts.count == 1 ? Fraction(numerator, 1) : parts[1].flatMap { Fraction(numerator, $0) }
  }
}
