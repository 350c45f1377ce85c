import AudioFiles
import Foundation
import Separation
import Testing

/// Which files there are, and that they add up.
struct StemSelectionTests {
  private let folder: SongFolder
  private let song: String
  private let separator: Separator

  init() throws {
    folder = try SongFolder()
    song = try folder.writeSong(frames: 20_000, gain: 1.2)
    separator = try Separator(
      model: ToyModel(sampleRate: 1000, segmentLength: 2000), options: SeparationOptions(shifts: 1))
  }

  private func separate(
    _ selection: StemSelection, clipMode: ClipMode = .none
  ) throws -> (audio: [String: [[Float]]], file: SeparatedFile) {
    let writer = StemWriter(
      layout: OutputLayout(root: folder.path, model: "toy"), selection: selection, encoding: .wav(.float32),
      clipMode: clipMode, temporaryFiles: TemporaryFiles())
    let file = try separator.separateFile(song, to: writer)
    let names = try selection.names(sources: separator.sources)
    #expect(file.outputs == names.map { FilePath(folder.path + "/toy/song/\($0).wav") })
    let audio = try file.outputs.map {
      try AudioSource.load(path: $0, sampleRate: 1000, channelCount: 2).audio.channels
    }
    return (Dictionary(uniqueKeysWithValues: zip(names, audio)), file)
  }

  private var mix: [[Float]] {
    get throws { try AudioSource.load(path: song, sampleRate: 1000, channelCount: 2).audio.channels }
  }

  private func combine(_ one: [[Float]], _ other: [[Float]], _ body: (Float, Float) -> Float) -> [[Float]] {
    zip(one, other).map { zip($0, $1).map(body) }
  }

  @Test func aSubsetIsThatOfAllStems() throws {
    let all = try separate(StemSelection()).audio
    try FileManager.default.removeItem(atPath: folder.path + "/toy")
    let some = try separate(StemSelection(.only(["mirror", "mirror"]))).audio
    #expect(some == ["mirror": try #require(all["mirror"])])
    #expect(try folder.contents() == ["song.wav", "toy", "toy/song", "toy/song/mirror.wav"])
  }

  @Test func thePairOfDemucs() throws {
    let all = try separate(StemSelection()).audio
    let (ramp, mirror) = (try #require(all["ramp"]), try #require(all["mirror"]))
    #expect(try separate(StemSelection(.pair("ramp", .add))).audio == ["ramp": ramp, "no_ramp": mirror])
    #expect(
      try separate(StemSelection(.pair("ramp", .minus))).audio
        == ["ramp": ramp, "minus_ramp": combine(mix, ramp) { $0 - $1 }])
    #expect(try separate(StemSelection(.pair("mirror", .none))).audio == ["mirror": mirror])
  }

  @Test func unknownStemsAreNamed() throws {
    let error = #expect(throws: SeparationError.self) { try separate(StemSelection(.only(["ramp", "drums"]))) }
    #expect(try #require(error).description == "The model has no stem 'drums'; it has ramp, mirror.")
    #expect(throws: SeparationError.ambiguousStem("no_a")) {
      try StemSelection().names(sources: ["no_a", "a", "no_a"])
    }
  }

  /// Distance of the sum of the files from the mix, relative to the largest sample.
  private func distance(_ audio: [String: [[Float]]], gain: Float = 1) throws -> Float {
    let mix = try mix
    let sum = audio.values.reduce(mix.map { $0.map { _ in 0 } }) { combine($0, $1, +) }
    let largest = audio.values.joined().joined().map(abs).max() ?? 0
    return Golden.largestDifference(sum, mix.map { $0.map { $0 * gain } }) / largest
  }

  @Test(arguments: StemSelection.Consistency.allCases) func filesAddUpToTheMix(way: StemSelection.Consistency) throws {
    #expect(try distance(separate(StemSelection()).audio) > 0.1)
    for clipMode in [ClipMode.none, .rescaleAll] {
      let (audio, file) = try separate(StemSelection(.all, consistency: way), clipMode: clipMode)
      let gain = try #require(file.levels.stems.first).gain
      #expect(clipMode == .none ? gain == 1 : gain < 0.9)
      #expect(try distance(audio, gain: gain) < 1e-6)
      #expect((audio["residual"] != nil) == (way == .residual))
      let residual = try #require(file.levels.residual)
      #expect(residual.handling == way && residual.decibels > -20)
      let summary = try #require(file.levels.summary)
      #expect(summary.contains("residual of") && !summary.contains("not add up"))
    }
    // With a part of the files, what is distributed is the same.
    let all = try separate(StemSelection(.all, consistency: way)).audio
    let (part, file) = try separate(StemSelection(.only(["ramp"]), consistency: way))
    #expect(part["ramp"] == all["ramp"] && part["residual"] == all["residual"])
    #expect(
      try #require(file.levels.summary)
        .hasSuffix("; as not every stem is written, the files do not add up to the mix"))
  }

  @Test func oneGainForAllAndOneForEach() throws {
    let free = try separate(StemSelection()).audio
    let peaks = try separate(StemSelection()).file.levels.stems.map(\.peak)
    #expect(peaks == ["ramp", "mirror"].map { (free[$0] ?? []).joined().map(abs).max() })
    let highest = try #require(peaks.max())
    let (together, file) = try separate(StemSelection(), clipMode: .rescaleAll)
    for (name, samples) in free {
      #expect(together[name] == samples.map { $0.map { $0 / (1.01 * highest) } })
    }
    #expect(file.levels.stems.map(\.gain) == [1 / (1.01 * highest), 1 / (1.01 * highest)])
    #expect(try #require(file.levels.summary).hasPrefix("all stems turned down by one gain of 0."))
    let (apart, other) = try separate(StemSelection(), clipMode: .rescale)
    for (name, peak) in zip(["ramp", "mirror"], peaks) {
      #expect(apart[name] == free[name]?.map { $0.map { peak * 1.01 > 1 ? $0 / (1.01 * peak) : $0 } })
    }
    #expect(other.levels.stems.map(\.gain) == peaks.map { 1 / max(1, 1.01 * $0) })
    #expect(try #require(other.levels.summary).contains("no longer add up"))
  }
}
