import CZlib

/// Writes zip archives: sound ones, and ones that lie about themselves.
public struct ZipBuilder {
  /// One file of the archive. What is nil is what it should be.
  public struct Entry {
    public var name: String
    public var content: [UInt8]
    /// 8 for content that is a deflate stream already.
    public var method: UInt16 = 0
    /// What the directory says.
    public var size: Int?
    public var compressedSize: Int?
    public var checksum: UInt32?
    public var headerOffset: Int?

    public init(_ name: String, _ content: [UInt8]) {
      self.name = name
      self.content = content
    }
  }

  public var entries: [Entry]

  public init(_ entries: [Entry] = []) { self.entries = entries }

  /// Whether the directory gives sizes and places in fields of 64 bits, as it has to beyond 4 GiB.
  public var isZip64 = false

  /// The archive as bytes.
  public var bytes: [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let offset = entry.headerOffset ?? file.count
      let (size, compressedSize) = (entry.size ?? entry.content.count, entry.compressedSize ?? entry.content.count)
      file += littleEndian(UInt32(0x0403_4B50)) + common(entry, isZip64: false, extraSize: 0)
      file += Array(entry.name.utf8) + entry.content
      // Another field before it, as other writers leave.
      let wide = [size, compressedSize, offset].flatMap { littleEndian(UInt64($0)) }
      let extra = isZip64 ? [0x55, 0x54, 1, 0, 7, 1, 0, 24, 0] + wide : []
      directory += littleEndian(UInt32(0x0201_4B50)) + littleEndian(UInt16(20))
      directory += common(entry, isZip64: isZip64, extraSize: extra.count) + [UInt8](repeating: 0, count: 10)
      directory += littleEndian(isZip64 ? UInt32.max : UInt32(truncatingIfNeeded: offset)) + Array(entry.name.utf8)
      directory += extra
    }
    return file + directory + end(start: file.count, size: directory.count)
  }

  /// What the header of an entry has in common with its place in the directory.
  private func common(_ entry: Entry, isZip64: Bool, extraSize: Int) -> [UInt8] {
    let sizes = [entry.compressedSize ?? entry.content.count, entry.size ?? entry.content.count]
    let checksum = entry.checksum ?? (entry.method == 0 ? ZipBuilder.checksum(entry.content) : 0)
    return littleEndian(UInt16(20)) + littleEndian(UInt16(0x800)) + littleEndian(entry.method)
      + littleEndian(UInt32(0)) + littleEndian(checksum)
      + sizes.flatMap { littleEndian(isZip64 ? UInt32.max : UInt32(truncatingIfNeeded: $0)) }
      + littleEndian(UInt16(truncatingIfNeeded: entry.name.utf8.count)) + littleEndian(UInt16(extraSize))
  }

  /// The records behind the directory.
  private func end(start: Int, size: Int) -> [UInt8] {
    var records: [UInt8] = []
    if isZip64 {
      records += littleEndian(UInt32(0x0606_4B50)) + littleEndian(UInt64(44)) + [45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]
      records += [entries.count, entries.count, size, start].flatMap { littleEndian(UInt64($0)) }
      records += littleEndian(UInt32(0x0706_4B50)) + littleEndian(UInt32(0))
      records += littleEndian(UInt64(start + size)) + littleEndian(UInt32(1))
    }
    records += littleEndian(UInt32(0x0605_4B50)) + [0, 0, 0, 0]
    for count in [entries.count, entries.count] {
      records += littleEndian(isZip64 ? UInt16.max : UInt16(truncatingIfNeeded: count))
    }
    for number in [size, start] { records += littleEndian(isZip64 ? .max : UInt32(truncatingIfNeeded: number)) }
    return records + [0, 0]
  }

  /// `bytes` as a raw deflate stream; nil where zlib fails.
  public static func deflated(_ bytes: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    let header = deflateInit2_(
      &stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard header == Z_OK else { return nil }
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
    let status = input.withUnsafeMutableBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(target.count)
        return deflate(&stream, Z_FINISH)
      }
    }
    return status == Z_STREAM_END ? Array(output.prefix(Int(stream.total_out))) : nil
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_z(0, bytes, bytes.count))
  }
}

func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
