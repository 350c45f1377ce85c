import Checkpoints
import Foundation
import GoldenSupport
import Testing

/// What goes in and comes out: sample formats, rates, channels, clipping, names, taps.
struct FormatTests {
  private func program() throws -> Program {
    let program = try Program()
    try TestModel().write(program)
    return program
  }

  private func separate(_ program: Program, _ song: String, _ options: [String]) throws {
    let run = try program.run(["separate", song, "-n", "tiny.safetensors"] + options)
    try #require(run.status == 0, "\(run.errors)")
  }

  @Test func sampleFormatsHoldTheSameStems() throws {
    let program = try program()
    defer { program.remove() }
    try program.writeSong(frames: 30_000)
    for (folder, options) in [("16", []), ("24", ["--int24"]), ("32", ["--float32"])] {
      try separate(program, "song.wav", ["-o", folder, "--clip-mode", "clamp"] + options)
    }
    for stem in ["hum", "hiss"] {
      let exact = try program.audio("32/tiny/song/\(stem).wav")
      #expect(exact.format.description == "WAV 32-bit float")
      for (folder, name, step) in [
        ("16", "WAV 16-bit PCM", Float(1) / 32767), ("24", "WAV 24-bit PCM", 1 / 8_388_607),
      ] {
        let (format, channels) = try program.audio("\(folder)/tiny/song/\(stem).wav")
        #expect(format.description == name)
        let largest = zip(channels.joined(), exact.channels.joined()).map { abs($0 - $1) }.max() ?? .infinity
        // Half a step, and what the reader's scale of 2^15 differs from the writer's of 2^15 - 1.
        #expect(largest <= 1.6 * step && largest > 0, "\(name): \(largest)")
      }
      #expect(exact.channels.joined().allSatisfy { abs($0) <= 0.99 })
    }
  }

  @Test func floatsGoBeyondFullScale() throws {
    let program = try program()
    defer { program.remove() }
    try program.writeSong(frames: 30_000)
    try separate(program, "song.wav", ["-o", "none", "--clip-mode", "none", "--float32"])
    try separate(program, "song.wav", ["-o", "rescale", "--float32"])
    for stem in ["hum", "hiss"] {
      let free = try program.audio("none/tiny/song/\(stem).wav").channels
      let scaled = try program.audio("rescale/tiny/song/\(stem).wav").channels
      let peak = free.joined().map(abs).max() ?? 0
      let divisor = max(1, 1.01 * peak)
      let largest = zip(free.joined(), scaled.joined()).map { abs($0 / divisor - $1) }.max() ?? .infinity
      #expect(largest < 1e-6)
    }
  }

  @Test func monoAndOtherRatesAreTaken() throws {
    let program = try program()
    defer { program.remove() }
    try program.writeSong("mono.wav", frames: 20_000, channels: 1)
    try program.writeSong("fast.wav", frames: 24_001, sampleRate: 48_000)
    for (song, frames) in [("mono", 3628), ("fast", 4000)] {
      try separate(program, song + ".wav", ["--float32"])
      for stem in ["hum", "hiss"] {
        let (format, channels) = try program.audio("separated/tiny/\(song)/\(stem).wav")
        #expect(format.sampleRate == 8000)
        #expect(channels.map(\.count) == [frames, frames])
      }
    }
  }

  @Test func namesFollowTheTemplate() throws {
    let program = try program()
    defer { program.remove() }
    try program.writeSong("a.b.wav", frames: 5000)
    try separate(program, "a.b.wav", ["--filename", "{stem} of {track}.{ext}", "-o", "x/y"])
    #expect(try program.files().contains("x/y/tiny/hum of a.b.wav"))
  }

  /// Options reach the separation: each changes the result, and a seed is a seed.
  @Test func optionsMatter() throws {
    let program = try program()
    defer { program.remove() }
    try program.writeSong(frames: 60_000)
    func stem(_ options: [String]) throws -> Data {
      try separate(program, "song.wav", ["--float32", "--shifts", "0"] + options)
      return try program.bytes("separated/tiny/song/hum.wav")
    }
    let results = try [
      [], ["--overlap", "0.5"], ["--segment", "0.3"], ["--shifts", "1"], ["--shifts", "1", "--seed", "9"],
      ["--shifts", "2"], ["--transition-power", "3"],
    ].map(stem)
    #expect(Set(results).count == results.count)
    #expect(try stem(["--shifts", "1", "--seed", "0"]) == results[3])
  }

  /// Every intermediate tensor of every segment, under the name of the PyTorch module.
  @Test func tapsAreWrittenWithTheirShapes() throws {
    let program = try program()
    defer { program.remove() }
    // 1.0 s: chunks at 0, 0.375 and 0.75 s.
    try program.writeSong(frames: 44_100)
    try separate(
      program, "song.wav", ["--shifts", "0", "--dump-taps", "taps", "--float32", "--clip-mode", "none"])
    let folders = try FileManager.default.contentsOfDirectory(
      atPath: program.folder.appendingPathComponent("taps").path)
    #expect(folders.sorted() == ["segment-0", "segment-1", "segment-2"])
    for folder in folders {
      let order = String(decoding: try program.bytes("taps/\(folder)/order.txt"), as: UTF8.self)
        .split(separator: "\n").map(String.init)
      let files = try FileManager.default.contentsOfDirectory(
        atPath: program.folder.appendingPathComponent("taps/\(folder)").path)
      #expect(Set(files) == Set(order.map { $0 + ".npy" } + ["order.txt"]))
      for (name, shape) in [
        ("input.spectrogram", [1, 4, 256, 32]), ("encoder.0", [1, 8, 64, 32]), ("tencoder.0", [1, 8, 1000]),
        ("encoder.2", [1, 32, 4, 32]), ("tencoder.2", [1, 32, 63]), ("freq_emb", [64, 8]),
        ("encoder.1.dconv", [16, 16, 32]), ("crosstransformer", [1, 32, 4, 32]),
        ("crosstransformer#1", [1, 32, 63]),
        ("crosstransformer.layers.0", [1, 128, 32]), ("decoder.2#1", [1, 8, 64, 32]),
        ("tdecoder.2", [1, 4, 4000]),
        ("output.spectrogram", [1, 2, 4, 256, 32]), ("output.waveform", [1, 2, 2, 4000]),
        ("output", [1, 2, 2, 4000]),
      ] {
        let tensor = try NPYFile.read(
          program.folder.appendingPathComponent("taps/\(folder)/\(name).npy").path)
        #expect(tensor.shape == shape, "\(name)")
        #expect(tensor.values.allSatisfy({ $0.isFinite }) && tensor.values.contains { $0 != 0 }, "\(name)")
      }
    }
    // Taps change nothing.
    let tapped = try program.bytes("separated/tiny/song/hum.wav")
    try separate(program, "song.wav", ["--shifts", "0", "--float32", "--clip-mode", "none"])
    #expect(try program.bytes("separated/tiny/song/hum.wav") == tapped)
  }
}
