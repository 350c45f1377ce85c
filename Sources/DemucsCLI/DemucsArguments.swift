import ArgumentParser

/// What scripts for `demucs` say, and nobody else has much use for.
struct DemucsArguments: ParsableArguments {
  @Flag(
    help: """
      Do not cut the song: it is one segment, which takes memory that grows with it. An HTDemucs takes no song longer than \
      the segments that it was trained on.
      """)
  var noSplit = false

  @Flag(help: "List the names of models, as demucs does, and do nothing else; models list tells more.")
  var listModels = false

  // A network in training, by the signature that only its trainer's folders explain.
  @Option(name: [.customShort("s", allowingJoined: true), .long], help: .hidden)
  var sig: String?

  mutating func validate() throws {
    guard sig == nil else {
      throw ValidationError(
        "--sig is for networks in the folders of demucs' own trainer. Give the path of the network's file with -n.")
    }
  }
}
