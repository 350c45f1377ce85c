/// A zip archive in a mapped file, all of whose entries were found to lie in it, one beside the other.
struct ZipArchive: Sendable {
  /// Most bytes of content: three times the file and 48 MiB. Weights are hardly smaller when they are compressed; what
  /// is, is a bomb.
  static func maximumContent(fileSize: Int) -> Int { 3 * min(fileSize, 1 << 56) + 48 << 20 }

  /// By name.
  let entries: [String: ZipEntry]
  private let ranges: [String: Range<Int>]
  private let file: MappedFile

  /// - Throws: `FormatFlaw`, `CheckpointError.unreadable`.
  init(_ file: MappedFile) throws {
    self.file = file
    (entries, ranges) = try file.withBytes(0..<file.count) { bytes in
      let directory = try ZipDirectory(bytes)
      var entries: [String: ZipEntry] = [:]
      var ranges: [String: Range<Int>] = [:]
      var position = 0
      var rest = ZipArchive.maximumContent(fileSize: file.count)
      for entry in directory.entries.sorted(by: { $0.headerOffset < $1.headerOffset }) {
        guard entries.updateValue(entry, forKey: entry.name) == nil else {
          throw FormatFlaw("\(shown(entry.name)) stands in it twice")
        }
        // Entries that share bytes make a small file hold any amount of data.
        guard entry.headerOffset >= position else {
          throw FormatFlaw("\(shown(entry.name)) in it overlaps the entry before it")
        }
        guard entry.size <= rest else {
          throw FormatFlaw("its contents are several times as large as the file, as no weights are")
        }
        rest -= entry.size
        let range = try ZipArchive.range(of: entry, in: bytes, end: directory.start)
        ranges[entry.name] = range
        position = range.upperBound
      }
      return (entries, ranges)
    }
  }

  /// Where the content of `entry` lies, behind its own header, which may have other extra fields than the directory.
  private static func range(
    of entry: ZipEntry, in bytes: UnsafeRawBufferPointer, end: Int
  ) throws -> Range<Int> {
    func damaged() -> FormatFlaw { FormatFlaw("\(shown(entry.name)) in it is damaged, or cut short") }
    guard entry.headerOffset <= end else { throw damaged() }
    var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[entry.headerOffset..<end]))
    do {
      guard try reader.integer(UInt32.self) == 0x0403_4B50 else { throw damaged() }
      try reader.skip(4)  // version, flags
      guard try reader.integer(UInt16.self) == entry.method.rawValue else { throw damaged() }
      try reader.skip(16)  // time, date, checksum and sizes, which the directory has too
      let nameLength = Int(try reader.integer(UInt16.self))
      let extraLength = Int(try reader.integer(UInt16.self))
      guard String(decoding: try reader.take(nameLength), as: UTF8.self) == entry.name else { throw damaged() }
      try reader.skip(extraLength)
      let start = entry.headerOffset + reader.position
      try reader.skip(entry.compressedSize)
      return start..<(start + entry.compressedSize)
    } catch is ByteReader.EndOfData {
      throw damaged()
    }
  }

  /// Calls `body` with the content of an entry: in place where it is stored, inflated where it is not.
  /// - Parameter isVerified: whether its checksum has been compared before, and is not again.
  /// - Throws: `FormatFlaw`, `CheckpointError.unreadable`, and what `body` throws.
  func withContent<Result>(
    of entry: ZipEntry, isVerified: Bool = false, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try file.withBytes(ranges[entry.name] ?? 0..<0) { bytes in
      func verified(_ content: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer {
        guard isVerified || entry.checksum == 0 || Inflation.checksum(content) == entry.checksum else {
          throw FormatFlaw("\(shown(entry.name)) in it does not have its checksum: damaged")
        }
        return content
      }
      switch entry.method {
      case .stored: return try body(verified(bytes))
      case .deflated:
        guard let content = Inflation.inflate(bytes, count: entry.size) else {
          throw FormatFlaw("\(shown(entry.name)) in it does not inflate to its \(entry.size) bytes: damaged")
        }
        return try content.withUnsafeBytes { try body(verified($0)) }
      }
    }
  }
}
