import AudioFiles
import Foundation
import Testing

/// `demucs-cli evaluate` with a tiny model that knows hum and hiss.
struct EvaluateTests {
  private struct Report: Decodable {
    struct Scores: Decodable {
      let nsdr: Double?
      let sdr: Double?
      let siSdr: Double?
      let sir: Double?
    }
    struct Stem: Decodable {
      let stem: String
      let silentTruth: Bool
      let estimateLevel: Double
      let estimate: Scores?
      let mixture: Scores?
      let zero: Scores?
    }
    struct Song: Decodable {
      let song: String
      let sampleRate: Int
      let stems: [Stem]
    }
    struct Mean: Decodable {
      let estimate: Scores
    }
    struct Failure: Decodable {
      let song: String
      let message: String
    }
    let model: String?
    let songs: [Song]
    let mean: Mean?
    let failed: [Failure]
  }

  private func program() throws -> Program {
    let program = try Program()
    try TestModel().write(program)
    for song in ["one", "two"] {
      try FileManager.default.createDirectory(
        at: program.folder.appendingPathComponent("songs/\(song)"), withIntermediateDirectories: true)
      try program.writeSong("songs/\(song)/hum.wav", frames: 30_000, sampleRate: 8000)
      try program.writeSong("songs/\(song)/hiss.wav", frames: 30_000, from: 300_000, sampleRate: 8000)
    }
    return program
  }

  private func report(_ outcome: Program.Outcome) throws -> Report {
    try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
  }

  /// Separating and scoring at once is separating first and scoring then.
  @Test func songsAreSeparatedWhereOnlyTheTruthIsGiven() throws {
    let program = try program()
    defer { program.remove() }
    let options = ["-n", "tiny.safetensors", "--seed", "3", "--quiet", "--json"]
    let run = try program.run(["evaluate", "songs", "--out", "kept"] + options)
    #expect(run.status == 0, "\(run.errors)")
    let direct = try report(run)
    #expect(direct.model == "tiny" && direct.songs.map(\.song) == ["one", "two"])
    #expect(try program.files().filter { $0.hasPrefix("kept/") && $0.hasSuffix(".wav") }.count == 4)
    let again = try program.run(["evaluate", "songs", "kept", "--json"])
    let scored = try report(again)
    #expect(scored.model == nil)
    for (one, other) in zip(direct.songs.flatMap(\.stems), scored.songs.flatMap(\.stems)) {
      #expect(one.stem == other.stem && one.estimate?.nsdr == other.estimate?.nsdr)
      #expect(one.estimate?.nsdr != nil && one.mixture?.sdr != nil && one.zero?.nsdr == 0)
    }
    #expect(direct.mean?.estimate.nsdr == scored.mean?.estimate.nsdr)
    // A mixture of its own is what is separated.
    for song in ["one", "two"] {
      try program.writeSong("songs/\(song)/mixture.wav", frames: 30_000, from: 200_000, sampleRate: 8000)
    }
    let mixed = try report(try program.run(["evaluate", "songs"] + options))
    #expect(mixed.mean?.estimate.nsdr != direct.mean?.estimate.nsdr)
  }

  @Test func aPrecisionIsScored() throws {
    let program = try program()
    defer { program.remove() }
    let options = ["evaluate", "songs/one", "-n", "tiny.safetensors", "--quiet", "--json"]
    let full = try program.run(options)
    let mixed = try program.run(options + ["--precision", "mixed"])
    #expect(full.status == 0 && mixed.status == 0, "\(mixed.errors)")
    #expect(full.output.contains("\"preset\" : \"fp32\"") && mixed.output.contains("\"preset\" : \"mixed\""))
    let (a, b) = (try report(full).songs[0].stems, try report(mixed).songs[0].stems)
    for (a, b) in zip(a, b) {
      let (a, b) = (try #require(a.estimate?.siSdr), try #require(b.estimate?.siSdr))
      #expect(a != b && abs(a - b) < 0.1)
    }
    let kept = try program.run(["evaluate", "songs", "kept", "--precision", "mixed"])
    #expect(kept.status == 64 && kept.errors.contains("nothing is"))
    for option in [["-n", "tiny.safetensors"], ["--shifts", "2"], ["--seed", "1"], ["--dump-taps", "taps"]] {
      let refused = try program.run(["evaluate", "songs", "songs"] + option)
      #expect(refused.status == 64 && refused.errors.contains("nothing is"), "\(option)")
    }
    #expect(try program.run(["evaluate", "songs", "songs", "-j", "2"]).status == 0)
    // The value of an unknown option is no folder of estimates.
    let unknown = try program.run(["evaluate", "songs", "-n", "tiny.safetensors", "--threads", "2"])
    #expect(unknown.status == 64 && unknown.errors.contains("Unknown option '--threads'"), "\(unknown.errors)")
    let wrong = try program.run(options + ["--policy", "none.json"])
    #expect(wrong.status == 1 && wrong.errors.contains("none.json"))
  }

  @Test func theTableIsForPeople() throws {
    let program = try program()
    defer { program.remove() }
    let run = try program.run(["evaluate", "songs/one", "songs/one"])
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    let rows = run.output.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    #expect(rows[0].starts(with: ["song", "stem", "nSDR", "SDR", "SI-SDR", "mixture/2:"]))
    #expect(rows[1][..<2] == ["one", "hiss"] && rows[1][3...4] == ["120.00", "120.00"])
    #expect(rows.last?.first == "mean")
    let filtered = try report(try program.run(["evaluate", "songs/one", "songs/one", "--filters", "--json"]))
    #expect(filtered.songs[0].stems.allSatisfy { ($0.estimate?.sir ?? 0) > 60 })
  }

  @Test func aSongThatFailsDoesNotStopTheOthers() throws {
    let program = try program()
    defer { program.remove() }
    try Data("no audio".utf8).write(to: program.folder.appendingPathComponent("songs/one/hum.wav"))
    try program.touch("temporary/.keep")
    let run = try program.run(
      ["evaluate", "songs", "-n", "tiny.safetensors", "--quiet", "--json"],
      environment: ["TMPDIR": program.folder.appendingPathComponent("temporary").path])
    #expect(run.status == 1)
    #expect(run.errors.contains("songs/one/hum.wav: cannot be read as audio"))
    #expect(run.errors.hasSuffix("1 of 2 songs could not be scored: one\n"))
    #expect(try report(run).songs.map(\.song) == ["two"])
    #expect(try report(run).failed.map(\.song) == ["one"])
    #expect(try report(run).failed.first?.message.hasPrefix("songs/one/hum.wav: cannot be read as audio") == true)
    // Where all fail there is an object too.
    let none = try program.run(["evaluate", "songs", "temporary", "--quiet", "--json"])
    #expect(none.status == 1)
    #expect(try report(none).songs.isEmpty && report(none).failed.map(\.song) == ["one", "two"])
    // Nothing is left behind.
    #expect(try program.files().filter { $0.hasPrefix("temporary/") } == ["temporary/.keep"])
  }

  /// The stems of a model would be the truth from then on, and perfect.
  @Test(arguments: [
    ("songs", "songs"), ("songs", "./one/../songs/"), ("songs", "none/../songs"), ("songs/one", "songs"),
    ("songs", "link"),
    ("link", "./songs"), ("songs", "link/none/../../songs"),
  ])
  func theTruthIsNotOverwritten(truth: String, out: String) throws {
    let program = try program()
    defer { program.remove() }
    try program.touch("one/.keep")
    let manager = FileManager.default
    try manager.createSymbolicLink(
      at: program.folder.appendingPathComponent("link"),
      withDestinationURL: program.folder.appendingPathComponent("songs"))
    let hum = program.folder.appendingPathComponent("songs/one/hum.wav")
    let before = try Data(contentsOf: hum)
    let run = try program.run(["evaluate", truth, "--out", out, "-n", "tiny.safetensors", "--quiet"])
    #expect(run.status == 64 && run.errors.contains("among the true ones of one."), "\(run.errors)")
    #expect(run.output.isEmpty)
    #expect(try Data(contentsOf: hum) == before)
  }

  @Test func aModelOfOtherStemsIsNotAskedFor() throws {
    let program = try program()
    defer { program.remove() }
    try FileManager.default.createDirectory(
      at: program.folder.appendingPathComponent("kick"), withIntermediateDirectories: true)
    try program.writeSong("kick/kick.wav", frames: 30_000, sampleRate: 8000)
    let run = try program.run(["evaluate", "kick", "-n", "tiny.safetensors", "--quiet"])
    #expect(run.status == 1)
    #expect(
      run.errors.hasPrefix("Error: kick: the model has none of its stems: these are kick, the model's hum, hiss."))
  }

  /// Interrupted in the second song, it still shows the first, once; also where a second signal ends it at once.
  @Test(arguments: ["kill -INT $pid", "while kill -INT $pid; do sleep 0.01; done 2> /dev/null"])
  func whatWasScoredIsShownWhenInterrupted(signals: String) throws {
    let program = try program()
    defer { program.remove() }
    for stem in ["hum", "hiss"] {
      try FileManager.default.removeItem(at: program.folder.appendingPathComponent("songs/two/\(stem).wav"))
      try program.writeSparseSong("songs/two/\(stem).wav", seconds: 20_000)
    }
    try program.touch("temporary/.keep")
    let run = try program.run(
      [
        "-c",
        """
        set -m; "$0" evaluate songs --out kept -n tiny.safetensors --quiet --json & pid=$!
        # The mixture of the second song is being written.
        until find temporary -size +4000k | grep -q .; do sleep 0.05; kill -0 $pid || exit 99; done
        \(signals); wait $pid
        """, Program.executable.path,
      ], environment: ["TMPDIR": program.folder.appendingPathComponent("temporary").path],
      executable: URL(fileURLWithPath: "/bin/bash"))
    #expect(run.status == 130, "\(run.errors)")
    #expect(run.errors.contains("Interrupted.\n"), "\(run.errors)")
    #expect(try report(run).songs.map(\.song) == ["one"])
    #expect(try program.files().filter { $0.hasPrefix("temporary/") } == ["temporary/.keep"])
  }
}
