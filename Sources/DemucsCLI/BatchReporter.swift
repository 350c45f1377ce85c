import AudioFiles
import Separation
import Synchronization

/// Tells what became of the songs of a command, in their order, and adds it up.
///
/// A song may be reported by another thread than the next; never two at once.
final class BatchReporter: Sendable {
  let console: Console
  private let isJSON: Bool
  /// Songs of the command.
  let total: Int
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  private struct State {
    var model = TrackReport.Model(name: "", networks: [])
    var done = 0
    var skipped = 0
    var failures: [SongFailure] = []
    var seconds = 0.0
    /// Of the song that is being separated.
    var warnings: [String] = []
  }

  init(console: Console, isJSON: Bool, total: Int) {
    (self.console, self.isJSON, self.total) = (console, isJSON, total)
  }

  /// Whether a song has failed.
  var hasFailed: Bool { state.withLock { !$0.failures.isEmpty } }

  /// What the objects of `--json` say of the model.
  func use(model: TrackReport.Model) { state.withLock { $0.model = model } }

  /// Warns of what came up while a song is separated.
  func warn(_ text: String) {
    console.problem("Warning: \(text)")
    state.withLock { $0.warnings.append(text) }
  }

  /// The warnings since this was last asked.
  func takeWarnings() -> [String] {
    state.withLock { state in
      defer { state.warnings = [] }
      return state.warnings
    }
  }

  /// Names the stems of a song.
  /// - Parameter warnings: those that were given already.
  func done(_ file: SeparatedFile, _ display: ProgressDisplay, warnings: [String]) {
    for warning in file.warnings { console.problem("Warning: \(warning)") }
    let levels = file.levels.summary
    display.finish(seconds: file.seconds, levels: levels)
    state.withLock {
      $0.done += 1
      $0.seconds += file.seconds
    }
    print(display.song, display.number, .done, elapsed: display.elapsed, outputs: file.outputs) { report in
      report.add(file)
      report.warnings = warnings + file.warnings
    }
  }

  /// Names the stems of a song that were there already.
  func skipped(_ song: FinishedSong, _ display: ProgressDisplay) {
    display.skip()
    state.withLock { $0.skipped += 1 }
    print(display.song, display.number, .skipped, elapsed: display.elapsed, outputs: song.outputs) { $0.add(song) }
  }

  /// Says what is wrong with a song.
  /// - Parameter isKnown: it was said before work began.
  func failed(_ failure: SongFailure, number: Int, elapsed: Double = 0, isKnown: Bool = false, warnings: [String] = [])
  {
    if !isKnown { announce(failure) }
    console.event("failed", song: failure.song, number: number, of: total, ["code": .text(failure.code)])
    print(failure.song, number, .failed, elapsed: elapsed, outputs: []) { report in
      report.error = TrackReport.Failure(code: failure.code, message: failure.line)
      report.warnings = warnings
    }
  }

  /// Says what is wrong with a song, and counts it, before its turn to be reported.
  func announce(_ failure: SongFailure) {
    state.withLock { $0.failures.append(failure) }
    console.problem("Error: \(failure.line)")
  }

  /// Gives every entry the error that kept all from being begun.
  func failAll(_ entries: [Batch.Entry], _ error: any Error) {
    for entry in entries {
      switch entry.content {
      case .failure(let failure): failed(failure, number: entry.number, isKnown: true)
      case .song(let song): failed(SongFailure(song: song, error: error), number: entry.number, isKnown: true)
      }
    }
  }

  private func print(
    _ song: Song, _ number: Int, _ status: TrackReport.Status, elapsed: Double, outputs: [FilePath],
    _ complete: (inout TrackReport) -> Void
  ) {
    guard isJSON else {
      for output in outputs { console.result(output) }
      return
    }
    var report = TrackReport(
      song: song, track: number, of: total, status: status, model: state.withLock(\.model), elapsed: elapsed)
    complete(&report)
    console.result(report.line)
  }

  /// Says how it went if there was more than one song.
  func summarize() {
    guard total > 1 else { return }
    let state = state.withLock { $0 }
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    var parts: [String] = []
    if state.done > 0 {
      parts.append(
        "\(state.done) of \(total) songs done: \(ProgressFormat.time(state.seconds)) of audio in "
          + "\(ProgressFormat.time(elapsed)) (\(ProgressFormat.rate(seconds: state.seconds, elapsed: elapsed)) real time)"
      )
    }
    if state.skipped > 0 { parts.append("\(state.skipped) of \(total) songs skipped, as their stems are there") }
    let rest = total - state.done - state.skipped - state.failures.count
    if rest > 0 { parts.append("\(rest) of \(total) songs not begun") }
    for part in parts { console.note(part) }
    if !state.failures.isEmpty {
      console.problem("\(state.failures.count) of \(total) songs failed:")
      for failure in state.failures { console.problem("  \(failure.song) (\(failure.code))") }
    }
  }
}
