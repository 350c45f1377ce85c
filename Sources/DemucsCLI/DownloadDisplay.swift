import ModelStore

/// Shows the progress of a download on the console.
final class DownloadDisplay {
  private let console: Console
  private let start = ContinuousClock.now
  private var last: ContinuousClock.Instant?
  private var file = ""
  /// Bytes that the present file began with, and when.
  private var first = (bytes: 0, time: ContinuousClock.now)

  init(console: Console) { self.console = console }

  func show(_ progress: ModelDownload.Progress) {
    let now = ContinuousClock.now
    if progress.file != file {
      file = progress.file
      first = (progress.done, now)
      if console.style == .log { console.note("\(title(progress)): fetching") }
      last = now
    }
    // A bar ten times a second, a line of a log every ten seconds.
    guard let last, now - last >= (console.style == .terminal ? .milliseconds(100) : .seconds(10)) else { return }
    self.last = now
    let line = DownloadDisplay.line(
      title(progress), done: progress.done, total: progress.total, came: progress.done - first.bytes,
      seconds: (now - first.time).seconds)
    if console.style == .terminal { console.bar(String(line.prefix(Console.width - 1))) } else { console.note(line) }
  }

  /// Says that all is there.
  func finish(files: Int) {
    console.note("\(files == 1 ? "1 file" : "\(files) files") in \(ProgressFormat.time((.now - start).seconds))")
  }

  private func title(_ progress: ModelDownload.Progress) -> String {
    (progress.count > 1 ? "[\(progress.number)/\(progress.count)] " : "") + progress.file
  }

  /// `5c90dfd2.safetensors: 45%, 24.7 MB of 54.9 MB, 3.1 MB/s, 0:10 left`
  static func line(_ title: String, done: Int, total: Int?, came: Int, seconds: Double) -> String {
    var parts = [megabytes(done)]
    if let total, total > 0 {
      parts = ["\(Int(Double(done) / Double(total) * 100))%", "\(megabytes(done)) of \(megabytes(total))"]
    }
    if came > 0, seconds > 0.2 {
      let rate = Double(came) / seconds
      parts.append("\(megabytes(Int(rate)))/s")
      if let total, total > done { parts.append("\(ProgressFormat.time(Double(total - done) / rate)) left") }
    }
    return "\(title): " + parts.joined(separator: ", ")
  }
}
