/// Reads little-endian data from front to back; nothing beyond the end can be read.
struct ByteReader {
  /// The data ends too early.
  struct EndOfData: Error {}

  private let bytes: UnsafeRawBufferPointer
  /// Bytes read so far.
  private(set) var position = 0

  /// - Parameter bytes: must stay valid as long as the reader is used.
  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

  mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type) throws -> Value {
    let size = MemoryLayout<Value>.size
    guard size <= remaining else { throw EndOfData() }
    defer { position += size }
    return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
  }

  mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else { throw EndOfData() }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  mutating func skip(_ count: Int) throws { _ = try take(count) }

  /// Text up to the next line feed, without it.
  mutating func line() throws -> String {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { throw EndOfData() }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }
}

/// A reason why data is not of its format, or is of a kind that is not read, which still lacks the file that it is about.
struct FormatFlaw: Error {
  let reason: String
  /// Whether the data is sound all the same.
  let isSound: Bool

  init(_ reason: String, isSound: Bool = false) {
    self.reason = reason
    self.isSound = isSound
  }
}
