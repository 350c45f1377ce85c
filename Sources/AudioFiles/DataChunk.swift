/// The promise of a chunked header (WAV, RF64, W64, AIFF): how many bytes of audio follow.
///
/// libsndfile shortens the promise to what the file holds and keeps silent about it, so that a recording cut
/// short in a download looks whole. This walk over the chunk headers finds out.
enum DataChunk {
  /// Bytes of audio that the header promises; nil for other containers, and for the placeholders that programs
  /// leave when they write to a pipe and cannot come back to fill in the size.
  static func promisedByteCount(in file: FileDescriptor) -> Int? {
    let head = file.bytes(at: 0, count: 40)
    guard head.count >= 12 else { return nil }
    let form = head[8..<12]
    switch Array(head[0..<4]) {
    case Array("RIFF".utf8) where form.elementsEqual("WAVE".utf8):
      return find("data", in: file).flatMap(known)
    case Array("RF64".utf8) where form.elementsEqual("WAVE".utf8):
      guard head.count >= 36, head[12..<16].elementsEqual("ds64".utf8) else { return nil }
      return Int(exactly: ChunkList.integer(head[28..<36]))
    case Array("FORM".utf8):
      // SSND starts with 8 bytes of offset and block size.
      return find("SSND", in: file, isBigEndian: true).flatMap(known).map { max(0, $0 - 8) }
    case Array("riff".utf8):
      return findW64(in: file)
    default:
      return nil
    }
  }

  /// Corrupt sizes could make the walk long; no sane file has so many chunks before its audio.
  private static let chunkLimit = 1000

  /// Size of the first chunk named `name`.
  private static func find(_ name: String, in file: FileDescriptor, isBigEndian: Bool = false) -> Int? {
    ChunkList(file, isBigEndian: isBigEndian).first { $0.isNamed(name) }?.byteCount
  }

  /// W64: 16 bytes of GUID, 8 of size (which counts these 24), content padded to a multiple of 8.
  private static func findW64(in file: FileDescriptor) -> Int? {
    var offset = 40
    for _ in 0..<chunkLimit {
      let header = file.bytes(at: offset, count: 24)
      guard header.count == 24, let size = Int(exactly: ChunkList.integer(header[16..<24])), size >= 24,
        size < Int.max / 2 - offset
      else { return nil }
      if header[0..<4].elementsEqual("data".utf8) { return size - 24 }
      offset += (size + 7) / 8 * 8
    }
    return nil
  }

  private static func known(_ size: Int) -> Int? {
    // 0xFFFFFFFF less a header (ffmpeg), 0x7FFFFFFF less a header (SoX).
    (0xFFFF_FF00...0xFFFF_FFFF).contains(size) || (0x7FFF_F000...0x7FFF_FFFF).contains(size) ? nil : size
  }
}
