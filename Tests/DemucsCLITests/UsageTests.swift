import Testing

/// What the program says, and with which status it ends, before it separates anything.
struct UsageTests {
  struct Refusal: Sendable {
    let arguments: [String]
    let says: String
  }

  @Test(arguments: [
    Refusal(arguments: ["separate"], says: "<file>"),
    Refusal(arguments: ["seperate", "a.wav"], says: "seperate"),
    Refusal(arguments: ["separate", "a.wav", "--m4a"], says: "--m4a"),
    Refusal(arguments: ["separate", "a.wav", "--two-stems"], says: "--two-stems"),
    Refusal(arguments: ["separate", "a.wav", "--shifts", "many"], says: "many"),
    Refusal(arguments: ["separate", "a.wav", "--shifts", "-1"], says: "--shifts"),
    Refusal(
      arguments: ["separate", "a.wav", "--shifts", "99999999999"],
      says: "--shifts is 99999999999; it must be 0 to 1000."),
    Refusal(arguments: ["separate", "a.wav", "--shifts", "1001"], says: "it must be 0 to 1000."),
    Refusal(arguments: ["evaluate", "a", "--shifts", "1001"], says: "it must be 0 to 1000."),
    Refusal(arguments: ["separate", "a.wav", "--overlap", "1"], says: "below 1"),
    Refusal(arguments: ["separate", "a.wav", "--overlap", "nan"], says: "--overlap"),
    Refusal(arguments: ["separate", "a.wav", "--segment", "0"], says: "more than 0"),
    Refusal(arguments: ["separate", "a.wav", "--jobs", "-2"], says: "--jobs"),
    Refusal(arguments: ["separate", "a.wav", "--int24", "--float32"], says: "--float32"),
    Refusal(arguments: ["separate", "a.wav", "--clip-mode", "hard"], says: "rescale"),
    Refusal(arguments: ["separate", "a.wav", "--device", "cuda"], says: "CPU only"),
    Refusal(arguments: ["separate", "a.wav", "--quiet", "--verbose"], says: "--verbose"),
    Refusal(arguments: ["separate", "a.wav", "--filename", "{song}/{stem}.{ext}"], says: "{trackext}"),
    Refusal(arguments: ["separate", "a.wav", "--filename", "{track}.{ext}"], says: "lacks {stem}"),
    Refusal(arguments: ["separate", "a.wav", "--filename", "{stem.{ext}"], says: "single brace"),
    Refusal(arguments: ["separate", "a.wav", "--filename", "{stem}.mp3"], says: "does not end in .wav"),
    Refusal(arguments: ["compare", "a.wav"], says: "<estimate>"),
    Refusal(arguments: ["compare", "a.wav", "a.wav", "--rtol", "-1"], says: "--rtol"),
    Refusal(arguments: ["compare", "a.wav", "a.wav", "--min-snr", "nan"], says: "--min-snr"),
    Refusal(arguments: ["compare", "a.wav", "a.wav", "--max-outside", "2"], says: "from 0 to 1"),
    Refusal(arguments: ["evaluate", "a", "b", "--out", "c"], says: "--out"),
    Refusal(arguments: ["golden", "record", "a"], says: "<song>"),
    Refusal(arguments: ["golden", "record", "a", "a.wav", "--storage", "mp3"], says: "mp3"),
    Refusal(arguments: ["golden", "check", "a", "--min-snr", "inf"], says: "--min-snr"),
  ])
  func badUsageEndsWith64(refusal: Refusal) throws {
    let program = try Program()
    defer { program.remove() }
    try program.touch("a.wav")
    let outcome = try program.run(refusal.arguments)
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains(refusal.says), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    #expect(try program.files() == ["a.wav"])
  }

  @Test func missingFileIsNamed() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(["separate", "no such song.wav"])
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("Error: no such song.wav: there is no such file."))
    #expect(outcome.errors.split(separator: "\n").count == 1)
    #expect(outcome.output.isEmpty)
    #expect(try program.files().isEmpty)
  }

  @Test func folderIsRefused() throws {
    let program = try Program()
    defer { program.remove() }
    try program.touch("album/song.wav")
    let outcome = try program.run(["separate", "album", "--quiet"])
    #expect(outcome.status == 1)
    #expect(
      outcome.errors
        == "Error: album: is a folder. Take the songs in it with -r, or pass album/*.wav or the like.\n")
  }

  @Test func everyFailureIsInTheSummary() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(["separate", "one.wav", "two.wav"])
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.hasSuffix("2 of 2 songs failed:\n  one.wav (input-not-found)\n  two.wav (input-not-found)\n"))
  }

  @Test func collisionIsRefusedBeforeAnyWork() throws {
    let program = try Program()
    defer { program.remove() }
    for path in ["a/song.wav", "b/song.wav", "c/other.wav"] { try program.touch(path) }
    let before = try program.files()
    let outcome = try program.run(["separate", "a/song.wav", "c/other.wav", "b/song.wav"])
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("a/song.wav and b/song.wav would all write"))
    #expect(outcome.errors.contains("--filename"))
    #expect(try program.files() == before)
  }

  @Test func collisionOfExtensionsHasAWayOutThatWorks() throws {
    let program = try Program()
    defer { program.remove() }
    for path in ["song.wav", "song.mp3"] { try program.touch(path) }
    let refused = try program.run(["separate", "song.wav", "song.mp3"])
    #expect(refused.status == 64)
    let template = try #require(refused.errors.firstMatch(of: /--filename '(.+?)'/)).1
    let accepted = try program.run(
      ["separate", "song.wav", "song.mp3", "--name", "absent", "--filename", String(template)])
    #expect(accepted.status == 1)
    #expect(accepted.errors.contains("absent"))
  }

  @Test func aSongGivenTwiceIsNoCollision() throws {
    let program = try Program()
    defer { program.remove() }
    try program.touch("song.wav")
    let outcome = try program.run(["separate", "song.wav", "./song.wav", "--name", "absent"])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("Note: ./song.wav is given more than once"))
  }

  @Test func unknownModelIsNamed() throws {
    let program = try Program()
    defer { program.remove() }
    try program.touch("song.wav")
    for name in ["absent", "./absent.safetensors"] {
      let outcome = try program.run(["separate", "song.wav", "--name", name])
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("absent"), "\(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
    #expect(try program.files() == ["song.wav"])
  }

  @Test func cpuIsAccepted() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(["separate", "song.wav", "-d", "cpu", "--seed", "7", "-j", "2"])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("there is no such file"))
  }
}
