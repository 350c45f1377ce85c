/// What stands before the frames of an MP3 file: an ID3 tag of version 2.4.
///
/// It is our own because LAME, through which libsndfile writes tags, takes texts for Latin-1 and garbles all others.
enum ID3Tag {
  /// The whole tag; nothing if there are no tags.
  static func bytes(_ tags: AudioTags) -> [UInt8] {
    let frames = tags.fields.flatMap { frame($0.field, $0.text) }
    if frames.isEmpty { return [] }
    // Version 2.4.0 without flags.
    return Array("ID3".utf8) + [4, 0, 0] + size(frames.count) + frames
  }

  private static func frame(_ field: AudioTags.Field, _ text: String) -> [UInt8] {
    // 3 is UTF-8.
    let content =
      switch field {
      // Language, an empty description, the text.
      case .comment: [3] + Array("XXX".utf8) + [0] + Array(text.utf8)
      // A text of any name.
      case .licence: [3] + Array("LICENSE".utf8) + [0] + Array(text.utf8)
      default: [3] + Array(text.utf8)
      }
    return Array(name(field).utf8) + size(content.count) + [0, 0] + content
  }

  private static func name(_ field: AudioTags.Field) -> String {
    switch field {
    case .title: "TIT2"
    case .artist: "TPE1"
    case .album: "TALB"
    case .trackNumber: "TRCK"
    case .date: "TDRC"
    case .genre: "TCON"
    case .comment: "COMM"
    case .copyright: "TCOP"
    case .licence: "TXXX"
    }
  }

  /// Four bytes of seven bits each, so that no byte looks like the begin of an MP3 frame.
  private static func size(_ count: Int) -> [UInt8] {
    [21, 14, 7, 0].map { UInt8(count >> $0 & 0x7F) }
  }
}
