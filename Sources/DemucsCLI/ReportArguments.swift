import ArgumentParser

/// What the program tells while it works, and in which form.
struct ReportArguments: ParsableArguments {
  enum Progress: String, CaseIterable, ExpressibleByArgument {
    /// A bar on a terminal, lines elsewhere.
    case auto
    /// A bar that redraws itself, wherever it goes.
    case bar
    /// A line now and then.
    case lines
    /// Everything on standard error as JSON, an object a line.
    case json
    /// None; what was done to each song is still said.
    case none
  }

  @Flag(help: "Print one JSON object a line for each song, in place of the paths of its stems.")
  var json = false

  @Option(
    help: ArgumentHelp(
      "How progress is shown: bar, lines, json (everything on standard error is then JSON, an object a line) or none. "
        + "(default: a bar on a terminal, else lines)", valueName: "form"),
    completion: .list(Progress.allCases.map(\.rawValue)))
  var progress: Progress?

  @Flag(help: "Show no progress; warnings and errors stay.")
  var quiet = false

  @Flag(name: [.short, .long], help: "Log what is done to standard error.")
  var verbose = false

  mutating func validate() throws {
    if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
    if quiet, let progress, ![.auto, .none].contains(progress) {
      throw ValidationError("--quiet and --progress \(progress.rawValue) exclude each other.")
    }
    if verbose, progress == .json {
      throw ValidationError("--verbose and --progress json exclude each other: the log is no JSON.")
    }
  }

  var style: Console.Style {
    if quiet { return .quiet }
    return switch progress ?? .auto {
    case .auto: Console.style(quiet: false, verbose: verbose)
    case .bar: .terminal
    case .lines: .log
    case .json: .json
    case .none: .plain
    }
  }
}

/// Many songs in one command.
struct BatchArguments: ParsableArguments {
  @Flag(
    name: [.long, .customLong("skip-existing")],
    help: """
      Skip a song whose stems are all there, whole, and made of the same song with the same model and options. A run that \
      was killed goes on where it stopped.
      """)
  var resume = false

  @Flag(help: "Stop at the first song that fails.")
  var failFast = false

  @Option(
    help: ArgumentHelp(
      "Take the songs I, I + N, I + 2N and so on of the list: N jobs that are given the same list do it all, each song once.",
      valueName: "i/n"))
  var shard: Shard?

  /// Part I of N, counted from 1.
  struct Shard: Equatable, ExpressibleByArgument {
    let index: Int
    let count: Int

    init?(argument: String) {
      let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]), count >= 1,
        (1...count).contains(index)
      else { return nil }
      (self.index, self.count) = (index, count)
    }

    /// Whether the entry at `position` of a list, counted from 0, is of this part.
    func holds(_ position: Int) -> Bool { position % count == index - 1 }
  }
}
