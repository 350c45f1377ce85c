import Separation

/// Shows the progress of one song on the console.
final class ProgressDisplay {
  private let console: Console
  private let name: String
  private let start = ContinuousClock.now
  private var lastLine = 0.0

  /// Seconds between two lines of a log.
  private static let interval = 10.0

  init(name: String, console: Console) {
    self.console = console
    self.name = name
  }

  /// Seconds since the separation began.
  var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// Says how much of the song has been read while it is measured.
  func show(reading seconds: Double) {
    switch console.style {
    case .terminal: console.bar("\(name): read \(ProgressFormat.time(seconds))")
    case .log:
      let elapsed = elapsed
      guard elapsed - lastLine >= ProgressDisplay.interval else { return }
      lastLine = elapsed
      console.note("\(name): read \(ProgressFormat.time(seconds))")
    case .quiet: break
    }
  }

  func show(_ progress: SeparationProgress) {
    switch console.style {
    case .terminal:
      console.bar(
        ProgressFormat.bar(name: name, progress: progress, elapsed: elapsed, width: Console.width))
    case .log:
      let elapsed = elapsed
      guard elapsed - lastLine >= ProgressDisplay.interval, progress.chunksDone < progress.totalChunks else {
        return
      }
      lastLine = elapsed
      console.note(ProgressFormat.line(name: name, progress: progress, elapsed: elapsed))
    case .quiet: break
    }
  }

  /// Says that the song is done.
  func finish(seconds: Double) {
    let elapsed = elapsed
    console.note(
      "\(name): \(ProgressFormat.time(seconds)) separated in \(ProgressFormat.time(elapsed)) "
        + "(\(ProgressFormat.rate(seconds: seconds, elapsed: elapsed)) real time)")
  }
}
