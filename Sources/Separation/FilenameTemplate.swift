import AudioFiles

/// The name of a stem's file inside the model's folder, with placeholders: `--filename` of `demucs`.
///
/// `{track}` is the name of the song's file before its last dot, `{trackext}` what follows that dot (the whole name if
/// there is none, as in `demucs`), `{dir}` the song's folder (`Song.folder`), `{stem}` the stem and `{ext}` the extension of
/// the file written. A doubled brace stands for one. Names keep their bytes.
public struct FilenameTemplate: Equatable, Sendable {
  /// What `demucs` uses.
  public static let standard = FilenameTemplate(
    text: "{track}/{stem}.{ext}",
    pieces: [.value(.track), .text(Array("/".utf8)), .value(.stem), .text(Array(".".utf8)), .value(.ext)])

  /// The template as written.
  public let text: FilePath

  private enum Placeholder: String, CaseIterable { case track, trackext, dir, stem, ext }

  private enum Piece: Equatable {
    case text([UInt8])
    case value(Placeholder)
  }

  private let pieces: [Piece]

  private init(text: FilePath, pieces: [Piece]) {
    self.text = text
    self.pieces = pieces
  }

  /// - Throws: `OutputError` for an unknown placeholder, a single brace, or a template without `{stem}`.
  public init(_ text: FilePath) throws {
    self.init(text: text, pieces: try FilenameTemplate.parse(text))
    guard pieces.contains(.value(.stem)) else { throw OutputError.missingStem(template: text) }
  }

  /// The template of UTF-8 text.
  public init(_ text: String) throws { try self.init(FilePath(text)) }

  /// Whether the template names a place of its own rather than one inside the model's folder.
  var isAbsolute: Bool { text.isAbsolute }

  /// Puts the values in.
  func resolve(song: Song, stem: String, fileExtension: String) -> FilePath {
    let (track, trackExtension) = FilenameTemplate.split(song.name.bytes[...])
    var bytes: [UInt8] = []
    bytes.reserveCapacity(128)
    for piece in pieces {
      switch piece {
      case .text(let text): bytes += text
      case .value(.track): bytes += track
      case .value(.trackext): bytes += trackExtension
      case .value(.dir): bytes += song.folder.bytes
      case .value(.stem): bytes += stem.utf8
      case .value(.ext): bytes += fileExtension.utf8
      }
    }
    return FilePath(bytes: bytes)
  }

  /// Python's `rsplit(".", 1)`, but a name such as `.wav` or `...wav`, whose front part would be no name for a
  /// folder, is taken whole.
  private static func split(_ file: ArraySlice<UInt8>) -> (track: ArraySlice<UInt8>, trackExtension: ArraySlice<UInt8>)
  {
    guard let dot = file.lastIndex(of: UInt8(ascii: ".")) else { return (file, file) }
    let track = file[..<dot]
    let isNoName = track.count <= 2 && track.allSatisfy { $0 == UInt8(ascii: ".") }
    return (isNoName ? file : track, file[(dot + 1)...])
  }

  private static func parse(_ text: FilePath) throws -> [Piece] {
    let (opening, closing) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
    var pieces: [Piece] = []
    var plain: [UInt8] = []
    var rest = text.bytes[...]
    while let byte = rest.popFirst() {
      guard byte == opening || byte == closing else {
        plain.append(byte)
        continue
      }
      if rest.first == byte {
        plain.append(rest.removeFirst())
        continue
      }
      guard byte == opening, let end = rest.firstIndex(where: { $0 == opening || $0 == closing }), rest[end] == closing
      else { throw OutputError.unbalancedBrace(template: text) }
      let name = FilePath(bytes: rest[..<end])
      guard let placeholder = Placeholder.allCases.first(where: { FilePath($0.rawValue) == name }) else {
        throw OutputError.unknownPlaceholder(name.description, template: text)
      }
      if !plain.isEmpty { pieces.append(.text(plain)) }
      plain = []
      pieces.append(.value(placeholder))
      rest = rest[(end + 1)...]
    }
    if !plain.isEmpty { pieces.append(.text(plain)) }
    return pieces
  }
}
