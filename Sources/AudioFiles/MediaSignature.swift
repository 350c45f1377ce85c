/// What a file of sound or pictures begins with whose format libsndfile does not know.
///
/// ffmpeg is asked about these alone: it finds sound in files that hold none, and takes its time over them.
enum MediaSignature {
  private struct Pattern {
    let offset: Int
    let bytes: [UInt8]

    init(_ text: String, at offset: Int = 0) { (self.offset, bytes) = (offset, Array(text.utf8)) }

    init(_ bytes: [UInt8], at offset: Int = 0) { (self.offset, self.bytes) = (offset, bytes) }
  }

  private static let patterns: [Pattern] =
    ["ftyp", "moov", "mdat", "wide", "skip", "free"].map { Pattern($0, at: 4) }  // MP4, M4A, QuickTime
    + [
      Pattern([0x1A, 0x45, 0xDF, 0xA3]),  // Matroska, WebM
      Pattern([0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11]),  // WMA, ASF
      Pattern("AVI ", at: 8), Pattern("AMV ", at: 8), Pattern("CDXA", at: 8), Pattern("QLCM", at: 8),  // RIFF
      Pattern("ADIF"), Pattern([0x0B, 0x77]), Pattern([0x7F, 0xFE, 0x80, 0x01]),  // AAC, AC-3, DTS
      Pattern("wvpk"), Pattern("TTA1"), Pattern("MAC "), Pattern("MPCK"), Pattern("MP+"), Pattern("tBaK"),
      Pattern("DSD "), Pattern("FRM8"), Pattern("BW64"), Pattern("#!AMR"), Pattern("FLV"), Pattern(".RMF"),
      Pattern([0x2E, 0x72, 0x61, 0xFD]),
      Pattern([0, 0, 1, 0xBA]), Pattern([0, 0, 1, 0xB3]),  // MPEG programme and video streams
    ]

  /// Whether a file, or what it holds from an offset in bytes on, begins like one of sound or pictures.
  static func isFound(in file: FileDescriptor, at start: Int = 0) -> Bool {
    let head = file.bytes(at: start, count: 16)
    // AAC in ADTS: 12 bits of 1, a version, a layer of 0.
    if head.count >= 2, head[0] == 0xFF, head[1] & 0xF6 == 0xF0 { return true }
    return patterns.contains { $0.offset <= head.count && head.dropFirst($0.offset).starts(with: $0.bytes) }
      || [0, 188, 376].allSatisfy { file.bytes(at: start + $0, count: 1) == [0x47] }  // MPEG transport stream
  }
}
