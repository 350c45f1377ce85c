/// The chunks of a file, from the first behind the form: name, size, content, again and again.
///
/// RIFF, IFF, W64 and CAF differ in the widths of these.
struct ChunkList: Sequence, IteratorProtocol {
  /// How chunks are laid out.
  struct Layout {
    /// Offset in bytes of the first chunk.
    let start: Int
    let nameByteCount: Int
    let sizeByteCount: Int
    let isBigEndian: Bool
    /// Whether a size counts the name and itself.
    let countsHeader: Bool
    /// What the length of a chunk is padded to a multiple of.
    let alignment: Int

    static let riff = Layout(
      start: 12, nameByteCount: 4, sizeByteCount: 4, isBigEndian: false, countsHeader: false, alignment: 2)
    /// AIFF, and RIFX.
    static let iff = Layout(
      start: 12, nameByteCount: 4, sizeByteCount: 4, isBigEndian: true, countsHeader: false, alignment: 2)
    /// The name is a GUID, which for all chunks that matter begins with the name that RIFF has.
    static let wave64 = Layout(
      start: 40, nameByteCount: 16, sizeByteCount: 8, isBigEndian: false, countsHeader: true, alignment: 8)
    static let coreAudio = Layout(
      start: 8, nameByteCount: 4, sizeByteCount: 8, isBigEndian: true, countsHeader: false, alignment: 1)

    var headerByteCount: Int { nameByteCount + sizeByteCount }
  }

  struct Chunk {
    /// Its first four bytes.
    let name: [UInt8]
    /// Offset in bytes of the content.
    let start: Int
    /// Bytes of the content, as the header says; `unknownByteCount` for what no file has.
    let byteCount: Int
    /// Offset in bytes of the next chunk's header, if that is right.
    let end: Int

    func isNamed(_ text: String) -> Bool { name.elementsEqual(text.utf8) }
  }

  /// The size of a chunk that says it is longer than any file, as programs write that do not know yet.
  static let unknownByteCount = 1 << 60

  private let file: FileDescriptor
  private let layout: Layout
  private let longDataByteCount: Int?
  private var offset: Int
  private var count = 0

  /// Corrupt sizes could make the walk long; no sane file has so many chunks.
  private static let limit = 1000

  /// - Parameters:
  ///   - start: offset in bytes of the header to begin with; nil for the first.
  ///   - longDataByteCount: bytes of `data`, where its own size is no more than a mark (RF64).
  init(_ file: FileDescriptor, _ layout: Layout = .riff, from start: Int? = nil, longDataByteCount: Int? = nil) {
    (self.file, self.layout, self.longDataByteCount) = (file, layout, longDataByteCount)
    offset = start ?? layout.start
  }

  mutating func next() -> Chunk? {
    let header = offset < Self.unknownByteCount ? file.bytes(at: offset, count: layout.headerByteCount) : []
    guard count < Self.limit, header.count == layout.headerByteCount else { return nil }
    let name = Array(header[0..<4])
    let sizeBytes = header[layout.nameByteCount...]
    let stated = Self.integer(layout.isBigEndian ? sizeBytes.reversed() : Array(sizeBytes))
    var size = Self.unknownByteCount
    if stated < Self.unknownByteCount {
      size = Swift.max(0, Int(stated) - (layout.countsHeader ? layout.headerByteCount : 0))
    }
    if size == UInt32.max, name.elementsEqual("data".utf8), let longDataByteCount { size = longDataByteCount }
    let start = offset + layout.headerByteCount
    let end = start + (size + layout.alignment - 1) / layout.alignment * layout.alignment
    offset = end
    count += 1
    return Chunk(name: name, start: start, byteCount: size, end: end)
  }

  /// Little-endian bytes as a number.
  static func integer(_ bytes: some BidirectionalCollection<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
