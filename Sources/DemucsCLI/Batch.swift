import AudioFiles
import Foundation
import Separation

/// The songs of one command, one after another: a song that fails does not stop the rest.
final class Batch {
  let console: Console
  private let interruption: Interruption
  private var failures: [SongFailure] = []

  init(console: Console, interruption: Interruption) {
    self.console = console
    self.interruption = interruption
  }

  /// Says at once what is wrong with the arguments.
  func start(with inputs: InputList) {
    for duplicate in inputs.duplicates {
      console.problem("Note: \(duplicate) is given more than once; it is separated once.")
    }
    for failure in inputs.failures { fail(failure) }
  }

  /// Separates one song and prints the paths of its stems.
  /// - Throws: `CancellationError` or `OutputError.abandoned` if the program was told to stop; nothing else.
  func separate(
    _ song: Song, number: Int, of total: Int, with separator: Separator, to writer: StemWriter
  ) throws {
    try interruption.check()
    let name = (total > 1 ? "[\(number)/\(total)] " : "") + song.name.description
    let display = ProgressDisplay(name: name, console: console)
    if console.style == .log { console.note("\(name): separating") }
    do {
      let done = try separator.separateFile(
        song, to: writer,
        progress: { [interruption] progress in
          try interruption.check()
          display.show(progress)
        },
        reading: { [interruption] seconds in
          try interruption.check()
          display.show(reading: seconds)
        })
      for warning in done.warnings { console.problem("Warning: \(warning)") }
      display.finish(seconds: done.seconds)
      if let levels = done.levels.summary { console.note("\(name): \(levels)") }
      for output in done.outputs { console.result(output) }
    } catch let error as CancellationError {
      throw error
    } catch OutputError.abandoned {
      throw OutputError.abandoned
    } catch {
      fail(SongFailure(song: song, error: error))
    }
  }

  /// Says how it went if there was more than one song.
  /// - Returns: whether any failed.
  func finish(total: Int) -> Bool {
    if !failures.isEmpty, total > 1 {
      let names = failures.map(\.song.description).joined(separator: ", ")
      console.problem("\(failures.count) of \(total) songs failed: \(names)")
    }
    return !failures.isEmpty
  }

  private func fail(_ failure: SongFailure) {
    failures.append(failure)
    console.problem("Error: \(failure.line)")
  }
}
