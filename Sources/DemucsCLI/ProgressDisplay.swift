import Separation
import Synchronization

/// Shows the progress of one song on the console.
final class ProgressDisplay: Sendable {
  let song: Song
  /// Number of the song, from 1.
  let number: Int
  private let total: Int
  private let console: Console
  private let name: String
  private let state = Mutex(State())

  private struct State {
    /// When it became the song's turn; nil while another song's progress is shown.
    var start: ContinuousClock.Instant?
    var lastLine = 0.0
  }

  /// - Parameter name: what the song is called, so that it is told from others.
  init(song: Song, name: String, number: Int, of total: Int, console: Console) {
    (self.song, self.number, self.total, self.console) = (song, number, total, console)
    self.name = (total > 1 ? "[\(number)/\(total)] " : "") + name
  }

  /// A display of something that is no song of a list, and whose turn it is.
  convenience init(name: String, console: Console) {
    let song = Song(name)
    self.init(song: song, name: song.name.description, number: 1, of: 1, console: console)
    begin()
  }

  /// Says that it is the song's turn.
  func begin() {
    state.withLock { $0.start = .now }
    console.event("start", song: song, number: number, of: total)
  }

  /// Says that the song is separated, which may not be known yet when its turn comes.
  func announce() {
    if console.style == .log { console.note("\(name): separating") }
  }

  /// Seconds since the song's turn came.
  var elapsed: Double { state.withLock { state in state.start.map { (ContinuousClock.now - $0) / .seconds(1) } ?? 0 } }

  /// Says how much of the song has been read while it is measured.
  func show(reading seconds: Double) {
    guard isDue else { return }
    switch console.style {
    case .terminal: console.bar("\(name): read \(ProgressFormat.time(seconds))")
    case .log: console.note("\(name): read \(ProgressFormat.time(seconds))")
    case .json:
      console.event("reading", song: song, number: number, of: total, ["secondsRead": .number(seconds)])
    case .quiet, .plain: break
    }
  }

  func show(_ progress: SeparationProgress) {
    let isEnd = progress.chunksDone == progress.totalChunks
    switch console.style {
    case .terminal:
      console.bar(
        ProgressFormat.bar(name: name, progress: progress, elapsed: elapsed, width: Console.width))
    case .log:
      if !isEnd, isDue { console.note(ProgressFormat.line(name: name, progress: progress, elapsed: elapsed)) }
    case .json:
      guard isEnd || isDue else { return }
      var values: [String: JSONEvent.Value] = [
        "fraction": .number(ProgressFormat.share(progress)), "secondsDone": .number(progress.secondsDone),
        "seconds": .number(progress.totalSeconds), "elapsed": .number(elapsed),
      ]
      if let left = ProgressFormat.secondsLeft(progress, elapsed) { values["secondsLeft"] = .number(left) }
      console.event("progress", song: song, number: number, of: total, values)
    case .quiet, .plain: break
    }
  }

  /// Says that the song is done.
  /// - Parameter levels: what was done to its levels.
  func finish(seconds: Double, levels: String? = nil) {
    let elapsed = elapsed
    guard console.style != .json else {
      var values: [String: JSONEvent.Value] = ["seconds": .number(seconds), "elapsed": .number(elapsed)]
      if let levels { values["levels"] = .text(levels) }
      return console.event("done", song: song, number: number, of: total, values)
    }
    console.note(
      "\(name): \(ProgressFormat.time(seconds)) separated in \(ProgressFormat.time(elapsed)) "
        + "(\(ProgressFormat.rate(seconds: seconds, elapsed: elapsed)) real time)")
    if let levels { console.note("\(name): \(levels)") }
  }

  /// Says that the stems of the song are there already.
  func skip() {
    if console.style != .json { console.note("\(name): skipped, its stems are there") }
    console.event("skipped", song: song, number: number, of: total)
  }

  /// Whether it is the song's turn, and time for another line.
  private var isDue: Bool {
    let interval: Double? =
      switch console.style {
      case .terminal: 0
      case .log: 10
      case .json: 0.2
      case .quiet, .plain: nil
      }
    guard let interval else { return false }
    return state.withLock { state in
      guard let start = state.start else { return false }
      let elapsed = (ContinuousClock.now - start) / .seconds(1)
      guard elapsed - state.lastLine >= interval else { return false }
      state.lastLine = elapsed
      return true
    }
  }
}
