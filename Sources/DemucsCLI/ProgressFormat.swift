import Separation

/// Progress as text.
///
/// `package`, as the tests read it.
package enum ProgressFormat {
  /// A line for a terminal, at most `width` columns: name, percent, bar, rate, time left.
  /// - Parameters:
  ///   - name: name of the song.
  ///   - elapsed: seconds since the separation began.
  package static func bar(
    name: String, progress: SeparationProgress, elapsed: Double, width: Int
  ) -> String {
    let share = share(progress)
    let percent = "\(Int(share * 100))%"
    let tail = [percent, rate(progress, elapsed), timeLeft(progress, elapsed)].compactMap { $0 }
      .joined(separator: "  ")
    // The last column stays free: some terminals wrap when it is written.
    let room = width - 1 - columns(tail) - 2
    guard room >= 4 else { return truncated(tail, to: max(0, width - 1)) }
    let shown = truncated(name, to: max(4, room - 12))
    let barRoom = room - columns(shown) - 3
    guard barRoom >= 4 else { return "\(shown)  \(tail)" }
    let cells = min(barRoom, 40)
    let filled = Int(Double(cells) * share)
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: cells - filled)
    return "\(shown) [\(bar)]  \(tail)"
  }

  /// A line for a log.
  package static func line(name: String, progress: SeparationProgress, elapsed: Double) -> String {
    let parts = [
      "\(Int(share(progress) * 100))%", "\(time(progress.secondsDone)) of \(time(progress.totalSeconds))",
      rate(progress, elapsed), timeLeft(progress, elapsed),
    ]
    return "\(name): " + parts.compactMap { $0 }.joined(separator: ", ")
  }

  /// Seconds as `1:05` or `1:00:05`.
  package static func time(_ seconds: Double) -> String {
    let whole = Int(max(0, seconds).rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let minutes = whole / 60
    guard minutes >= 60 else { return "\(minutes):\(two(whole % 60))" }
    return "\(minutes / 60):\(two(minutes % 60)):\(two(whole % 60))"
  }

  /// How many times faster than the song plays: `1.9x`.
  package static func rate(seconds: Double, elapsed: Double) -> String {
    let tenths = Int((seconds / max(elapsed, 0.001) * 10).rounded())
    return tenths >= 100 ? "\((tenths + 5) / 10)x" : "\(tenths / 10).\(tenths % 10)x"
  }

  /// From 0 to 1.
  static func share(_ progress: SeparationProgress) -> Double {
    progress.totalSeconds > 0 ? progress.secondsDone / progress.totalSeconds : 0
  }

  private static func rate(_ progress: SeparationProgress, _ elapsed: Double) -> String? {
    progress.secondsDone > 0 ? rate(seconds: progress.secondsDone, elapsed: elapsed) : nil
  }

  private static func timeLeft(_ progress: SeparationProgress, _ elapsed: Double) -> String? {
    secondsLeft(progress, elapsed).map { "\(time($0)) left" }
  }

  /// Seconds that the song will still take; nil while nothing is known.
  static func secondsLeft(_ progress: SeparationProgress, _ elapsed: Double) -> Double? {
    progress.secondsDone > 0 ? elapsed * (progress.totalSeconds / progress.secondsDone - 1) : nil
  }

  /// Columns that a terminal needs: two for East Asian wide characters and emoji.
  private static func columns(_ text: String) -> Int { text.reduce(0) { $0 + columns($1) } }

  private static func columns(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    let wide = [
      0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD,
    ]
    return wide.contains { $0.contains(Int(scalar.value)) } ? 2 : 1
  }

  /// The text, or its beginning and an ellipsis.
  private static func truncated(_ text: String, to width: Int) -> String {
    guard columns(text) > width else { return text }
    var shown = ""
    var used = 1
    for character in text {
      used += columns(character)
      guard used <= width else { break }
      shown.append(character)
    }
    return width > 0 ? shown + "\u{2026}" : ""
  }
}
