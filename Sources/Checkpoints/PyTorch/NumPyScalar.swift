/// Numbers of NumPy, which pickles as `numpy.core.multiarray.scalar(dtype, bytes)`.
enum NumPyScalar {
  /// - Returns: nil where the value is no scalar of NumPy, or of a type that is no number.
  static func json(_ value: PickleValue) -> JSONValue? {
    guard value.className == "numpy.core.multiarray.scalar", value.arguments.count == 2,
      let type = type(value.arguments[0]), let bytes = bytes(value.arguments[1]), bytes.count == type.size
    else { return nil }
    let bits = (type.isBigEndian ? bytes : bytes.reversed()).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let number: Double
    switch (type.kind, type.size) {
    case ("b", 1): return .bool(bits != 0)
    case ("u", 1...8): return Int(exactly: bits).map(JSONValue.integer)
    case ("i", 1...8):
      let unused = 64 - 8 * type.size
      return .integer(Int(Int64(truncatingIfNeeded: bits << unused) >> unused))
    case ("f", 2): number = Double(Float(bitPattern: FloatConversion.widen(half: UInt16(bits))))
    case ("f", 4): number = Double(Float(bitPattern: UInt32(bits)))
    case ("f", 8): number = Double(bitPattern: bits)
    default: return nil
    }
    return number.isFinite ? .number(number) : nil
  }

  /// `numpy.dtype("f8", False, True)`, whose state has the byte order behind a version.
  private static func type(_ value: PickleValue) -> (kind: Character, size: Int, isBigEndian: Bool)? {
    guard value.className == "numpy.dtype", let name = value.arguments.first?.stringValue, let kind = name.first,
      let size = Int(name.dropFirst()), (1...8).contains(size)
    else { return nil }
    let order = value.state?.elements?.dropFirst().first
    return (kind, size, order?.stringValue == ">")
  }

  /// Bytes; before protocol 3 they are `_codecs.encode(text, "latin1")`.
  private static func bytes(_ value: PickleValue) -> [UInt8]? {
    if case .bytes(let bytes) = value.node { return bytes }
    guard value.className == "_codecs.encode", let text = value.arguments.first?.stringValue,
      text.utf8.count <= 16
    else { return nil }
    let bytes = text.unicodeScalars.compactMap { UInt8(exactly: $0.value) }
    return bytes.count == text.unicodeScalars.count ? bytes : nil
  }
}
