import AudioFiles
import Separation

/// The songs of one command: a song that fails does not stop the rest.
///
/// While a song is separated, the next one is measured and the one before is brought to the disk, each by a thread of its
/// own: no more than three songs are in memory or on the disk in parts. Songs are reported in their order.
final class Batch {
  /// An entry of the list.
  struct Entry {
    /// From 1.
    let number: Int
    let content: InputList.Entry
  }

  private let reporter: BatchReporter
  private let interruption: Interruption
  private let separator: Separator
  private let writer: StemWriter
  private let resumes: Bool
  private let failsFast: Bool
  /// The song after the one whose turn it is.
  private var ahead: (number: Int, display: ProgressDisplay, work: Background<Preparation>)?
  /// The song before the one whose turn it is, not on the disk yet.
  private var behind: (song: SeparatedSong, work: Background<Void>)?

  /// What is known of a song before it is separated.
  private enum Preparation {
    case finished(FinishedSong)
    case measured(MeasuredSong)
  }

  /// - Parameters:
  ///   - resumes: skips songs whose stems are there.
  ///   - failsFast: stops at the first song that fails.
  init(
    separator: Separator, writer: StemWriter, reporter: BatchReporter, interruption: Interruption, resumes: Bool,
    failsFast: Bool
  ) {
    (self.separator, self.writer, self.reporter, self.interruption) = (separator, writer, reporter, interruption)
    (self.resumes, self.failsFast) = (resumes, failsFast)
  }

  /// Takes one entry after the other.
  /// - Throws: `CancellationError` or `OutputError.abandoned` if the program was told to stop; nothing else.
  func run(_ entries: [Entry]) throws {
    do {
      for (index, entry) in entries.enumerated() {
        try interruption.check()
        switch entry.content {
        case .failure(let failure):
          try settle()
          reporter.failed(failure, number: entry.number, isKnown: true)
        case .song(let song):
          if mustStop { continue }
          try separate(song, number: entry.number, next: entries[(index + 1)...].first(where: \.isSong))
        }
      }
      try settle()
      if let stopReason { reporter.stopRest(stopReason) }
    } catch let error where Interruption.isStop(error) {
      // What is being finished sees the same, or is too far to be stopped.
      _ = try? settle()
      throw error
    }
  }

  /// Why songs are not begun, as a clause.
  static let failFastReason = "another song failed and --fail-fast stops there"

  /// Why no further song is begun, and the one that is being separated is given up; nil where there is no reason.
  private var stopReason: String? {
    if reporter.console.readerIsGone { return "nobody reads standard output any more" }
    return failsFast && reporter.hasFailed ? Batch.failFastReason : nil
  }

  private var mustStop: Bool { stopReason != nil }

  private func separate(_ song: Song, number: Int, next: Entry?) throws {
    let current = ahead.flatMap { $0.number == number ? $0 : nil }
    let (display, work) = (current?.display ?? reporter.display(of: song, number: number), current?.work)
    ahead = nil
    reporter.begin(display)
    if !resumes { display.announce() }
    do {
      let preparation = try work?.value() ?? prepare(display)()
      if let next { look(aheadTo: next) }
      switch preparation {
      case .finished(let finished):
        try settle()
        reporter.skipped(finished, display)
      case .measured(let measured):
        if resumes { display.announce() }
        try separate(measured, display, isLast: next == nil)
      }
    } catch let error where Interruption.isStop(error) {
      throw error
    } catch is Stopped {
      return
    } catch {
      let elapsed = display.elapsed
      try settle()
      if mustStop { return }
      reporter.failed(
        SongFailure(song: song, error: error), number: number, elapsed: elapsed, warnings: reporter.takeWarnings())
      if let next, ahead == nil { look(aheadTo: next) }
    }
  }

  /// Is thrown where nothing more is to be begun.
  private struct Stopped: Error {}

  private func separate(_ measured: MeasuredSong, _ display: ProgressDisplay, isLast: Bool) throws {
    var warning: String?
    do {
      warning = try measured.checkSpace(besides: behind.map { [$0.song] } ?? [])
    } catch {
      // There may be room once the song before is done.
      try settle()
      warning = try measured.checkSpace()
    }
    if let warning { reporter.warn(warning) }
    let separated = try separator.separate(measured) { [self] progress in
      try interruption.check()
      if mustStop { throw Stopped() }
      display.show(progress)
    }
    try settle()
    if mustStop { return }
    let finish = finish(separated, display, warnings: reporter.takeWarnings())
    // Alone, a song takes no thread and no memory for one.
    if isLast { try finish() } else { behind = (separated, Background(finish)) }
  }

  /// Waits until the song before is on the disk and reported.
  private func settle() throws {
    guard let behind else { return }
    self.behind = nil
    try behind.work.value()
  }

  /// Begins to measure a song.
  private func look(aheadTo entry: Entry) {
    guard case .song(let song) = entry.content, !mustStop else { return }
    let display = reporter.display(of: song, number: entry.number)
    ahead = (entry.number, display, Background(prepare(display)))
  }

  /// Finds out whether a song is to be separated, and measures it.
  private func prepare(_ display: ProgressDisplay) -> @Sendable () throws -> Preparation {
    { [separator, writer, interruption, resumes] in
      if resumes, let finished = try separator.finishedSong(display.song, to: writer, check: interruption.check) {
        return .finished(finished)
      }
      return .measured(
        try separator.measure(display.song, to: writer) { seconds in
          try interruption.check()
          display.show(reading: seconds)
        })
    }
  }

  /// Brings a song to the disk and reports it.
  private func finish(
    _ separated: SeparatedSong, _ display: ProgressDisplay, warnings: [String]
  ) -> @Sendable () throws -> Void {
    { [reporter, interruption] in
      do {
        reporter.done(try separated.finish(check: interruption.check), display, warnings: warnings)
      } catch let error where Interruption.isStop(error) {
        throw error
      } catch {
        reporter.failed(
          SongFailure(song: display.song, error: error), number: display.number, elapsed: display.elapsed,
          warnings: warnings)
      }
    }
  }
}

extension Batch.Entry {
  fileprivate var isSong: Bool {
    if case .song = content { true } else { false }
  }
}
