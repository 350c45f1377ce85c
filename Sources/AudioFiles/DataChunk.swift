/// Where the samples of an uncompressed container lie, and how many bytes of them its header states.
///
/// libsndfile shortens that to what the file holds and keeps silent about it, so that a recording cut short in a download
/// looks whole; and it finds nothing where a header was never finished, as programs leave it that write to a pipe or are
/// killed. This walk over the headers finds out.
struct DataChunk {
  private enum Container { case wave, longWave, iff, wave64, coreAudio, au }

  private let file: FileDescriptor
  private let container: Container
  private let isBigEndian: Bool
  /// Offset in bytes of the first sample.
  private let start: Int
  /// Where the header says how many bytes there are.
  private let sizeField: Range<Int>
  private let fileByteCount: Int
  /// Bytes of samples, as the header says; `ChunkList.unknownByteCount` for more than any file has.
  let statedByteCount: Int
  /// Chunks behind the samples, if the header is right; nil for a container that has none.
  private let chunksBehind: (layout: ChunkList.Layout, start: Int)?

  /// - Returns: nil for other containers, and where no samples are found.
  init?(in file: FileDescriptor) {
    let head = file.bytes(at: 0, count: 40)
    guard head.count >= 12 else { return nil }
    let isWave = head[8..<12].elementsEqual("WAVE".utf8)
    switch Array(head[0..<4]) {
    case Array("RIFF".utf8) where isWave: self.init(.wave, "data", .riff, in: file)
    case Array("RIFX".utf8) where isWave: self.init(.wave, "data", .iff, in: file)
    case Array("RF64".utf8) where isWave:
      guard head.count >= 36, head[12..<16].elementsEqual("ds64".utf8) else { return nil }
      let size = ChunkList.integer(head[28..<36])
      self.init(
        .longWave, "data", .riff, in: file, longByteCount: Int(clamping: min(size, UInt64(ChunkList.unknownByteCount))))
    // SSND starts with 8 bytes of offset and block size.
    case Array("FORM".utf8): self.init(.iff, "SSND", .iff, in: file, skipping: 8)
    case Array("riff".utf8): self.init(.wave64, "data", .wave64, in: file)
    // The number of edits.
    case Array("caff".utf8): self.init(.coreAudio, "data", .coreAudio, in: file, skipping: 4)
    case Array(".snd".utf8): self.init(au: head, isBigEndian: true, in: file)
    case Array("dns.".utf8): self.init(au: head, isBigEndian: false, in: file)
    default: return nil
    }
  }

  private init?(
    _ container: Container, _ name: String, _ layout: ChunkList.Layout, in file: FileDescriptor, skipping: Int = 0,
    longByteCount: Int? = nil
  ) {
    let chunks = ChunkList(file, layout, longDataByteCount: longByteCount)
    guard let chunk = chunks.first(where: { $0.isNamed(name) }) else { return nil }
    (self.file, fileByteCount) = (file, file.size)
    (self.container, isBigEndian) = (container, layout.isBigEndian)
    start = chunk.start + skipping
    sizeField = chunk.start - layout.sizeByteCount..<chunk.start
    statedByteCount =
      chunk.byteCount < ChunkList.unknownByteCount ? max(0, chunk.byteCount - skipping) : chunk.byteCount
    // Sizes that leave out what is skipped are wrong, and mean no samples.
    chunksBehind = (layout, max(chunk.end, start))
  }

  private init(au head: [UInt8], isBigEndian: Bool, in file: FileDescriptor) {
    func number(_ bytes: ArraySlice<UInt8>) -> Int {
      Int(ChunkList.integer(isBigEndian ? bytes.reversed() : Array(bytes)))
    }
    (self.file, fileByteCount) = (file, file.size)
    (container, self.isBigEndian) = (.au, isBigEndian)
    (start, statedByteCount, sizeField) = (number(head[4..<8]), number(head[8..<12]), 8..<12)
    chunksBehind = nil
  }

  /// Bytes from the first sample to the end of the file.
  private var heldByteCount: Int { max(0, fileByteCount - start) }

  /// Whether the size is a mark of programs that could not come back to fill it in, and legal in some containers.
  private var isPlaceholder: Bool {
    switch container {
    // 0xFFFFFFFF less a header (ffmpeg), 0x7FFFF000 less part of a frame (SoX).
    case .wave, .longWave:
      (0xFFFF_FF00...0xFFFF_FFFF).contains(statedByteCount) || (0x7FFF_E000...0x7FFF_FFFF).contains(statedByteCount)
        || statedByteCount == ChunkList.unknownByteCount
    // 0x7F000000 less part of a frame (SoX), and what is said of WAV.
    case .iff:
      (0xFFFF_FF00...0xFFFF_FFFF).contains(statedByteCount) || (0x7FFF_E000...0x7FFF_FFFF).contains(statedByteCount)
        || (0x7EFF_F000...0x7F00_0000).contains(statedByteCount)
    case .wave64, .coreAudio: statedByteCount == ChunkList.unknownByteCount
    case .au: statedByteCount == UInt32.max
    }
  }

  /// Bytes of samples that the header promises; nil where it does not say.
  var promisedByteCount: Int? { isPlaceholder ? nil : statedByteCount }

  /// Bytes behind the samples that are neither samples, if the header is right, nor chunks.
  var strayByteCount: Int {
    guard !isPlaceholder, statedByteCount < heldByteCount else { return 0 }
    guard let chunksBehind else { return heldByteCount - statedByteCount }
    var end = chunksBehind.start
    for chunk in ChunkList(file, chunksBehind.layout, from: end) {
      let isName = chunk.name.allSatisfy { (0x20..<0x7F).contains($0) }
      guard isName, chunk.byteCount <= fileByteCount - chunk.start else { break }
      end = chunk.end
    }
    return max(0, fileByteCount - end)
  }

  /// What libsndfile is to read in the place of the header's words, so that it finds the samples up to the end of the file.
  /// - Parameter frameCount: what it finds by itself; nil where it refuses the file.
  /// - Returns: nil where that is right, or is not to be helped.
  func repair(frameCount: Int?) -> [PatchedFile.Patch]? {
    if let frameCount, frameCount > 0 {
      // It takes the mark for a size.
      guard isPlaceholder, statedByteCount < heldByteCount else { return nil }
    } else {
      guard heldByteCount > 0, statedByteCount >= heldByteCount || strayByteCount > 0 else { return nil }
    }
    switch container {
    case .wave where heldByteCount < 0xFFFF_FF00 || isBigEndian:
      return [.init(sizeField, bytes(UInt32(clamping: heldByteCount)))]
    case .wave:
      let sizes = bytes(UInt64(fileByteCount + 28)) + bytes(UInt64(heldByteCount)) + bytes(UInt64(0)) + bytes(UInt32(0))
      let form = Array("RF64".utf8) + bytes(UInt32.max) + Array("WAVEds64".utf8) + bytes(UInt32(sizes.count))
      return [.init(0..<12, form + sizes), .init(sizeField, bytes(UInt32.max))]
    case .longWave:
      return [.init(28..<36, bytes(UInt64(heldByteCount))), .init(sizeField, bytes(UInt32.max))]
    // Where there is no size libsndfile takes what there is.
    case .iff: return [.init(sizeField, bytes(UInt32(0)))]
    case .au: return [.init(sizeField, bytes(UInt32.max))]
    case .coreAudio: return [.init(sizeField, bytes(UInt64(start - sizeField.upperBound + heldByteCount)))]
    case .wave64: return nil
    }
  }

  private func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    Swift.withUnsafeBytes(of: isBigEndian ? value.bigEndian : value.littleEndian) { Array($0) }
  }
}
