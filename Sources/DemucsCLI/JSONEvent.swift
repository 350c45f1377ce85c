import AudioFiles
import Foundation
import Separation

/// A line of `--progress json`: docs/json.md.
enum JSONEvent {
  enum Value: Encodable {
    case text(String)
    case number(Double)
    case integer(Int)

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let text): try container.encode(text)
      // A time left of a song that has hardly begun may be anything.
      case .number(let number): try container.encode(number.isFinite ? TrackReport.rounded(number) : 0)
      case .integer(let number): try container.encode(number)
      }
    }
  }

  typealias Object = [String: Value]

  /// A step of a song.
  static func object(
    _ name: String, song: Song, number: Int, of total: Int, _ values: Object = [:]
  ) -> Object {
    let (text, bytes) = TrackReport.text(song.argument)
    var all = values
    all["event"] = .text(name)
    all["track"] = .integer(number)
    all["total"] = .integer(total)
    all["input"] = .text(text)
    if let bytes { all["inputBytes"] = .text(bytes) }
    return all
  }

  static func line(_ values: Object) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(values)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// Says that the program was told to stop, last of all.
  static var interrupted: String { line(["event": .text("interrupted")]) }

  /// A line that is text elsewhere: its level is told by how it begins.
  static func message(_ line: String) -> String {
    for (start, level) in [("Error: ", "error"), ("Warning: ", "warning"), ("Note: ", "note")]
    where line.hasPrefix(start) {
      return self.line([
        "event": .text("message"), "level": .text(level), "text": .text(String(line.dropFirst(start.count))),
      ])
    }
    return self.line(["event": .text("message"), "level": .text("note"), "text": .text(line)])
  }
}

extension Console {
  /// Tells a front end of a step of a song, if there is one that reads.
  func event(
    _ name: String, song: Song, number: Int, of total: Int, _ values: JSONEvent.Object = [:]
  ) {
    guard style == .json else { return }
    event(JSONEvent.object(name, song: song, number: number, of: total, values))
  }
}
