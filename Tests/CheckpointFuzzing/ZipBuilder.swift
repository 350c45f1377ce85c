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

  /// The archive as bytes.
  public var bytes: [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let checksum = entry.checksum ?? (entry.method == 0 ? ZipBuilder.checksum(entry.content) : 0)
      let offset = entry.headerOffset ?? file.count
      let sizes =
        littleEndian(UInt32(truncatingIfNeeded: entry.compressedSize ?? entry.content.count))
        + littleEndian(UInt32(truncatingIfNeeded: entry.size ?? entry.content.count))
      let common =
        littleEndian(UInt16(20)) + littleEndian(UInt16(0x800)) + littleEndian(entry.method) + littleEndian(UInt32(0))
        + littleEndian(checksum) + sizes + littleEndian(UInt16(truncatingIfNeeded: entry.name.utf8.count))
        + littleEndian(UInt16(0))
      directory += littleEndian(UInt32(0x0201_4B50)) + littleEndian(UInt16(20)) + common
      directory += [UInt8](repeating: 0, count: 10)
      directory += littleEndian(UInt32(truncatingIfNeeded: offset)) + Array(entry.name.utf8)
      file += littleEndian(UInt32(0x0403_4B50)) + common + Array(entry.name.utf8) + entry.content
    }
    let start = file.count
    file += directory
    file += littleEndian(UInt32(0x0605_4B50)) + [0, 0, 0, 0]
    file += littleEndian(UInt16(truncatingIfNeeded: entries.count))
    file += littleEndian(UInt16(truncatingIfNeeded: entries.count))
    file += littleEndian(UInt32(truncatingIfNeeded: directory.count))
    return file + littleEndian(UInt32(truncatingIfNeeded: start)) + [0, 0]
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
