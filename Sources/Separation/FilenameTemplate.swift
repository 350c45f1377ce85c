/// The name of a stem's file inside the model's folder, with placeholders: `--filename` of `demucs`.
///
/// `{track}` is the name of the song's file before its last dot, `{trackext}` what follows that dot (the whole name if
/// there is none, as in `demucs`), `{stem}` the stem and `{ext}` the extension of the file written. A doubled brace
/// stands for one.
public struct FilenameTemplate: Equatable, Sendable {
  /// What `demucs` uses.
  public static let standard = FilenameTemplate(
    text: "{track}/{stem}.{ext}",
    pieces: [.value(.track), .text("/"), .value(.stem), .text("."), .value(.ext)])

  /// The template as written.
  public let text: String

  private enum Placeholder: String { case track, trackext, stem, ext }

  private enum Piece: Equatable {
    case text(String)
    case value(Placeholder)
  }

  private let pieces: [Piece]

  private init(text: String, pieces: [Piece]) {
    self.text = text
    self.pieces = pieces
  }

  /// - Throws: `OutputError` for an unknown placeholder, a single brace, or a template without `{stem}`.
  public init(_ text: String) throws {
    self.init(text: text, pieces: try FilenameTemplate.parse(text))
    guard pieces.contains(.value(.stem)) else { throw OutputError.missingStem(template: text) }
  }

  /// Whether the template names a place of its own rather than one inside the model's folder.
  var isAbsolute: Bool { text.hasPrefix("/") }

  /// Puts the values in.
  /// - Parameter file: name of the song's file, without folders.
  func resolve(file: String, stem: String, fileExtension: String) -> String {
    let (track, trackExtension) = FilenameTemplate.split(file)
    return pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .value(.track): track
      case .value(.trackext): trackExtension
      case .value(.stem): stem
      case .value(.ext): fileExtension
      }
    }.joined()
  }

  /// Python's `rsplit(".", 1)`, but a name such as `.wav` or `...wav`, whose front part would be no name for a
  /// folder, is taken whole.
  private static func split(_ file: String) -> (track: String, trackExtension: String) {
    guard let dot = file.lastIndex(of: ".") else { return (file, file) }
    let track = String(file[..<dot])
    return (["", ".", ".."].contains(track) ? file : track, String(file[file.index(after: dot)...]))
  }

  private static func parse(_ text: String) throws -> [Piece] {
    var pieces: [Piece] = []
    var plain = ""
    var rest = Substring(text)
    while let character = rest.popFirst() {
      guard character == "{" || character == "}" else {
        plain.append(character)
        continue
      }
      if rest.first == character {
        plain.append(rest.removeFirst())
        continue
      }
      guard character == "{", let end = rest.firstIndex(where: { "{}".contains($0) }), rest[end] == "}" else {
        throw OutputError.unbalancedBrace(template: text)
      }
      guard let placeholder = Placeholder(rawValue: String(rest[..<end])) else {
        throw OutputError.unknownPlaceholder(String(rest[..<end]), template: text)
      }
      if !plain.isEmpty { pieces.append(.text(plain)) }
      plain = ""
      pieces.append(.value(placeholder))
      rest = rest[rest.index(after: end)...]
    }
    if !plain.isEmpty { pieces.append(.text(plain)) }
    return pieces
  }
}
