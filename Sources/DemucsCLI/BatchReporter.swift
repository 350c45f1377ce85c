import AudioFiles
import Glibc
import Separation
import Synchronization

/// Tells what became of the songs of a command, in their order, and adds it up.
///
/// A song may be reported by another thread than the next; never two at once.
final class BatchReporter: Sendable {
  let console: Console
  private let isJSON: Bool
  private let entries: [Batch.Entry]
  private let names: SongNames
  private let start = ContinuousClock.now
  private let state: Mutex<State>

  private struct State {
    var model: TrackReport.Model
    /// Numbers of the songs whose turn has come, and of those that were told of.
    var begun: Set<Int> = []
    var reported: Set<Int> = []
    var done = 0
    var skipped = 0
    var failures: [SongFailure] = []
    var seconds = 0.0
    /// Of the song that is being separated.
    var warnings: [String] = []
  }

  /// - Parameters:
  ///   - entries: the songs of the command.
  ///   - model: the name of the model, which may not be there.
  init(console: Console, isJSON: Bool, entries: [Batch.Entry], model: String) {
    (self.console, self.isJSON, self.entries) = (console, isJSON, entries)
    names = SongNames(entries.compactMap { if case .song(let song) = $0.content { song } else { nil } })
    state = Mutex(State(model: TrackReport.Model(name: model, networks: [])))
  }

  /// Songs of the command.
  var total: Int { entries.count }

  /// Whether a song has failed.
  var hasFailed: Bool { state.withLock { !$0.failures.isEmpty } }

  /// What the objects of `--json` say of a model that was found.
  func use(model: TrackReport.Model) { state.withLock { $0.model = model } }

  /// A display of a song's progress.
  func display(of song: Song, number: Int) -> ProgressDisplay {
    ProgressDisplay(song: song, name: names[song], number: number, of: total, console: console)
  }

  /// Says that it is a song's turn.
  func begin(_ display: ProgressDisplay) {
    state.withLock { _ = $0.begun.insert(display.number) }
    display.begin()
  }

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
    print(display.song, display.number, .done, elapsed: display.elapsed, lines: file.outputs.map(\.bytes)) { report in
      report.add(file)
      report.warnings = warnings + file.warnings
    }
  }

  /// Names the stems of a song that were there already.
  func skipped(_ song: FinishedSong, _ display: ProgressDisplay) {
    display.skip()
    state.withLock { $0.skipped += 1 }
    print(display.song, display.number, .skipped, elapsed: display.elapsed, lines: song.outputs.map(\.bytes)) {
      $0.add(song)
    }
  }

  /// Names the files that a song's stems would go to, in a dry run.
  /// - Parameter seconds: length of the song, as far as its header says it.
  func planned(_ song: Song, number: Int, names: [String], outputs: [FilePath], seconds: Double?) {
    let lines = outputs.map { song.argument.bytes + [UInt8(ascii: "\t")] + $0.bytes }
    print(song, number, .planned, lines: lines) { $0.plan(names: names, outputs: outputs, seconds: seconds) }
  }

  /// Says that a run would skip a song, in a dry run.
  func planned(_ song: FinishedSong, _ display: ProgressDisplay) {
    display.skip()
    print(display.song, display.number, .skipped) { $0.add(song) }
  }

  /// Says what is wrong with a song.
  /// - Parameter isKnown: it was said before work began.
  func failed(_ failure: SongFailure, number: Int, elapsed: Double = 0, isKnown: Bool = false, warnings: [String] = [])
  {
    if !isKnown { announce(failure) }
    event(.failed, failure, number).map(console.event)
    print(failure.song, number, .failed, elapsed: elapsed) { report in
      report.error = TrackReport.Failure(failure)
      report.warnings = warnings
    }
  }

  /// Says what is wrong with a song, and counts it, before its turn to be reported.
  func announce(_ failure: SongFailure) {
    state.withLock { $0.failures.append(failure) }
    console.problem("Error: \(failure.line)")
  }

  /// Gives every entry that was not told of yet the error that keeps it from being done.
  func failAll(_ error: any Error) {
    let reported = state.withLock(\.reported)
    for entry in entries where !reported.contains(entry.number) {
      switch entry.content {
      case .failure(let failure): failed(failure, number: entry.number, isKnown: true)
      case .song(let song): failed(SongFailure(song: song, error: error), number: entry.number, isKnown: true)
      }
    }
  }

  /// Tells of the songs that the run stopped before, so that there is an object and an event for each of the list.
  /// - Parameter reason: why it stopped, as a clause.
  func stopRest(_ reason: String) {
    state.withLock { state in
      for (number, status, failure) in rest(reason, &state) {
        event(status, failure, number).map(console.event)
        if isJSON { console.result(line(status, failure, number, state)) }
      }
    }
  }

  /// The lines of `stopRest`, for a thread that ends the program: none where another one holds on to standard output. The
  /// events are left with the console.
  func takeRest(_ reason: String) -> [String] {
    for _ in 0..<10 {
      let lines = state.withLockIfAvailable { state in
        let rest = rest(reason, &state)
        console.leave(rest.compactMap { event($1, $2, $0) })
        return isJSON ? rest.map { line($1, $2, $0, state) } : []
      }
      if let lines { return lines }
      usleep(20_000)
    }
    return []
  }

  /// What became of the songs that were not told of, and why.
  private func rest(
    _ reason: String, _ state: inout State
  ) -> [(number: Int, status: TrackReport.Status, failure: SongFailure)] {
    entries.filter { state.reported.insert($0.number).inserted }.map { entry in
      switch entry.content {
      case .failure(let failure): return (entry.number, .failed, failure)
      case .song(let song):
        let isBegun = state.begun.contains(entry.number)
        let failure = SongFailure(
          song: song, reason: "\(isBegun ? "not finished" : "not begun"), as \(reason).",
          code: errorCode(of: isBegun ? StoppedSong.interrupted : .notStarted))
        return (entry.number, .stopped, failure)
      }
    }
  }

  private func line(_ status: TrackReport.Status, _ failure: SongFailure, _ number: Int, _ state: State) -> String {
    var report = report(on: failure.song, number, status, state)
    report.error = TrackReport.Failure(failure)
    return report.line
  }

  /// nil if nobody reads events.
  private func event(_ status: TrackReport.Status, _ failure: SongFailure, _ number: Int) -> JSONEvent.Object? {
    guard console.style == .json else { return nil }
    return JSONEvent.object(
      status.rawValue, song: failure.song, number: number, of: total, ["code": .text(failure.code)])
  }

  private func report(
    on song: Song, _ number: Int, _ status: TrackReport.Status, elapsed: Double = 0, _ state: State
  ) -> TrackReport {
    TrackReport(song: song, track: number, of: total, status: status, model: state.model, elapsed: elapsed)
  }

  /// - Parameter lines: what is written without `--json`.
  private func print(
    _ song: Song, _ number: Int, _ status: TrackReport.Status, elapsed: Double = 0, lines: [[UInt8]] = [],
    _ complete: (inout TrackReport) -> Void
  ) {
    // Under the lock, so that each song is told of once, and whole, however the program ends.
    state.withLock { state in
      guard state.reported.insert(number).inserted else { return }
      guard isJSON else {
        for line in lines { console.result(line) }
        return
      }
      var report = report(on: song, number, status, elapsed: elapsed, state)
      complete(&report)
      console.result(report.line)
    }
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
      for failure in state.failures { console.problem("  \(failure.name) (\(failure.code))") }
    }
  }
}
