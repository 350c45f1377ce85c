/// The pages that an Ogg file is made of (RFC 3533).
enum OggPages {
  /// Gives all pages one serial number, which tells the streams of a file apart and is random in what libsndfile
  /// writes: with it equal runs would give different files.
  /// - Parameter byteCount: length of the file.
  /// - Returns: 0, or the error number of the system.
  static func setSerialNumber(_ number: UInt32, in file: FileDescriptor, byteCount: Int) -> Int32 {
    var position = 0
    while position < byteCount {
      let head = file.bytes(at: position, count: 27 + 255)
      guard head.count >= 27, head[0..<4].elementsEqual("OggS".utf8) else { return 0 }
      let segments = Int(head[26])
      guard head.count >= 27 + segments else { return 0 }
      let length = 27 + segments + head[27..<27 + segments].reduce(0) { $0 + Int($1) }
      var page = file.bytes(at: position, count: length)
      guard page.count == length else { return 0 }
      page.replaceSubrange(14..<18, with: bytes(number))
      page.replaceSubrange(22..<26, with: [0, 0, 0, 0])
      page.replaceSubrange(22..<26, with: bytes(checksum(page)))
      let code = page.withUnsafeBytes { file.write(UnsafeRawBufferPointer(rebasing: $0[..<27]), at: position) }
      guard code == 0 else { return code }
      position += length
    }
    return 0
  }

  /// What a page holds; nil where it is not whole.
  static func content(ofPageAt position: Int, in file: FileDescriptor) -> [UInt8]? {
    let head = file.bytes(at: position, count: 27 + 255)
    guard head.count >= 27, head[0..<4].elementsEqual("OggS".utf8) else { return nil }
    let segments = Int(head[26])
    guard head.count >= 27 + segments else { return nil }
    let length = head[27..<27 + segments].reduce(0) { $0 + Int($1) }
    let content = file.bytes(at: position + 27 + segments, count: length)
    return content.count == length ? content : nil
  }

  /// Lowest byte first.
  private static func bytes(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  /// CRC of polynomial 0x04c11db7, highest bit first, from 0.
  private static func checksum(_ page: [UInt8]) -> UInt32 {
    page.reduce(0) { $0 << 8 ^ table[Int(UInt8(truncatingIfNeeded: $0 >> 24) ^ $1)] }
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index) << 24) { value, _ in value << 1 ^ (value >> 31 == 1 ? 0x04C1_1DB7 : 0) }
  }
}
