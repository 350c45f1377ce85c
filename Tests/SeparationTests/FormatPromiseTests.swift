import AudioFiles
import Foundation
import Separation
import Testing

/// What files are promised to be: how long, at which rate, and what is said where they cannot be that.
struct FormatPromiseTests {
  private let folder: SongFolder

  init() throws { folder = try SongFolder() }

  private func separate(
    _ song: String, _ separator: Separator, _ encoding: AudioEncoding, rate: StemWriter.Rate,
    selection: StemSelection = StemSelection(), clipMode: ClipMode = .none
  ) throws -> (file: SeparatedFile, frames: [Int], rate: Int) {
    let writer = StemWriter(
      layout: OutputLayout(root: folder.path, model: "toy", fileExtension: encoding.fileExtension),
      selection: selection, encoding: encoding, rate: rate, clipMode: clipMode, temporaryFiles: TemporaryFiles())
    let file = try separator.separateFile(song, to: writer)
    var frames: [Int] = []
    for output in file.outputs {
      let reader = try AudioFileReader(path: output)
      var count = 0
      while let block = try reader.read(maximumFrames: 1 << 16) { count += block.frameCount }
      frames.append(count)
      #expect(reader.format.sampleRate == file.sampleRate)
    }
    return (file, frames, file.sampleRate)
  }

  /// Songs of a few samples at any rate, and networks of any.
  @Test(arguments: [1000, 8000, 22_050, 44_100, 48_000, 96_000, 768_000], [8000, 44_100, 48_000])
  func aSongOfAFewFramesHasStemsOfAsMany(songRate: Int, modelRate: Int) throws {
    let separator = try Separator(model: CopyModel(sampleRate: modelRate, segmentLength: 47))
    for frames in 1...10 {
      let song = try folder.writeSong(frames: frames, sampleRate: songRate)
      let original = try separate(song, separator, .wav(.float32), rate: .original)
      #expect(original.frames == [frames] && original.rate == songRate && original.file.warnings.isEmpty)
      let model = try separate(song, separator, .wav(.float32), rate: .model)
      let exact = (2 * frames * modelRate + songRate) / (2 * songRate)
      #expect(model.frames == [max(1, exact)] && model.rate == modelRate, "\(frames) frames")
    }
  }

  /// `--mp3` and `--opus` of one frame: whatever rate they take, there is something in the file.
  @Test(arguments: [AudioEncoding.mp3(bitrate: 64), .opus], [1000, 96_000])
  func lossyStemsOfOneFrame(encoding: AudioEncoding, songRate: Int) throws {
    let separator = try Separator(model: CopyModel(sampleRate: 44_100, segmentLength: 47))
    let song = try folder.writeSong(frames: 1, sampleRate: songRate)
    for rate in StemWriter.Rate.allCases {
      #expect(try separate(song, separator, encoding, rate: rate).frames[0] >= 1)
    }
  }

  @Test(
    arguments: [
      (768_000, .mp3(bitrate: 320), 48_000, "as MP3 has no such rate; WAV has any."),
      (22_050, .opus, 24_000, "as Opus has no such rate; WAV has any."), (22_050, .mp3(bitrate: 160), 22_050, nil),
      (48_000, .opus, 48_000, nil), (96_000, .flac(.int16), 96_000, nil),
    ] as [(Int, AudioEncoding, Int, String?)])
  func anotherRateThanTheSongsIsWarnedOf(songRate: Int, encoding: AudioEncoding, rate: Int, words: String?) throws {
    let separator = try Separator(model: CopyModel(sampleRate: 44_100, segmentLength: 4700))
    let song = try folder.writeSong(frames: 5000, sampleRate: songRate)
    let result = try separate(song, separator, encoding, rate: .original)
    #expect(result.rate == rate)
    let start =
      "\(song): the stems have \(rate) Hz in place of the song's \(songRate), and so another number of samples, "
    #expect(result.file.warnings == (words.map { [start + $0] } ?? []))
    // What nobody asked for is no matter.
    #expect(try separate(song, separator, encoding, rate: .model).file.warnings.isEmpty)
  }

  /// A third rate, neither the song's nor the model's: the number of frames is rounded once, from the song's own.
  @Test(arguments: [(96_000, 48_000), (32_000, 48_000), (48_000, 48_000), (44_100, 48_000), (22_050, 24_000)])
  func stemsOfAThirdRateAreAsLongAsTheSong(songRate: Int, rate: Int) throws {
    let separator = try Separator(model: CopyModel(sampleRate: 44_100, segmentLength: 4700))
    for frames in [3, 11, 12, 17, 25, 5003] {
      let song = try folder.writeSong(frames: frames, sampleRate: songRate)
      let result = try separate(song, separator, .opus, rate: .original)
      #expect(
        result.rate == rate && result.frames == [(2 * frames * rate + songRate) / (2 * songRate)], "\(frames) frames")
    }
  }

  @Test func anotherBitRateIsWarnedOf() throws {
    let separator = try Separator(model: CopyModel(sampleRate: 8000, segmentLength: 4700))
    let song = try folder.writeSong(frames: 5000, sampleRate: 8000)
    let expected =
      "\(song): the stems have 64 kbit/s in place of 192: at 8000 Hz MP3 has 8, 16, 24, 32, 40, 48, 56, 64."
    for rate in StemWriter.Rate.allCases {
      #expect(try separate(song, separator, .mp3(bitrate: 192), rate: rate).file.warnings == [expected])
      #expect(try separate(song, separator, .mp3(bitrate: 56), rate: rate).file.warnings.isEmpty)
    }
  }

  /// Files that are turned down no longer add up to the mix, if they ever did.
  @Test func whatRescalingCostsIsTrue() throws {
    let song = try folder.writeSong(frames: 9000, gain: 3)
    let separator = try Separator(model: ToyModel(sampleRate: 1000, segmentLength: 2000))
    func summary(_ choice: StemSelection.Choice, _ clipMode: ClipMode) throws -> String {
      let result = try separate(
        song, separator, .wav(.int16), rate: .model, selection: StemSelection(choice), clipMode: clipMode)
      return try #require(result.file.levels.summary)
    }
    let whole = "; stems no longer add up to the mix (rescale-all keeps them in proportion)"
    #expect(try summary(.all, .rescale).hasSuffix(whole))
    #expect(try summary(.pair("mirror", .add), .rescale).hasSuffix(whole))
    #expect(try summary(.pair("mirror", .minus), .rescale).hasSuffix(whole))
    #expect(
      try summary(.only(["mirror", "ramp"]), .rescale)
        .hasSuffix("; stems are no longer as loud as in the mix (rescale-all keeps them in proportion)"))
    for choice in [StemSelection.Choice.only(["mirror"]), .pair("mirror", .none)] {
      let alone = try summary(choice, .rescale)
      #expect(alone.hasPrefix("turned down so that nothing clips: mirror -"))
      #expect(alone.hasSuffix(" dB; it is quieter than in the mix by as much"), "\(alone)")
      #expect(try summary(choice, .rescaleAll).hasPrefix("mirror turned down by one gain of 0."))
    }
    #expect(try summary(.all, .rescaleAll).hasPrefix("all stems turned down by one gain of 0."))
  }
}
