import AudioFiles
import Glibc
import Separation
import Synchronization

/// Tells what became of the songs of a command, in their order, and adds it up.
///
/// A song may be reported by another thread than the next; never two at once (`SongLedger`).
final class BatchReporter: Sendable {
  let console: Console
  private let isJSON: Bool
  private let entries: [Batch.Entry]
  private let names: SongNames
  private let start = ContinuousClock.now
  private let ledger = SongLedger()
  private let state: Mutex<State>

  private struct State {
    var model: TrackReport.Model
    /// The song whose turn came last.
    var current: Song?
    var done = 0
    /// Songs that the run stopped before.
    var stopped = 0
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
    state.withLock { $0.current = display.song }
    ledger.begin(display.number) { display.begin() }
  }

  /// Warns of what a network came upon in the song whose turn it is.
  func warnOfCurrentSong(_ text: String) {
    let song = state.withLock(\.current)
    warn(song.map { "\($0): \(text)" } ?? text)
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
    tell(display.song, display.number, .done, elapsed: display.elapsed, lines: file.outputs.map(\.bytes)) {
      for warning in file.warnings { console.problem("Warning: \(warning)") }
      display.finish(seconds: file.seconds, levels: file.levels.summary)
      state.withLock {
        $0.done += 1
        $0.seconds += file.seconds
      }
    } report: {
      $0.add(file)
      $0.warnings = warnings + file.warnings
    }
  }

  /// Names the stems of a song that were there already.
  func skipped(_ song: FinishedSong, _ display: ProgressDisplay) {
    tell(display.song, display.number, .skipped, elapsed: display.elapsed, lines: song.outputs.map(\.bytes)) {
      display.skip()
      state.withLock { $0.skipped += 1 }
    } report: {
      $0.add(song)
    }
  }

  /// Names the files that a song's stems would go to, in a dry run.
  /// - Parameters:
  ///   - seconds: length of the song, as far as its header says it.
  ///   - warnings: what is known already of those that the run would give.
  func planned(
    _ song: Song, number: Int, names: [String], outputs: [FilePath], seconds: Double?, warnings: [String]
  ) {
    let lines = outputs.map { song.argument.bytes + [UInt8(ascii: "\t")] + $0.bytes }
    tell(song, number, .planned, lines: lines) {
      for warning in warnings { console.problem("Warning: \(warning)") }
    } report: {
      $0.plan(names: names, outputs: outputs, seconds: seconds)
      $0.warnings = warnings
    }
  }

  /// Says that a run would skip a song, in a dry run.
  func planned(_ song: FinishedSong, _ display: ProgressDisplay) {
    tell(display.song, display.number, .skipped) {
      display.skip()
    } report: {
      $0.add(song)
    }
  }

  /// Says what is wrong with a song.
  /// - Parameter isKnown: it was said before work began.
  func failed(_ failure: SongFailure, number: Int, elapsed: Double = 0, isKnown: Bool = false, warnings: [String] = [])
  {
    tell(failure.song, number, .failed, elapsed: elapsed) {
      if !isKnown { announce(failure) }
      event(.failed, failure, number).map(console.event)
    } report: {
      $0.error = TrackReport.Failure(failure)
      $0.warnings = warnings
    }
  }

  /// Says what is wrong with a song, and counts it, before its turn to be reported.
  func announce(_ failure: SongFailure) {
    state.withLock { $0.failures.append(failure) }
    console.problem("Error: \(failure.line)")
  }

  /// Gives every entry that was not told of yet the error that keeps it from being done.
  func failAll(_ error: any Error) {
    for entry in entries {
      switch entry.content {
      case .failure(let failure): failed(failure, number: entry.number, isKnown: true)
      case .song(let song): failed(SongFailure(song: song, error: error), number: entry.number, isKnown: true)
      }
    }
  }

  /// Tells of the songs that the run stopped before, so that there is an object and an event for each of the list.
  /// - Parameter reason: why it stopped, as a clause.
  func stopRest(_ reason: String) {
    ledger.tellRest(of: entries.map(\.number)) { rest in
      for stop in stops(rest, reason) {
        event(stop.status, stop.failure, stop.number).map(console.event)
        if isJSON { console.result(line(stop)) }
      }
    }
  }

  /// The lines of `stopRest`, for a thread that ends the program: none where another one holds on to an output. The events
  /// are left with the console.
  func takeRest(_ reason: String) -> [String] {
    for _ in 0..<10 {
      let lines = ledger.tellRestIfAvailable(of: entries.map(\.number)) { rest in
        let stops = stops(rest, reason)
        console.leave(stops.compactMap { event($0.status, $0.failure, $0.number) })
        return isJSON ? stops.map(line) : []
      }
      if let lines { return lines }
      usleep(20_000)
    }
    return []
  }

  /// What became of a song that was not told of, and why.
  private typealias Stop = (number: Int, status: TrackReport.Status, failure: SongFailure)

  private func stops(_ rest: [SongLedger.Rest], _ reason: String) -> [Stop] {
    let isBegun = Dictionary(uniqueKeysWithValues: rest.map { ($0.number, $0.isBegun) })
    return entries.compactMap { entry -> Stop? in
      guard let isBegun = isBegun[entry.number] else { return nil }
      switch entry.content {
      case .failure(let failure): return (entry.number, .failed, failure)
      case .song(let song):
        state.withLock { $0.stopped += 1 }
        let failure = SongFailure(
          song: song, reason: "\(isBegun ? "not finished" : "not begun"), as \(reason).",
          code: errorCode(of: isBegun ? StoppedSong.interrupted : .notStarted))
        return (entry.number, .stopped, failure)
      }
    }
  }

  private func line(_ stop: Stop) -> String {
    var report = report(on: stop.failure.song, stop.number, stop.status)
    report.error = TrackReport.Failure(stop.failure)
    return report.line
  }

  /// nil if nobody reads events.
  private func event(_ status: TrackReport.Status, _ failure: SongFailure, _ number: Int) -> JSONEvent.Object? {
    guard console.style == .json else { return nil }
    return JSONEvent.object(
      status.rawValue, song: failure.song, number: number, of: total, ["code": .text(failure.code)])
  }

  private func report(
    on song: Song, _ number: Int, _ status: TrackReport.Status, elapsed: Double = 0
  ) -> TrackReport {
    TrackReport(
      song: song, track: number, of: total, status: status, model: state.withLock(\.model), elapsed: elapsed)
  }

  /// Tells of a song, unless that was done.
  /// - Parameters:
  ///   - lines: what is written without `--json`.
  ///   - say: says and counts it.
  ///   - complete: what its object says beside.
  private func tell(
    _ song: Song, _ number: Int, _ status: TrackReport.Status, elapsed: Double = 0, lines: [[UInt8]] = [],
    say: () -> Void, report complete: (inout TrackReport) -> Void
  ) {
    ledger.tell(number) {
      say()
      guard isJSON else {
        for line in lines { console.result(line) }
        return
      }
      var report = report(on: song, number, status, elapsed: elapsed)
      complete(&report)
      console.result(report.line)
    }
  }

  /// What is wrong with standard output; nil if nothing is.
  var resultProblem: String? {
    console.resultProblem.map { problem in
      let stopped = state.withLock(\.stopped)
      return problem + (stopped > 0 ? "; with --resume the run goes on behind the songs that are done." : ".")
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
