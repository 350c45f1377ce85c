import ArgumentParser

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
