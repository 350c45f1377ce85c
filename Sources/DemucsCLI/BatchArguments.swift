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
      valueName: "i/n"), transform: Shard.init)
  var shard: Shard?

  /// Part I of N, counted from 1.
  struct Shard: Equatable, CustomStringConvertible {
    let index: Int
    let count: Int

    var description: String { "\(index)/\(count)" }

    /// - Throws: `ValidationError`.
    init(_ argument: String) throws {
      let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]), count >= 1 else {
        throw ValidationError("give it as I/N, such as 1/4, where I runs from 1 to N.")
      }
      guard (1...count).contains(index) else { throw ValidationError("I runs from 1 to N, here from 1 to \(count).") }
      (self.index, self.count) = (index, count)
    }

    /// Whether the entry at `position` of a list, counted from 0, is of this part.
    func holds(_ position: Int) -> Bool { position % count == index - 1 }
  }
}
