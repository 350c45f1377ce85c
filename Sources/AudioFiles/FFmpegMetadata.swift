/// What ffmpeg says of a file's content in its format `ffmetadata`: a line `key=value` for each tag, in which a backslash
/// stands before `=`, `;`, `#`, a backslash and a line break that belong to a key or a value. Sections of streams and
/// chapters follow, each behind its name in brackets.
enum FFmpegMetadata {
  /// Bytes that are looked at.
  static let lengthLimit = 1 << 20

  /// The tags of a whole text; what is not understood is left out.
  static func tags(_ text: [UInt8]) -> AudioTags {
    var tags = AudioTags()
    for line in lines(text) {
      if line.first?.value == UInt8(ascii: "[") { break }
      guard let sign = line.firstIndex(where: { $0 == Byte(value: UInt8(ascii: "="), isEscaped: false) }) else {
        continue
      }
      let key = String(decoding: line[..<sign].map(\.value), as: UTF8.self).lowercased()
      guard let field = field(key), tags[field] == nil else { continue }
      tags[field] = tagText(line[(sign + 1)...].map(\.value))
    }
    return tags
  }

  private struct Byte: Equatable {
    let value: UInt8
    let isEscaped: Bool
  }

  private static func lines(_ text: [UInt8]) -> [[Byte]] {
    var bytes: [Byte] = []
    var isEscaped = false
    for byte in text {
      if byte == UInt8(ascii: "\\"), !isEscaped {
        isEscaped = true
      } else {
        bytes.append(Byte(value: byte, isEscaped: isEscaped))
        isEscaped = false
      }
    }
    return bytes.split(separator: Byte(value: UInt8(ascii: "\n"), isEscaped: false)).map(Array.init)
  }

  private static func field(_ key: String) -> AudioTags.Field? {
    switch key {
    case "title": .title
    case "artist": .artist
    case "album": .album
    case "track", "tracknumber": .trackNumber
    case "date", "year": .date
    case "genre": .genre
    case "comment": .comment
    case "copyright": .copyright
    case "license": .licence
    default: nil
    }
  }
}
