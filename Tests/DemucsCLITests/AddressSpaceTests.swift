import Foundation
import GoldenSupport
import Testing

/// Limits on the address space, `ulimit -v`: the program works, or ends in a sentence; it neither hangs nor crashes.
struct AddressSpaceTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
    try program.writeSong(frames: 20_000)
  }

  private static let models = URL(filePath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../models").path

  /// Separates a song under a limit.
  private func separate(_ options: [String], mebibytes: Int, song: String = "song.wav") throws -> Program.Outcome {
    try run(["separate", song, "--quiet"] + options, mebibytes: mebibytes)
  }

  /// Runs the program under a limit, which a shell sets for itself and the program.
  private func run(_ arguments: [String], mebibytes: Int) throws -> Program.Outcome {
    try program.run(
      ["-c", "ulimit -v \(mebibytes << 10); exec timeout -s KILL 60 \"$@\"", "sh", Program.executable.path] + arguments,
      executable: URL(filePath: "/bin/bash"))
  }

  /// What the loader says where not even the libraries can be mapped.
  private static func isOfTheLoader(_ outcome: Program.Outcome) -> Bool {
    outcome.status == 127 && outcome.errors.contains("error while loading shared libraries")
  }

  /// A network that takes next to nothing.
  @Test(arguments: Array(stride(from: 50, through: 1000, by: 50)))
  func everyLimitEndsInStemsOrASentence(mebibytes: Int) throws {
    defer { program.remove() }
    let outcome = try separate(["-n", "tiny.safetensors", "-j", "4"], mebibytes: mebibytes)
    if mebibytes < 150, Self.isOfTheLoader(outcome) { return }
    if mebibytes < 200, outcome.status != 0 { return try expectOneSentence(outcome) }
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.status): \(outcome.errors)")
  }

  @Test(arguments: [150, 200, 250, 300, 350, 700])
  func aRealNetworkDoesToo(mebibytes: Int) throws {
    defer { program.remove() }
    let outcome = try separate(["-n", "open_6s", "--models-dir", Self.models, "-j", "1"], mebibytes: mebibytes)
    if mebibytes < 700 { return try expectOneSentence(outcome) }
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.status): \(outcome.errors)")
  }

  private func expectOneSentence(_ outcome: Program.Outcome) throws {
    #expect(outcome.status == 1, "\(outcome.status): \(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("Error: ") && outcome.errors.hasSuffix(".\n"), "\(outcome.errors)")
    #expect(outcome.errors.contains("(ulimit -v)") && outcome.errors.contains("Raise it"), "\(outcome.errors)")
    #expect(
      try !program.files().contains { $0.hasSuffix(".part") || $0.hasPrefix("separated") && $0.hasSuffix(".wav") })
  }

  /// Twenty minutes under the limit that thirty seconds need, and 5 %.
  @Test func aLimitForAShortSongDoesForALongOne() throws {
    defer { program.remove() }
    try program.writeSparseSong("short.wav", seconds: 30, sampleRate: 11_025)
    try program.writeSparseSong("long.wav", seconds: 1200, sampleRate: 11_025)
    let options = ["-n", "tiny.safetensors", "-j", "2"]
    var (tooLittle, enough) = (100, 400)
    #expect(try separate(options, mebibytes: tooLittle, song: "short.wav").status != 0)
    #expect(try separate(options, mebibytes: enough, song: "short.wav").status == 0)
    while enough - tooLittle > 2 {
      let middle = (tooLittle + enough) / 2
      if try separate(options, mebibytes: middle, song: "short.wav").status == 0 {
        enough = middle
      } else {
        tooLittle = middle
      }
    }
    let outcome = try separate(options, mebibytes: Int(1.05 * Double(enough)), song: "long.wav")
    #expect(outcome.status == 0, "\(enough) MiB: \(outcome.errors)")
    // Below what the short one needs, neither is done.
    let starved = try separate(options, mebibytes: Int(0.9 * Double(enough)), song: "long.wav")
    #expect(starved.status != 0)
  }

  /// Memory that runs out while a song is separated: every song has its record, and nothing is left behind.
  @Test func memoryThatRunsOutIsAnErrorOfEverySongThatIsLeft() throws {
    defer { program.remove() }
    // Half a minute's segment of the tiny network takes more than is estimated: the result alone is a third of it.
    try TestModel(sources: (0..<40).map { "stem\($0)" }, segment: 30).write(program, "wide.safetensors")
    try program.writeSong("other.wav", frames: 20_000)
    var outcome: Program.Outcome?
    for mebibytes in stride(from: 200, through: 600, by: 20) where outcome?.errors.contains("out of memory") != true {
      outcome = try separate(
        ["other.wav", "-n", "wide.safetensors", "-j", "1", "--json", "--clip-mode", "none"],
        mebibytes: mebibytes)
    }
    let last = try #require(outcome)
    try expectOneSentence(last)
    #expect(last.errors.contains("more are not to be had"), "\(last.errors)")
    // The stems had been begun.
    #expect(try program.files().allSatisfy { !$0.hasPrefix("separated") })
    let lines = last.output.split(separator: "\n")
    #expect(lines.count == 2 && lines.allSatisfy { $0.contains("\"code\":\"not-enough-memory\"") }, "\(last.output)")
  }

  /// What the program needs before any model is said, and is true: with so much something else is said, or nothing.
  @Test func whatItNeedsBeforeAnyModelIsSaid() throws {
    defer { program.remove() }
    var needs: [Int] = []
    for mebibytes in stride(from: 96, through: 160, by: 8) {
      let outcome = try separate(["-n", "tiny.safetensors", "-j", "4"], mebibytes: mebibytes)
      if outcome.status == 0 || Self.isOfTheLoader(outcome) { continue }
      try expectOneSentence(outcome)
      guard let need = outcome.errors.firstMatch(of: /needs ([0-9]+) MiB before any model/) else { continue }
      needs.append(try #require(Int(need.1)))
    }
    #expect(!needs.isEmpty && Set(needs).count <= 2, "\(needs)")
    let need = try #require(needs.max())
    #expect(try !separate(["-n", "tiny.safetensors"], mebibytes: need).errors.contains("before any model"))
  }

  /// OpenBLAS waits for ever for memory that it does not get, and LAPACK's matrices are large.
  @Test(arguments: [150, 210, 300]) func filtersDoNotWaitForMemory(mebibytes: Int) throws {
    defer { program.remove() }
    for name in ["hum", "hiss"] {
      try FileManager.default.createDirectory(
        at: program.folder.appendingPathComponent("truth"), withIntermediateDirectories: true)
      try program.writeSong("truth/\(name).wav", frames: 50_000, from: name == "hum" ? 0 : 60_000)
    }
    let outcome = try run(["evaluate", "truth", "truth", "--filters"], mebibytes: mebibytes)
    if outcome.status != 0 { try expectOneSentence(outcome) }
  }

  /// A command that has no words of its own for it.
  @Test func otherCommandsEndInASentenceToo() throws {
    defer { program.remove() }
    try TestModel(sources: (0..<40).map { "stem\($0)" }, segment: 30).write(program, "wide.safetensors")
    var outcome: Program.Outcome?
    for mebibytes in stride(from: 200, through: 600, by: 20) where outcome?.errors.contains("out of memory") != true {
      outcome = try run(["bench", "-n", "wide.safetensors", "-j", "1", "--runs", "1"], mebibytes: mebibytes)
    }
    try expectOneSentence(try #require(outcome))
  }

  /// The model is loaded, and it is known what a segment takes.
  @Test func whatIsKnownBeforeASongIsSaidBeforeIt() throws {
    defer { program.remove() }
    let outcome = try separate(["-n", "open_6s", "--models-dir", Self.models, "--json"], mebibytes: 300)
    try expectOneSentence(outcome)
    #expect(outcome.errors.contains("A segment of this model takes about "), "\(outcome.errors)")
    let report = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    let error = report?["error"] as? [String: String]
    #expect(report?["status"] as? String == "failed")
    #expect(error?["code"] == "not-enough-memory")
    #expect(try program.files() == ["song.wav", "tiny.safetensors"])
  }
}
