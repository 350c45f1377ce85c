/// The chunks of a RIFF or IFF file, from the first behind its form: 4 bytes of name, 4 of size, content padded to an even
/// length.
struct ChunkList: Sequence, IteratorProtocol {
  struct Chunk {
    let name: [UInt8]
    /// Offset in bytes of the content.
    let start: Int
    /// Bytes of the content, as the header says.
    let byteCount: Int

    func isNamed(_ text: String) -> Bool { name.elementsEqual(text.utf8) }
  }

  private let file: FileDescriptor
  private let isBigEndian: Bool
  private let longDataByteCount: Int?
  private var offset = 12
  private var count = 0

  /// Corrupt sizes could make the walk long; no sane file has so many chunks.
  private static let limit = 1000

  /// - Parameter longDataByteCount: bytes of `data`, where its own size is no more than a mark (RF64).
  init(_ file: FileDescriptor, isBigEndian: Bool = false, longDataByteCount: Int? = nil) {
    (self.file, self.isBigEndian, self.longDataByteCount) = (file, isBigEndian, longDataByteCount)
  }

  mutating func next() -> Chunk? {
    let header = file.bytes(at: offset, count: 8)
    guard count < Self.limit, header.count == 8 else { return nil }
    var size = Int(Self.integer(isBigEndian ? Array(header[4..<8].reversed()) : Array(header[4..<8])))
    let name = Array(header[0..<4])
    if size == UInt32.max, name.elementsEqual("data".utf8), let longDataByteCount { size = longDataByteCount }
    let start = offset + 8
    guard size < Int.max / 2 - start else { return nil }
    offset = start + size + size % 2
    count += 1
    return Chunk(name: name, start: start, byteCount: size)
  }

  /// Little-endian bytes as a number.
  static func integer(_ bytes: some BidirectionalCollection<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
