/// Where a tensor lies in a safetensors file.
struct TensorEntry: Equatable, Sendable {
  let type: TensorType
  let shape: [Int]
  /// Bytes from the start of the file.
  let range: Range<Int>
}

/// The validated header of a safetensors file.
///
/// The format: eight bytes, the header's length N as a little-endian unsigned integer; N bytes of JSON; data.
/// The JSON maps each name to `{"dtype": ..., "shape": [...], "data_offsets": [begin, end]}` with offsets
/// from the start of the data, and `__metadata__` to strings. The tensors fill the data without overlap or
/// hole.
struct SafetensorsHeader: Sendable {
  /// Longest header that is read; a file of HTDemucs has about 50 kB.
  static let maximumLength = 16 << 20
  /// Most axes of a tensor; no weight has more than four.
  static let maximumRank = 32

  let metadata: [String: String]
  let tensors: [String: TensorEntry]

  /// Reads the header of `file`; everything in it is checked here, so that the entries can be used as they
  /// are.
  /// - Throws: `CheckpointError.malformed`, `.unreadable`.
  init(_ file: MappedFile) throws {
    func malformed(_ reason: String) -> CheckpointError {
      .malformed(path: file.path, format: "safetensors", reason: reason)
    }
    guard file.count > 0 else { throw malformed("it is empty") }
    guard file.count >= 8 else { throw malformed("\(file.count) bytes are too few for its header") }
    let length = try file.withBytes(0..<8) { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    let remaining = file.count - 8
    guard length <= UInt64(remaining) else {
      throw malformed(
        try foreignFormat(file)
          ?? "it announces a header of \(length) bytes, but has \(remaining): cut short, or something else"
      )
    }
    guard length <= UInt64(SafetensorsHeader.maximumLength) else {
      throw malformed(
        "its header of \(length) bytes is longer than the \(SafetensorsHeader.maximumLength) that are read")
    }
    let dataStart = 8 + Int(length)
    let json: JSONValue
    do {
      json = try file.withBytes(8..<dataStart) { try JSONValue(parsing: $0) }
    } catch let error as JSONError {
      throw malformed("its header is not JSON: \(error)")
    }
    guard case .object(let members) = json else { throw malformed("its header is not a JSON object") }

    do {
      metadata = try SafetensorsHeader.metadata(members["__metadata__"])
      var tensors: [String: TensorEntry] = [:]
      for (name, description) in members where name != "__metadata__" {
        tensors[name] = try SafetensorsHeader.entry(
          name, description, dataStart: dataStart, dataCount: file.count - dataStart)
      }
      self.tensors = tensors
      try SafetensorsHeader.checkLayout(tensors, dataStart: dataStart, end: file.count)
    } catch let flaw as Flaw {
      throw malformed(flaw.reason)
    }
  }

  /// A reason that still lacks the file it is about.
  private struct Flaw: Error { let reason: String }

  private static func metadata(_ value: JSONValue?) throws -> [String: String] {
    guard let value else { return [:] }
    guard let members = value.objectValue else { throw Flaw(reason: "its __metadata__ is not an object") }
    return try members.reduce(into: [:]) { result, member in
      guard let text = member.value.stringValue else {
        throw Flaw(reason: "its metadata \(shown(member.key)) is not a string")
      }
      result[member.key] = text
    }
  }

  private static func entry(
    _ name: String, _ description: JSONValue, dataStart: Int, dataCount: Int
  ) throws -> TensorEntry {
    func flaw(_ reason: String) -> Flaw { Flaw(reason: "tensor \(shown(name)) \(reason)") }
    guard let word = description["dtype"]?.stringValue else { throw flaw("has no dtype") }
    guard let type = TensorType(rawValue: word) else { throw flaw("has the unknown dtype \(shown(word))") }
    guard let extents = description["shape"]?.arrayValue else { throw flaw("has no shape") }
    let shape = try extents.map { extent in
      guard let extent = extent.intValue, extent >= 0 else {
        throw flaw("has a shape of other than whole numbers")
      }
      return extent
    }
    guard shape.count <= maximumRank else { throw flaw("has \(shape.count) axes, more than \(maximumRank)") }
    guard let offsets = description["data_offsets"]?.arrayValue, offsets.count == 2 else {
      throw flaw("has no pair of data_offsets")
    }
    guard let begin = offsets[0].intValue, let end = offsets[1].intValue, begin >= 0, begin <= end else {
      throw flaw("has data_offsets that are not rising whole numbers")
    }
    guard end <= dataCount else {
      throw flaw("ends at byte \(end) of data that has \(dataCount): the file is cut short")
    }
    // Multiplied in the order in which `Tensor` does it, so that its product cannot overflow either.
    guard let count = checkedProduct(shape), let size = checkedProduct([count, type.size]) else {
      throw flaw("has a shape \(shape) too large to address")
    }
    guard size == end - begin else {
      throw flaw(
        "of shape \(shape) and dtype \(word) needs \(size) bytes, but its data_offsets span \(end - begin)")
    }
    // `end` lies inside the data, so neither sum passes the file's length.
    return TensorEntry(type: type, shape: shape, range: (dataStart + begin)..<(dataStart + end))
  }

  /// The tensors must fill the data, one after the other.
  private static func checkLayout(_ tensors: [String: TensorEntry], dataStart: Int, end: Int) throws {
    let ordered = tensors.sorted {
      ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
        < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
    }
    var position = dataStart
    for (name, entry) in ordered {
      guard entry.range.lowerBound >= position else {
        throw Flaw(reason: "tensor \(shown(name)) overlaps the one before it")
      }
      guard entry.range.lowerBound == position else {
        throw Flaw(reason: "\(entry.range.lowerBound - position) unused bytes precede tensor \(shown(name))")
      }
      position = entry.range.upperBound
    }
    guard position == end else {
      throw Flaw(reason: "\(end - position) bytes follow the last tensor")
    }
  }
}

/// The product of extents that are not negative; nil where it overflows on the way, from left to right.
func checkedProduct(_ extents: [Int]) -> Int? {
  var product = 1
  for extent in extents {
    let (next, overflow) = product.multipliedReportingOverflow(by: extent)
    if overflow { return nil }
    product = next
  }
  return product
}

/// What a file that is no safetensors file is instead, where its first bytes tell.
private func foreignFormat(_ file: MappedFile) throws -> String? {
  let start = try file.withBytes(0..<min(file.count, 20)) { String(decoding: $0, as: UTF8.self) }
  if start.hasPrefix("PK\u{3}\u{4}") {
    return "it is a zip archive, perhaps a PyTorch .th file"
  }
  if start.hasPrefix("version https://git-") {
    return "it is a Git LFS pointer; fetch the file that it points to"
  }
  if start.hasPrefix("<!") || start.hasPrefix("<html") { return "it is a web page" }
  return nil
}
