import Foundation
import GoldenSupport
import Testing

/// One command, six stems: the program and the model that come together.
@Suite(.serialized) struct SeparateTests {
  static let stems = ["drums", "bass", "other", "vocals", "guitar", "piano"]

  /// A folder that is neither the package's nor the executable's, so the model is found from anywhere.
  @Test func sixStemsTheSameForAnyThreadsAndEveryTime() throws {
    let program = try Program()
    defer { program.remove() }
    try program.writeSong("My song.wav", frames: 100_000)
    let first = try program.run(["separate", "My song.wav", "-j", "1"])
    #expect(first.status == 0, "\(first.errors)")
    let expected = Self.stems.map { "separated/open_6s/My song/\($0).wav" }
    #expect(first.output == expected.map { $0 + "\n" }.joined())
    #expect(try program.files().filter { $0.hasSuffix(".wav") } == (expected + ["My song.wav"]).sorted())
    for path in expected {
      let (format, channels) = try program.audio(path)
      #expect(format.sampleRate == 44100 && format.description == "WAV 16-bit PCM")
      #expect(channels.map(\.count) == [100_000, 100_000])
      #expect(channels.joined().contains { $0 != 0 })
    }
    for (folder, jobs) in [("two", "2"), ("again", "2")] {
      let run = try program.run(["separate", "My song.wav", "-j", jobs, "-o", folder, "--quiet"])
      #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
      for stem in Self.stems {
        let again = try program.bytes("\(folder)/open_6s/My song/\(stem).wav")
        let before = try program.bytes("separated/open_6s/My song/\(stem).wav")
        #expect(again == before, "\(stem), -j \(jobs)")
      }
    }
  }

  /// From file to files, the whole song is what PyTorch makes of it.
  @Test func theSongEqualsPyTorch() throws {
    let program = try Program()
    defer { program.remove() }
    let song = Golden.fixtures.appendingPathComponent("song.flac").path
    let run = try program.run([
      "separate", song, "--shifts", "0", "--float32", "--clip-mode", "none", "--quiet",
    ])
    #expect(run.status == 0, "\(run.errors)")
    let golden = try Golden("open_6s")
    for stem in Self.stems {
      let (format, channels) = try program.audio("separated/open_6s/song/\(stem).wav")
      #expect(format.description == "WAV 32-bit float")
      let decibels = try golden.ratios(stem, channels.flatMap { $0 })[0]
      #expect(decibels >= 105, "\(stem): \(decibels) dB")
    }
  }

  /// `PREFIX/bin` and `PREFIX/share/demucs-cli/models`, wherever PREFIX is. A model of the same name with other stems
  /// shows that it is not the one of the development build that was found.
  @Test func anInstalledCopyFindsItsModel() throws {
    let program = try Program()
    defer { program.remove() }
    let executable = program.folder.appendingPathComponent("usr/bin/demucs-cli")
    try FileManager.default.createDirectory(
      at: executable.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: Program.executable, to: executable)
    try TestModel().write(program, "usr/share/demucs-cli/models/open_6s.safetensors")
    try program.writeSong(frames: 9000)
    let run = try program.run(
      ["separate", "song.wav"],
      environment: ["HOME": program.folder.path, "XDG_DATA_HOME": "", "DEMUCS_CLI_MODELS": ""],
      executable: executable)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output == "separated/open_6s/song/hum.wav\nseparated/open_6s/song/hiss.wav\n")
    // Through a link in another folder too, as /usr/local/bin often has.
    let link = program.folder.appendingPathComponent("link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: executable)
    let linked = try program.run(
      ["separate", "song.wav", "-o", "linked"],
      environment: ["HOME": program.folder.path, "XDG_DATA_HOME": "", "DEMUCS_CLI_MODELS": ""],
      executable: link)
    #expect(
      linked.output == "linked/open_6s/song/hum.wav\nlinked/open_6s/song/hiss.wav\n", "\(linked.errors)")
  }
}
