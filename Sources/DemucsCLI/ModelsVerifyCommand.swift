import ArgumentParser
import ModelStore
import Separation
import Tensors

/// `demucs-cli models verify`: whether a model's files are what they should be.
struct ModelsVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check the files of a model: checksums, and whether the network can be built.",
    discussion: """
      The SHA-256 is compared with what the file's name, the SHA256SUMS beside it or the hub's cache says. Then the \
      network is built: each of its tensors must be there, in its shape, and hold numbers.

      Exit status: 0 if all is well, 1 if not.
      """)

  @OptionGroup var model: ModelNameArguments

  func run() throws {
    try runReporting { console, interruption in
      let location = try model.locate()
      let pool = WorkerPool(threadCount: 1)
      var seen: Set<String> = []
      for path in location.members where seen.insert(path).inserted {
        let found = try Checksum.sha256(of: path, check: interruption.check)
        var words = "SHA-256 \(found)"
        if let (expected, by) = Checksum.expected(of: path) {
          guard found.hasPrefix(expected) else {
            throw ModelStoreError.wrongChecksum(path: path, expected: expected, found: found)
          }
          words += ", as \(by) says"
        } else {
          words += ", which nothing is there to compare with"
        }
        let network = try loadModel(at: path, pool: pool)
        let count = try openCheckpoint(path).names.count
        console.result("\(path): \(words)")
        console.result("\(path): \(count) tensors fit the network; sources: \(network.sources.joined(separator: ", "))")
      }
      if location.members.count > 1 {
        _ = try Separator(bag: ModelBag(location, pool: pool))
        console.result("\(location.path): \(location.members.count) networks fit each other")
      }
    }
  }
}
