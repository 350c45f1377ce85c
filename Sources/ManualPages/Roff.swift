/// The little of roff and of the macros of man(7) that the pages use. Every function takes plain text.
enum Roff {
  /// Text that any terminal shows, and a reader can copy, as it stands: roff would make typographic signs of some
  /// characters, and commands of dots and apostrophes that begin a line.
  static func text(_ plain: some StringProtocol) -> String {
    var escaped = ""
    for scalar in plain.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\e"
      case "-": escaped += "\\-"
      case "'": escaped += "\\(aq"
      case "`": escaped += "\\(ga"
      case "^": escaped += "\\(ha"
      case "~": escaped += "\\(ti"
      case "\"": escaped += "\\(dq"
      case "\n", "\t": escaped += " "
      case _ where scalar.isASCII: escaped.unicodeScalars.append(scalar)
      default:
        let digits = String(scalar.value, radix: 16, uppercase: true)
        escaped += "\\[u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "]"
      }
    }
    return escaped.hasPrefix(".") ? "\\&" + escaped : escaped
  }

  static func bold(_ plain: some StringProtocol) -> String { "\\fB" + text(plain) + "\\fR" }

  static func italic(_ plain: some StringProtocol) -> String { "\\fI" + text(plain) + "\\fR" }

  static func section(_ title: String) -> String { ".SH " + quoted(title.uppercased()) }

  static func subsection(_ title: String) -> String { ".SS " + quoted(title) }

  static func quoted(_ plain: String) -> String { "\"" + text(plain) + "\"" }
}
