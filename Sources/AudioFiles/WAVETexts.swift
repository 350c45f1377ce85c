/// The texts of a WAV's list of information (`LIST` of the kind `INFO`), which may stand before the samples or behind them.
///
/// libsndfile reads them up to the first of about 2 KB, and no further.
enum WAVETexts {
  /// Bytes of the list that are looked at.
  private static let lengthLimit = 1 << 20

  /// The tags in the lists of a file; none of a file that is no WAV.
  static func tags(in file: FileDescriptor) -> AudioTags {
    var tags = AudioTags()
    let head = file.bytes(at: 0, count: 12)
    guard head.count == 12, head[8..<12].elementsEqual("WAVE".utf8) else { return tags }
    let isLong = head[0..<4].elementsEqual("RF64".utf8)
    guard isLong || head[0..<4].elementsEqual("RIFF".utf8) else { return tags }
    let chunks = ChunkList(file, longDataByteCount: isLong ? DataChunk(in: file)?.statedByteCount : nil)
    for chunk in chunks where chunk.isNamed("LIST") {
      let list = file.bytes(at: chunk.start, count: min(chunk.byteCount, lengthLimit))
      if list.starts(with: "INFO".utf8) { add(list.dropFirst(4), to: &tags) }
    }
    return tags
  }

  /// Name, size, content, padding, again and again; the first text of a field counts.
  private static func add(_ list: ArraySlice<UInt8>, to tags: inout AudioTags) {
    var rest = list
    while rest.count > 8 {
      let size = Int(ChunkList.integer(rest.dropFirst(4).prefix(4)))
      let content = rest.dropFirst(8).prefix(size)
      if content.count == size, let field = field(rest.prefix(4)), tags[field] == nil {
        tags[field] = tagText(Array(content.prefix { $0 != 0 }))
      }
      rest = rest.dropFirst(8).dropFirst(size + size % 2)
    }
  }

  private static func field(_ name: ArraySlice<UInt8>) -> AudioTags.Field? {
    AudioTags.Field.allCases.first { $0.waveName.map { name.elementsEqual($0.utf8) } ?? false }
  }
}

extension AudioTags.Field {
  /// The name in a list of information; nil for what RIFF does not know.
  var waveName: String? {
    switch self {
    case .title: "INAM"
    case .artist: "IART"
    case .album: "IPRD"
    case .trackNumber: "ITRK"
    case .date: "ICRD"
    case .genre: "IGNR"
    case .comment: "ICMT"
    case .copyright: "ICOP"
    case .licence: nil
    }
  }
}
