import AudioFiles
import Foundation
import GoldenSupport
import Testing

/// Formats, rates and choices of stems, with the command lines of `demucs`.
struct StemOptionTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
  }

  private func separate(_ options: [String], _ song: String = "song.wav") throws -> [String] {
    let run = try program.run(["separate", song, "-n", "tiny.safetensors"] + options)
    try #require(run.status == 0, "\(run.errors)")
    return run.output.split(separator: "\n").map(String.init)
  }

  private func ratio(_ reference: [[Float]], _ estimate: [[Float]]) -> Double {
    var (signal, error) = (0.0, 0.0)
    for (one, other) in zip(reference.joined(), estimate.joined()) {
      signal += Double(one * one)
      error += Double((one - other) * (one - other))
    }
    return 10 * log10(signal / error)
  }

  @Test(arguments: [
    (["--flac"], "flac", "FLAC 16-bit PCM", 55.0), (["--flac", "--int24"], "flac", "FLAC 24-bit PCM", 100.0),
    (["--mp3", "--mp3-bitrate", "64"], "mp3", "MPEG Layer III", 8), (["--mp3"], "mp3", "MPEG Layer III", 8),
    (["--ogg"], "ogg", "Ogg Vorbis", 8), (["--opus"], "opus", "Ogg Opus", 6),
  ])
  func formats(options: [String], ext: String, description: String, decibels: Double) throws {
    defer { program.remove() }
    try program.writeSong(frames: 200_000)
    _ = try separate(["--float32", "-o", "exact"])
    let outputs = try separate(options)
    #expect(outputs == ["hum", "hiss"].map { "separated/tiny/song/\($0).\(ext)" })
    for (stem, output) in zip(["hum", "hiss"], outputs) {
      let exact = try program.audio("exact/tiny/song/\(stem).wav").channels
      let (format, channels) = try program.audio(output)
      #expect(format.description == description && format.sampleRate == 8000)
      #expect(channels.map(\.count) == [36_281, 36_281])
      #expect(ratio(exact, channels) > decibels)
    }
    let first = try outputs.map(program.bytes)
    _ = try separate(options)
    #expect(try outputs.map(program.bytes) == first)
  }

  @Test(arguments: [
    ("a.wav", 44100, 100_001), ("b.wav", 48000, 33_333), ("c.wav", 11_025, 20_000), ("d.wav", 8000, 9000),
  ])
  func theOriginalRateAndLength(song: String, rate: Int, frames: Int) throws {
    defer { program.remove() }
    try program.writeSong(song, frames: frames, sampleRate: rate)
    let name = song.prefix(1)
    _ = try separate(["--float32", "-o", "model"], song)
    for output in try separate(["--float32", "--rate", "original"], song) {
      let (format, channels) = try program.audio(output)
      #expect(format.sampleRate == rate && channels.map(\.count) == [frames, frames])
      // Back at the model's rate it is what it was there, but for the last tenth of the band, which resampling takes.
      let stem = output.split(separator: "/").last ?? ""
      let model = try program.audio("model/tiny/\(name)/\(stem)").channels
      let back = try AudioSource.load(
        path: program.folder.appendingPathComponent(output).path, sampleRate: 8000, channelCount: 2
      ).audio.channels
      let middle = model[0].count / 8..<model[0].count * 7 / 8
      #expect(ratio(model.map { Array($0[middle]) }, back.map { Array($0[middle]) }) > (rate == 8000 ? 100 : 10))
    }
    for output in try separate(["--opus", "--rate", "original", "--clip-mode", "clamp"], song) {
      let expected = [44100: 48000, 48000: 48000, 11025: 12000, 8000: 8000][rate]
      #expect(try program.audio(output).format.sampleRate == expected)
    }
  }

  @Test func twoStemsAsInDemucs() throws {
    defer { program.remove() }
    try program.writeSong(frames: 60_000)
    let exact = ["--float32", "--clip-mode", "none"]
    _ = try separate(exact + ["-o", "all"])
    let (hum, hiss) = try (program.bytes("all/tiny/song/hum.wav"), program.bytes("all/tiny/song/hiss.wav"))
    #expect(
      try separate(exact + ["--two-stems=hum"]) == ["separated/tiny/song/hum.wav", "separated/tiny/song/no_hum.wav"])
    #expect(try program.bytes("separated/tiny/song/hum.wav") == hum)
    #expect(try program.bytes("separated/tiny/song/no_hum.wav") == hiss)
    #expect(
      try separate(exact + ["--two-stems", "hiss", "--other-method", "minus", "-o", "m"])
        == ["m/tiny/song/hiss.wav", "m/tiny/song/minus_hiss.wav"])
    #expect(
      try separate(exact + ["--two-stems", "hiss", "--other-method", "none", "-o", "n"]) == ["n/tiny/song/hiss.wav"])
    #expect(try separate(exact + ["--stems", "hiss", "-o", "s"]) == ["s/tiny/song/hiss.wav"])
    #expect(try separate(exact + ["--stems", " hum ,hiss", "-o", "b"]).count == 2)
    #expect(try program.bytes("s/tiny/song/hiss.wav") == hiss && program.bytes("n/tiny/song/hiss.wav") == hiss)
    #expect(try program.files().filter { $0.hasSuffix(".wav") }.count == 2 + 2 + 2 + 1 + 1 + 2 + 1)
  }

  @Test func whatWasDoneToLevelsIsSaidInOneLine() throws {
    defer { program.remove() }
    try program.writeSong(frames: 60_000)
    func note(_ options: [String]) throws -> String? {
      let run = try program.run(["separate", "song.wav", "-n", "tiny.safetensors"] + options)
      #expect(run.status == 0)
      let lines = run.errors.split(separator: "\n").map(String.init)
      #expect(lines.count <= 3, "\(lines)")
      return lines.last { !$0.contains("real time") && !$0.contains("separating") }
    }
    let rescaled = try #require(try note([]))
    #expect(rescaled.hasPrefix("song.wav: turned down so that nothing clips: h"))
    let together = try #require(try note(["--clip-mode", "rescale-all"]))
    #expect(together.hasPrefix("song.wav: all stems turned down by one gain of 0."))
    let consistent = try #require(try note(["--mixture-consistent", "distribute"]))
    #expect(consistent.contains("dB distributed over the stems"))
    let apart = try #require(try note(["--mixture-consistent", "residual"]))
    #expect(apart.contains("one gain") && apart.contains("dB written as a stem of its own"))
    #expect(try note(["--clip-mode", "none", "--float32"]) == nil)
    #expect(try #require(try note(["--clip-mode", "clamp"])).hasPrefix("song.wav: cut at 0.99"))
  }

  @Test(arguments: [
    (["--stems", "hum", "--two-stems", "hiss"], "--two-stems exclude each other"),
    (["--stems", "hum,,hiss"], "commas between them"),
    (["--stems", "hum, ,hiss"], "commas between them"),
    (
      ["--two-stems", "hum", "--other-method", "minus", "--mixture-consistent", "residual"],
      "holds the residual already"
    ),
    (["--two-stems", "vocals"], "no stem 'vocals'; it has hum, hiss"),
    (["--flac", "--float32"], "--int24"), (["--ogg", "--int24"], "no sample size"), (["--mp3", "--flac"], "--flac"),
    (["--mp3", "--mp3-bitrate", "0"], "8 to 320"), (["--rate", "44100"], "original"),
    (["--other-method", "plus"], "minus"), (["--mixture-consistent", "maybe"], "distribute"),
    (["--mp3", "--filename", "{stem}.wav"], "does not end in .mp3"),
    // What the model does not take is known before any song, and before its weights are read.
    (["--segment", "1"], "A segment of 1.0 s is longer than this model takes; use one of 0.5 s or less."),
    (["--segment", "0.0001"], "use a longer segment"), (["--overlap", "0.9999"], "would not advance"),
    (["--transition-power", "1e9"], "use a smaller one"),
  ])
  func whatCannotBeIsBadUsage(options: [String], says: String) throws {
    defer { program.remove() }
    try program.writeSong(frames: 9000)
    for extra in [[], ["--dry-run"], ["--json"]] {
      let run = try program.run(["separate", "song.wav", "-n", "tiny.safetensors"] + options + extra)
      #expect(run.status == 64 && run.output.isEmpty)
      #expect(run.errors.contains(says) && run.errors.contains("Usage: demucs-cli separate "), "\(run.errors)")
    }
    #expect(try program.files() == ["song.wav", "tiny.safetensors"])
  }

  /// The segment of a bag is that of its networks, and each has its say; an HDemucs takes longer ones.
  @Test func segmentsOfOtherModels() throws {
    defer { program.remove() }
    try program.writeSong(frames: 2000)
    try TestModel().write(program, "repo/one.safetensors")
    try TestModel(sources: ["hum", "hiss"], segment: 0.25).write(program, "repo/two.safetensors")
    try Data("models: [one, two]".utf8).write(to: program.folder.appendingPathComponent("repo/pair.yaml"))
    try TestModel.hdemucs().write(program, "h.safetensors")
    for extra in [[], ["--dry-run"]] {
      let bag = try program.run(["separate", "song.wav", "-n", "repo/pair.yaml", "--segment", "0.3"] + extra)
      #expect(bag.status == 64 && bag.errors.contains("use one of 0.25 s or less"), "\(bag.errors)")
      let long = try program.run(["separate", "song.wav", "-n", "h.safetensors", "--segment", "1", "--quiet"] + extra)
      #expect(long.status == 0, "\(long.errors)")
    }
    let golden = try program.run(["golden", "record", "g", "song.wav", "-n", "tiny.safetensors", "--segment", "1"])
    #expect(golden.status == 64 && golden.errors.contains("Usage: demucs-cli golden record "), "\(golden.errors)")
  }
}
