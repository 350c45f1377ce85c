import CSndfile

/// Why libsndfile does not open a file: whose business the file is then.
enum Refusal {
  /// Of a format, or with a codec, that ffmpeg may read.
  case foreign
  /// Of a format that libsndfile reads, cut short in its header or damaged.
  case damaged(container: String)
  /// It begins like nothing that is known.
  case unknown

  /// - Parameter code: libsndfile's error.
  init(_ file: FileDescriptor, code: Int) {
    let head = file.bytes(at: 0, count: 64)
    if head.count < 12 {
      // libsndfile tells no format by less.
      self = Refusal.container(of: head).map { .damaged(container: $0) } ?? Refusal(foreign: file)
    } else if let container = Refusal.container(of: head) {
      let isForeign =
        switch container {
        case "WAV": ForeignCodec.isInWAVE(file)
        case "AIFF": ForeignCodec.isInAIFF(file)
        case "CAF": code == SF_ERR_UNSUPPORTED_ENCODING
        case "Ogg": ForeignCodec.isInOgg(file)
        case "MP3": ForeignCodec.isBehindID3(file, head)
        default: false
        }
      self = isForeign ? .foreign : .damaged(container: container)
    } else {
      let isOther = [SF_ERR_UNRECOGNISED_FORMAT, SF_ERR_UNSUPPORTED_ENCODING].contains(code)
      self = isOther ? Refusal(foreign: file) : .unknown
    }
  }

  private init(foreign file: FileDescriptor) { self = MediaSignature.isFound(in: file) ? .foreign : .unknown }

  /// The container of libsndfile's that a file begins like. Of RIFF and FORM, in which there is more than sound, the kind
  /// counts where there is room for one.
  private static func container(of head: [UInt8]) -> String? {
    func isAt(_ offset: Int, _ words: String...) -> Bool {
      words.contains { head.dropFirst(offset).starts(with: $0.utf8) }
    }
    if isAt(0, "RIFF", "RIFX", "RF64") { return head.count < 12 || isAt(8, "WAVE") ? "WAV" : nil }
    if isAt(0, "FORM") {
      if head.count < 12 || isAt(8, "AIFF", "AIFC") { return "AIFF" }
      return isAt(8, "8SVX", "16SV") ? "SVX" : nil
    }
    let names = [
      "fLaC": "FLAC", "OggS": "Ogg", "riff": "W64", "caff": "CAF", ".snd": "AU", "ID3": "MP3",
      "Creative Voice File": "VOC",
    ]
    return names.first { isAt(0, $0.key) }?.value
  }
}

/// Codecs that libsndfile lacks, in containers that it reads. Headers that are not whole hold none.
private enum ForeignCodec {
  /// Numbers of `WAVE_FORMAT` that ffmpeg knows: layers of MPEG, AAC, WMA, AC-3, DTS, ATRAC3, Vorbis, FLAC, Speex and
  /// several of ADPCM.
  private static let waveTags: Set<Int> = [
    0x10, 0x17, 0x20, 0x22, 0x42, 0x45, 0x50, 0x61, 0x62, 0x69, 0x75, 0x83, 0xFF, 0x160, 0x161, 0x162, 0x163, 0x200,
    0x270, 0x566F, 0x674F, 0x6750, 0x6751, 0x676F, 0x6770, 0x6771, 0x706D, 0x1600, 0x1601, 0x1602, 0x1610, 0x2000,
    0x2001, 0xA109, 0xF1AC,
  ]

  static func isInWAVE(_ file: FileDescriptor) -> Bool {
    guard let chunk = ChunkList(file).first(where: { $0.isNamed("fmt ") }) else { return false }
    let format = file.bytes(at: chunk.start, count: min(40, chunk.byteCount))
    guard format.count >= 16 else { return false }
    // WAVE_FORMAT_EXTENSIBLE has the number in front of its GUID.
    let isExtensible = ChunkList.integer(format[0..<2]) == 0xFFFE
    guard !isExtensible || format.count >= 26 else { return false }
    return waveTags.contains(Int(ChunkList.integer(isExtensible ? format[24..<26] : format[0..<2])))
  }

  /// QuickTime's, in AIFF-C.
  static func isInAIFF(_ file: FileDescriptor) -> Bool {
    guard let chunk = ChunkList(file, .iff).first(where: { $0.isNamed("COMM") }), chunk.byteCount >= 22
    else { return false }
    let name = file.bytes(at: chunk.start + 18, count: 4)
    return ["QDMC", "QDM2", "Qclp", "MAC3", "MAC6", "ADP4", "agsm", "alac"].contains { name.elementsEqual($0.utf8) }
  }

  /// The first page tells the codec of its stream: Speex, or Theora and so a video.
  static func isInOgg(_ file: FileDescriptor) -> Bool {
    guard let content = OggPages.content(ofPageAt: 0, in: file) else { return false }
    return !["\u{1}vorbis", "OpusHead", "\u{7F}FLAC"].contains { content.starts(with: $0.utf8) }
  }

  /// AAC and others may stand behind a tag, as MP3 does.
  static func isBehindID3(_ file: FileDescriptor, _ head: [UInt8]) -> Bool {
    let size = head[6..<10].reduce(0) { $0 << 7 | Int($1 & 0x7F) }
    return MediaSignature.isFound(in: file, at: 10 + size)
  }
}
