import AudioFiles
import Foundation
import Testing

/// Tags go from the song into its stems.
struct TagOptionTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
    try program.writeSong("plain.wav", frames: 9000)
    let (format, channels) = try program.audio("plain.wav")
    var tags = AudioTags()
    (tags[.title], tags[.artist], tags[.licence]) = ("Ünder", "歌手", "CC0")
    let writer = try AudioFileWriter(
      path: FilePath(program.folder.appendingPathComponent("song.flac").path), sampleRate: format.sampleRate,
      channelCount: 2, encoding: .flac(.int16), tags: tags)
    try writer.write(AudioBuffer(channels: channels))
    try writer.finish()
  }

  private func separate(_ song: String, _ options: [String]) throws -> Program.Outcome {
    try program.run(["separate", song, "-n", "tiny.safetensors"] + options)
  }

  @Test(arguments: [[], ["--flac"], ["--mp3"], ["--ogg"], ["--opus"]])
  func stemsHaveTheTagsOfTheSong(options: [String]) throws {
    defer { program.remove() }
    let outcome = try separate("song.flac", options)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let paths = outcome.output.split(separator: "\n").map(String.init)
    #expect(paths.count == 2)
    for (path, stem) in zip(paths, ["hum", "hiss"]) {
      let tags = try AudioFileReader(path: program.folder.appendingPathComponent(path).path).tags
      #expect(tags[.title] == "Ünder (\(stem))" && tags[.artist] == "歌手" && tags[.album] == nil)
    }
  }

  /// Files without tags are what they were before there were any.
  @Test func withoutTagsTheyAreThoseOfAPlainFile() throws {
    defer { program.remove() }
    #expect(try separate("song.flac", ["--no-tags"]).status == 0)
    #expect(try separate("plain.wav", []).status == 0)
    #expect(try separate("song.flac", ["-o", "tagged"]).status == 0)
    for stem in ["hum", "hiss"] {
      let plain = try program.bytes("separated/tiny/plain/\(stem).wav")
      #expect(try program.bytes("separated/tiny/song/\(stem).wav") == plain)
      #expect(try program.bytes("tagged/tiny/song/\(stem).wav").count > plain.count)
    }
  }
}
