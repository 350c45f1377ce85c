/// One file of a zip archive, as the central directory describes it.
struct ZipEntry: Sendable {
  enum Method: UInt16, Sendable {
    case stored = 0
    case deflated = 8
  }

  let name: String
  let method: Method
  /// CRC-32 of the content; 0 where `torch.save` was told to leave it out.
  let checksum: UInt32
  /// Bytes in the archive.
  let compressedSize: Int
  /// Bytes of the content.
  let size: Int
  /// Where the entry's own header is.
  let headerOffset: Int
}

/// The central directory of a zip archive (APPNOTE.TXT 6.3, sections 4.3.12 to 4.3.16), with zip64.
///
/// Read here and not by libzip, which does not tell where in the file a stored entry lies, so that weights could not
/// be used in place, and which sets no limit on the memory that a directory of millions of entries takes.
struct ZipDirectory {
  /// Longest directory that is read; that of an HTDemucs has 50 kB.
  static let maximumSize = 16 << 20
  /// Most entries; an HTDemucs has about 530.
  static let maximumCount = 1 << 16

  let entries: [ZipEntry]
  /// Where the directory starts, and so where the entries end.
  let start: Int

  /// - Parameter bytes: the whole archive.
  /// - Throws: `FormatFlaw`.
  init(_ bytes: UnsafeRawBufferPointer) throws {
    do {
      let end = try EndOfDirectory(bytes)
      guard end.count <= ZipDirectory.maximumCount else {
        throw FormatFlaw(
          "\(end.count) files in one archive are more than the \(ZipDirectory.maximumCount) that are read")
      }
      var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[end.range]))
      var entries: [ZipEntry] = []
      entries.reserveCapacity(end.count)
      for _ in 0..<end.count { entries.append(try ZipDirectory.entry(&reader)) }
      guard reader.remaining == 0 else { throw FormatFlaw("its directory is longer than its \(end.count) entries") }
      self.entries = entries
      start = end.range.lowerBound
    } catch is ByteReader.EndOfData {
      throw FormatFlaw("its directory ends too early: damaged, or cut short")
    }
  }

  private static func entry(_ reader: inout ByteReader) throws -> ZipEntry {
    guard try reader.integer(UInt32.self) == 0x0201_4B50 else { throw FormatFlaw("its directory is damaged") }
    try reader.skip(4)  // versions
    let flags = try reader.integer(UInt16.self)
    let methodNumber = try reader.integer(UInt16.self)
    try reader.skip(4)  // time and date
    let checksum = try reader.integer(UInt32.self)
    var compressedSize = UInt64(try reader.integer(UInt32.self))
    var size = UInt64(try reader.integer(UInt32.self))
    let nameLength = Int(try reader.integer(UInt16.self))
    let extraLength = Int(try reader.integer(UInt16.self))
    let commentLength = Int(try reader.integer(UInt16.self))
    let disk = try reader.integer(UInt16.self)
    try reader.skip(6)  // attributes
    var offset = UInt64(try reader.integer(UInt32.self))
    let name = String(decoding: try reader.take(nameLength), as: UTF8.self)
    var extra = ByteReader(try reader.take(extraLength))
    try reader.skip(commentLength)

    // What does not fit 32 bits is all ones, and stands in the zip64 field, in this order.
    if [compressedSize, size, offset].contains(0xFFFF_FFFF), var field = try zip64Field(&extra) {
      if size == 0xFFFF_FFFF { size = try field.integer(UInt64.self) }
      if compressedSize == 0xFFFF_FFFF { compressedSize = try field.integer(UInt64.self) }
      if offset == 0xFFFF_FFFF { offset = try field.integer(UInt64.self) }
    }
    guard disk == 0 || disk == 0xFFFF else { throw FormatFlaw("it is one part of a split archive") }
    guard flags & 1 == 0 else { throw FormatFlaw("\(shown(name)) in it is encrypted") }
    guard let method = ZipEntry.Method(rawValue: methodNumber) else {
      throw FormatFlaw("\(shown(name)) in it is compressed by method \(methodNumber), not stored or deflated")
    }
    guard let compressedSize = Int(exactly: compressedSize), let size = Int(exactly: size),
      let offset = Int(exactly: offset)
    else { throw FormatFlaw("\(shown(name)) in it is too large to address") }
    guard method == .deflated || compressedSize == size else {
      throw FormatFlaw("\(shown(name)) in it is not compressed, but has two sizes")
    }
    return ZipEntry(
      name: name, method: method, checksum: checksum, compressedSize: compressedSize, size: size,
      headerOffset: offset)
  }

  /// The extra field with the identifier 1.
  private static func zip64Field(_ extra: inout ByteReader) throws -> ByteReader? {
    while extra.remaining >= 4 {
      let identifier = try extra.integer(UInt16.self)
      let data = try extra.take(Int(try extra.integer(UInt16.self)))
      if identifier == 1 { return ByteReader(data) }
    }
    return nil
  }
}

/// The record at the end of the archive, which says where the directory is.
private struct EndOfDirectory {
  let count: Int
  let range: Range<Int>

  init(_ bytes: UnsafeRawBufferPointer) throws {
    let position = try EndOfDirectory.position(bytes)
    var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[(position + 4)...]))
    try reader.skip(6)  // disks, and entries on this one
    var count = UInt64(try reader.integer(UInt16.self))
    var size = UInt64(try reader.integer(UInt32.self))
    var offset = UInt64(try reader.integer(UInt32.self))
    var end = position
    if let record = try EndOfDirectory.zip64Record(bytes, before: position) {
      end = record
      reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[(record + 4)...]))
      try reader.skip(28)  // its size, versions, disks, and entries on this one
      count = try reader.integer(UInt64.self)
      size = try reader.integer(UInt64.self)
      offset = try reader.integer(UInt64.self)
    }
    guard let count = Int(exactly: count), let start = Int(exactly: offset), let size = Int(exactly: size),
      start <= end, size <= end - start
    else { throw FormatFlaw("its directory lies beyond its end: damaged, or cut short") }
    guard size <= ZipDirectory.maximumSize else {
      throw FormatFlaw("its directory of \(size) bytes is longer than the \(ZipDirectory.maximumSize) that are read")
    }
    self.count = count
    range = start..<(start + size)
  }

  /// The record has a comment of up to 65535 bytes, which reaches to the end of the file.
  private static func position(_ bytes: UnsafeRawBufferPointer) throws -> Int {
    let last = bytes.count - 22
    for position in stride(from: last, through: max(0, last - 0xFFFF), by: -1)
    where bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self).littleEndian == 0x0605_4B50 {
      let comment = bytes.loadUnaligned(fromByteOffset: position + 20, as: UInt16.self).littleEndian
      if Int(comment) == last - position { return position }
    }
    throw FormatFlaw("the directory at the end of the zip archive is missing: the file is cut short")
  }

  private static func zip64Record(_ bytes: UnsafeRawBufferPointer, before position: Int) throws -> Int? {
    guard position >= 20 else { return nil }
    var locator = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[(position - 20)..<position]))
    guard try locator.integer(UInt32.self) == 0x0706_4B50 else { return nil }
    try locator.skip(4)  // disk
    guard let record = Int(exactly: try locator.integer(UInt64.self)), record <= position - 20 - 56,
      bytes.loadUnaligned(fromByteOffset: record, as: UInt32.self).littleEndian == 0x0606_4B50
    else { throw FormatFlaw("its zip64 directory is not where it should be: damaged, or cut short") }
    return record
  }
}
