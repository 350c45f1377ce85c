import Evaluation
import Foundation
import Testing

/// Scores of songs whose stems are known.
struct SongEvaluationTests {
  private static let rate = 8000
  private static let frames = 20_100
  private let drums = noise("drums", frames: frames)
  private let bass = noise("bass", frames: frames, amplitude: 0.1)

  private func write(_ folder: TestFolder, _ place: String, _ stems: [String: [[Float]]]) throws {
    for (name, channels) in stems { try folder.write("\(place)/\(name).wav", channels, rate: Self.rate) }
  }

  private func evaluate(
    _ folder: TestFolder, filters: Bool = false, truth: String = "truth", estimates: String = "estimates"
  ) throws -> SongEvaluation {
    let songs = try SongFolder.songs(in: folder(truth))
    #expect(songs.count == 1)
    return try SongEvaluation(
      song: songs[0], estimates: songs[0].estimates(in: folder(estimates), isOnlySong: true), filters: filters)
  }

  private func energy(_ channels: [[Float]]) -> Double {
    channels.joined().reduce(0) { $0 + Double($1) * Double($1) }
  }

  @Test func scoresAreThoseOfTheirDefinitions() throws {
    let folder = try TestFolder()
    try write(folder, "truth", ["drums": drums, "bass": bass])
    let error = noise("error", frames: Self.frames, amplitude: 0.02)
    try write(folder, "estimates", ["drums": drums.plus(error), "bass": bass])
    let song = try evaluate(folder)
    #expect(song.stems.map(\.name) == ["drums", "bass"])
    #expect(song.frames == Self.frames && song.stemCount == 2 && song.notes.isEmpty)

    let estimate = try #require(song.stems[0].estimate)
    let difference = zip(drums.plus(error), drums).map { zip($0, $1).map { $0 - $1 } }
    let expected = 10 * log10((energy(drums) + 1e-7) / (energy(difference) + 1e-7))
    #expect(abs(estimate.nsdr - expected) < 1e-9)
    #expect(abs((estimate.siSDR ?? 0) - 20) < 0.1 && abs((estimate.sdr ?? 0) - 20) < 0.2)
    // Perfect: bounded, but for the epsilon of nSDR.
    let perfect = try #require(song.stems[1].estimate)
    #expect(perfect.sdr == 120 && perfect.siSDR == 120)
    #expect(abs(perfect.nsdr - 10 * log10((energy(bass) + 1e-7) / 1e-7)) < 1e-6)

    let mixture = try #require(song.stems[0].mixture)
    let share = drums.plus(bass).scaled(0.5)
    let rest = zip(share, drums).map { zip($0, $1).map { $0 - $1 } }
    #expect(abs(mixture.nsdr - 10 * log10(energy(drums) / energy(rest))) < 1e-4)
  }

  /// A stem that is silent in the truth is reported by the level of its estimate, and is in no mean.
  @Test func silentStemsAreReportedByLevel() throws {
    let folder = try TestFolder()
    let leak = noise("leak", frames: Self.frames, amplitude: 0.01)
    try write(folder, "truth", ["drums": drums, "piano": drums.scaled(0), "guitar": leak.scaled(0.01)])
    try write(folder, "estimates", ["drums": drums, "piano": leak, "guitar": drums.scaled(0)])
    let song = try evaluate(folder)
    #expect(song.stems.map { $0.estimate == nil } == [false, true, true])
    #expect(abs(song.stems[2].estimateLevel - 20 * log10(0.01 / 3.0.squareRoot())) < 0.1)
    #expect(song.stems[1].estimateLevel == -120)
    let summary = EvaluationSummary([song, song])
    #expect(summary.rows.map(\.name) == ["drums"] && summary.rows[0].songs == 2)
    #expect(summary.silentLevel.map { $0.isFinite && $0 > -83 && $0 < -82 } == true)
    // Silent stems leave no second out.
    #expect(summary.all?.estimate.sdr == 120)
  }

  @Test func aSilentEstimateScoresZero() throws {
    let folder = try TestFolder()
    try write(folder, "truth", ["drums": drums, "bass": bass])
    try write(folder, "estimates", ["drums": drums.scaled(0), "bass": bass.scaled(0.5)])
    let song = try evaluate(folder)
    let silent = try #require(song.stems[0].estimate)
    #expect(silent.nsdr == 0 && silent.sdr == 0 && silent.siSDR == nil)
    // It does not leave the others without a frame.
    #expect(abs((song.stems[1].estimate?.sdr ?? 0) - 20 * log10(2)) < 1e-6)
    let mean = EvaluationSummary([song]).all?.estimate
    #expect(mean.map { $0.nsdr?.isFinite == true && $0.siSDR == 120 } == true)
  }

  @Test func theMixtureMayBeAFile() throws {
    let folder = try TestFolder()
    try write(folder, "truth", ["drums": drums, "bass": bass])
    try write(folder, "estimates", ["drums": drums, "bass": bass])
    let sum = try evaluate(folder)
    try SongFolder.songs(in: folder("truth"))[0].writeMixture(to: folder("truth/mixture.wav"))
    let file = try evaluate(folder)
    #expect(file.stems == sum.stems)
    try write(folder, "truth", ["mixture": drums])
    #expect(try evaluate(folder).stems[0].mixture != sum.stems[0].mixture)
  }

  @Test func otherRatesLengthsAndNamesAreNoted() throws {
    let folder = try TestFolder()
    try write(folder, "truth", ["drums": drums, "bass": bass])
    let short = drums.map { Array($0.prefix(10_000)) }
    try write(folder, "estimates", ["drums": short, "hum": short])
    let song = try evaluate(folder)
    #expect(
      song.notes == [
        "truth: no estimate of bass; left out.", "truth: no truth of hum; left out.",
        "truth: the estimate of drums has 10000 frames, the truth 20100; it is cut, or filled up with silence.",
      ])
    #expect(song.stems.map(\.name) == ["drums"] && song.stemCount == 2)
    #expect(abs((song.stems[0].estimate?.nsdr ?? 0) - 10 * log10(20_100.0 / 10_100)) < 0.1)
    try folder.write("other/drums.wav", [noise("x", channels: 1, frames: 30_000)[0]], rate: 12_000)
    let resampled = try evaluate(folder, estimates: "other")
    #expect(resampled.notes.contains("truth: the truth is resampled from 8000 to 12000 Hz, the rate of the estimates."))
    #expect(resampled.sampleRate == 12_000 && resampled.frames == 30_150)
    try folder.write("other/bass.wav", bass, rate: Self.rate)
    #expect(throws: EvaluationError.self) { try evaluate(folder, estimates: "other") }
  }

  /// Whatever is done to a truth or a mixture before it is judged by is said.
  @Test func whatIsConvertedIsNoted() throws {
    let folder = try TestFolder()
    try write(folder, "truth", ["drums": drums, "bass": bass.map { Array($0.prefix(9_000)) }, "mixture": drums])
    try write(folder, "estimates", ["drums": drums, "bass": bass])
    #expect(
      try evaluate(folder).notes == [
        "truth: the truth of bass has 9000 frames, the truth 20100; it is filled up with silence."
      ])
    try write(folder, "mono", ["drums": [drums[0]], "bass": [bass[0]]])
    let mono = try evaluate(folder, estimates: "mono").notes
    #expect(mono.contains("truth: the truth has 2 channels and is taken as 1, as many as the estimates have."))
    #expect(mono.contains("truth: the mixture has 2 channels and is taken as 1, as many as the estimates have."))
    try folder.write("truth/bass.wav", [noise("low", channels: 1, frames: 10_050)[0]], rate: 4000)
    try write(folder, "truth", ["mixture": drums.map { Array($0.prefix(8_000)) }])
    #expect(
      try evaluate(folder).notes == [
        "truth: the truth of bass is resampled from 4000 to 8000 Hz, the rate of the estimates.",
        "truth: the truth of bass has 1 channel and is taken as 2, as many as the estimates have.",
        "truth: the mixture has 8000 frames, the truth 20100; it is filled up with silence.",
      ])
    // A mixture that is not what its header says, with a sample that is no number.
    var odd = drums.map { $0 + $0 }
    odd[0][5] = .nan
    try write(folder, "truth", ["mixture": odd, "bass": bass])
    let notes = try evaluate(folder).notes
    #expect(notes.count == 2 && notes.contains { $0.contains("mixture.wav") && $0.contains("1 ") })
    #expect(notes.contains("truth: the mixture has 40200 frames, the truth 20100; it is cut."))
    let path = folder("truth/mixture.wav")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try bytes.prefix(bytes.count / 4).write(to: URL(fileURLWithPath: path))
    let cut = try evaluate(folder).notes
    #expect(cut.contains { $0.contains("the mixture has 100") && $0.hasSuffix("it is filled up with silence.") })
  }

  /// A file that is called otherwise than `mixture.*` and is no stem would be a part of the sum.
  @Test func namesAreReadAsPeopleWriteThem() throws {
    let folder = try TestFolder()
    try write(folder, "truth", ["Drums": drums, "BASS": bass, "Mixture": drums.plus(bass), "linear_mixture": drums])
    try write(folder, "estimates", ["drums": drums, "Bass": bass])
    let song = try evaluate(folder)
    #expect(song.stems.map(\.name) == ["drums", "bass"] && song.stemCount == 2)
    #expect(
      song.notes == [
        "truth: linear_mixture.wav is called like a mixture and is no stem; left out."
      ])
    try write(folder, "plain", ["drums": drums, "bass": bass])
    #expect(try evaluate(folder, truth: "plain").stems.map(\.estimate) == song.stems.map(\.estimate))
    // Two files of one stem: of a song among others that song alone cannot be scored.
    try write(folder, "songs/a", ["Drums": drums, "drums": drums])
    try write(folder, "songs/b", ["drums": drums])
    #expect(throws: EvaluationError.self) { try SongFolder.songs(in: folder("songs/a")) }
    let songs = try SongFolder.songs(in: folder("songs"))
    #expect(songs.map(\.name) == ["a", "b"] && songs[0].fault != nil && songs[1].fault == nil)
    let fault = try #require(songs[0].fault)
    #expect(throws: fault) { try SongEvaluation(song: songs[0], estimates: [:]) }
  }

  /// Four true stems and a model of six: what its `other` lacks is in stems that have no truth.
  @Test func aTruthOfFewerStemsIsNoted() throws {
    let folder = try TestFolder()
    try write(folder, "truth", ["drums": drums, "other": bass])
    try write(folder, "estimates", ["drums": drums, "other": bass, "piano": drums])
    #expect(
      try evaluate(folder).notes == [
        "truth: no truth of piano; left out. If the truth of other holds them too, other scores too low."
      ])
    #expect(
      try evaluate(folder, truth: "estimates", estimates: "truth").notes == [
        "estimates: no estimate of piano; left out. If the estimate of other holds them too, other scores too low."
      ])
  }

  /// The means of estimate and mixture that stand side by side are over the same songs.
  @Test func meansAreOverTheSameSongs() throws {
    let folder = try TestFolder()
    try write(folder, "truth", ["drums": drums, "bass": bass])
    try write(folder, "estimates", ["drums": drums, "bass": drums.plus(bass)])
    let whole = try evaluate(folder)
    // In each second one of them is silent.
    func paused(_ stem: [[Float]], _ second: Int) -> [[Float]] {
      stem.map { $0.enumerated().map { $0.offset / Self.rate == second ? 0 : $0.element } }
    }
    try write(folder, "estimates", ["drums": paused(drums, 0), "bass": paused(bass, 1)])
    try write(folder, "truth", ["drums": drums.scaled(0.3)])
    let pausing = try evaluate(folder)
    #expect(pausing.stems[0].mixture?.sdr != whole.stems[0].mixture?.sdr)
    #expect(pausing.stems[0].estimate?.sdr == nil && pausing.stems[0].mixture?.sdr != nil)
    let row = EvaluationSummary([pausing, whole]).rows[0]
    #expect(row.songs == 2 && row.estimate.sdr == whole.stems[0].estimate?.sdr)
    #expect(row.mixture.sdr == whole.stems[0].mixture?.sdr)
    #expect(EvaluationSummary([pausing]).rows[0].mixture.sdr == nil)
  }

  @Test func foldersOfSongsAreFound() throws {
    let folder = try TestFolder()
    for song in ["b", "a"] { try write(folder, "truth/\(song)", ["drums": drums]) }
    try write(folder, "estimates/a", ["drums": drums])
    try write(folder, "truth/nothing", ["mixture": drums])
    let songs = try SongFolder.songs(in: folder("truth"))
    #expect(songs.map(\.name) == ["a", "b"])
    #expect(try songs[0].estimates(in: folder("estimates"), isOnlySong: false).keys.sorted() == ["drums"])
    #expect(throws: EvaluationError.noEstimates(song: "b", folder: folder("estimates"))) {
      try songs[1].estimates(in: folder("estimates"), isOnlySong: false)
    }
    // As `separate` lays them out.
    try write(folder, "estimates/open_6s/b", ["drums": drums])
    #expect(
      throws: EvaluationError.noEstimates(song: "b", folder: folder("estimates"), instead: folder("estimates/open_6s"))
    ) {
      try songs[1].estimates(in: folder("estimates"), isOnlySong: false)
    }
    #expect(throws: EvaluationError.notFound(folder("none"))) { try SongFolder.songs(in: folder("none")) }
    let file = folder("truth/a/drums.wav")
    #expect(throws: EvaluationError.isFile(file)) { try SongFolder.songs(in: file) }
    #expect(throws: EvaluationError.isFile(file)) { try songs[0].estimates(in: file, isOnlySong: true) }
    #expect(throws: EvaluationError.noStems(folder("truth/nothing"))) {
      try SongFolder.songs(in: folder("truth/nothing"))
    }
  }

  /// Interference of another stem and noise that is in none come out as SIR and SAR.
  @Test func filtersTellInterferenceFromArtifacts() throws {
    let folder = try TestFolder()
    try write(folder, "truth", ["drums": drums, "bass": bass])
    let artifacts = noise("artifacts", frames: Self.frames, amplitude: 0.0002)
    try write(
      folder, "estimates",
      ["drums": drums.plus(bass.delayed(7).scaled(0.2)), "bass": bass.plus(artifacts.scaled(100))])
    let song = try evaluate(folder, filters: true)
    let (first, second) = (try #require(song.stems[0].estimate), try #require(song.stems[1].estimate))
    // 0.2 of a stem at half the amplitude.
    #expect(abs((first.sir ?? 0) - 20) < 1 && (first.sar ?? 0) > 50)
    // 512 taps in two channels explain a little of any noise.
    #expect((second.sir ?? 0) > 20 && abs((second.sar ?? 0) - 14) < 1.5)
    let without = try evaluate(folder).stems[0].estimate?.sdr ?? 0
    #expect(abs(without - (first.sdr ?? 1)) < 1e-9)
  }
}
