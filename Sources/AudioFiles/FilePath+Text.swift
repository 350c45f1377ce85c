/// Any bytes as text and back, for what passes names on as text, such as a parser of command lines.
///
/// Bytes that are not UTF-8 become characters of a range that Unicode leaves to private use; so do the bytes of these
/// characters themselves, should a name hold them. All other text stays what it is, and no two paths become one text.
extension FilePath {
  /// What stands for the bytes from 0x80 to 0xFF: U+10FE80 to U+10FEFF.
  private static let byteBase: UInt32 = 0x10_FE00
  private static let byteScalars = (byteBase + 0x80)...(byteBase + 0xFF)

  /// The path as text that `init(lossless:)` reads.
  package var losslessText: String {
    if let string, !string.unicodeScalars.contains(where: { FilePath.byteScalars.contains($0.value) }) { return string }
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var offset = 0
    var text = String.UnicodeScalarView()
    while true {
      let length: Int
      switch parser.parseScalar(from: &iterator) {
      case .emptyInput: return String(text)
      case .error(let count): length = count
      case .valid(let encoded):
        let scalar = Unicode.UTF8.decode(encoded)
        if !FilePath.byteScalars.contains(scalar.value) {
          text.append(scalar)
          offset += encoded.count
          continue
        }
        length = encoded.count
      }
      text.append(
        contentsOf: bytes[offset..<offset + length].compactMap { Unicode.Scalar(FilePath.byteBase + UInt32($0)) })
      offset += length
    }
  }

  /// The path of which `text` is the `losslessText`; other text gives its UTF-8 bytes.
  package init(lossless text: String) {
    self.init(
      bytes: text.unicodeScalars.flatMap { scalar -> [UInt8] in
        FilePath.byteScalars.contains(scalar.value)
          ? [UInt8(scalar.value - FilePath.byteBase)] : Array(String(scalar).utf8)
      })
  }
}
