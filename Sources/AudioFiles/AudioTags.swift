/// What an audio file says about its content: title, artist and so on. Cover pictures are not among it, as libsndfile
/// knows none.
public struct AudioTags: Sendable, Equatable {
  /// One kind of text. The order is the one in which tags are written.
  public enum Field: String, CaseIterable, Sendable {
    case title, artist, album, trackNumber, date, genre, comment, copyright, licence
  }

  private var texts: [Field: String] = [:]

  /// No tags.
  public init() {}

  public var isEmpty: Bool { texts.isEmpty }

  /// Bytes of UTF-8 that a text may have; a longer one is no tag but a mistake, and is left out.
  public static let lengthLimit = 1 << 16

  /// The text of a field; nil where there is none. Texts that are empty or too long are not kept.
  public subscript(field: Field) -> String? {
    get { texts[field] }
    set {
      let isUsable = newValue.map { !$0.isEmpty && $0.utf8.count <= AudioTags.lengthLimit } ?? false
      texts[field] = isUsable ? newValue : nil
    }
  }

  /// The fields that have a text, in the order of `Field`.
  public var fields: [(field: Field, text: String)] {
    Field.allCases.compactMap { field in texts[field].map { (field, $0) } }
  }

  /// These tags for a stem of the song: its name stands behind the title.
  public func naming(stem: String) -> AudioTags {
    guard let title = self[.title] else { return self }
    var tags = self
    tags[.title] = "\(title) (\(stem))"
    return tags
  }
}

/// The text that bytes of a tag stand for: UTF-8, or else Windows-1252, in which older programs wrote.
///
/// Spaces and zeros around it are padding. Control characters other than line feeds and tabs are left out, as not every
/// format may hold them.
func tagText(_ bytes: [UInt8]) -> String {
  let text =
    String(validating: bytes, as: UTF8.self)
    ?? String(
      String.UnicodeScalarView(
        bytes.compactMap { byte in
          (0x80..<0xA0).contains(byte) ? windows1252[Int(byte) - 0x80].map { $0 } : Unicode.Scalar(byte)
        }))
  let scalars = text.unicodeScalars.filter { $0.properties.generalCategory != .control || $0 == "\n" || $0 == "\t" }
  let isPadding = { (scalar: Unicode.Scalar) in scalar.properties.isWhitespace }
  guard let first = scalars.firstIndex(where: { !isPadding($0) }),
    let last = scalars.lastIndex(where: { !isPadding($0) })
  else { return "" }
  return String(String.UnicodeScalarView(scalars[first...last]))
}

/// Characters 0x80 to 0x9F, where Windows-1252 differs from Latin-1; nil where there is none.
private let windows1252: [Unicode.Scalar?] = [
  "€", nil, "‚", "ƒ", "„", "…", "†", "‡", "ˆ", "‰", "Š", "‹", "Œ", nil, "Ž", nil,
  nil, "‘", "’", "“", "”", "•", "–", "—", "˜", "™", "š", "›", "œ", nil, "ž", "Ÿ",
]
