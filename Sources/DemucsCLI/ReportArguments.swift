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
