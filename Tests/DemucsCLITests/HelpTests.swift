import Foundation
import Testing

/// The help texts are golden files: a change of an option shows in review.
struct HelpTests {
  @Test(
    arguments: [["--help"]]
      + ["separate", "models", "compare", "evaluate", "golden", "precision"].map { [$0, "--help"] }
      + ["list", "info", "download", "import", "verify", "path"].map { ["models", $0, "--help"] }
      + ["record", "check"].map { ["golden", $0, "--help"] })
  func helpIsTheSnapshot(arguments: [String]) throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(arguments)
    #expect(outcome.status == 0)
    #expect(outcome.errors.isEmpty)
    let name = (["demucs-cli"] + arguments.filter { $0 != "--help" }).joined(separator: "-")
    let snapshot = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Snapshots/\(name).txt")
    if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1" {
      try outcome.output.write(to: snapshot, atomically: true, encoding: .utf8)
      Issue.record("recorded \(snapshot.lastPathComponent); run again without RECORD_SNAPSHOTS")
      return
    }
    let expected = (try? String(contentsOf: snapshot, encoding: .utf8)) ?? ""
    #expect(
      outcome.output == expected,
      "HINT: if the change is meant, run RECORD_SNAPSHOTS=1 swift test --filter HelpTests")
  }

  @Test func versionIsANumber() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(["--version"])
    #expect(outcome.status == 0)
    #expect(outcome.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
  }
}
