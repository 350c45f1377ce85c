import AudioFiles
import Foundation
import Layers
import ModelStore
import Separation
import Testing

/// What of an earlier run need not be done again.
struct ResumeTests {
  private let folder: SongFolder
  private let song: Song
  private let weights: String
  private let separator: Separator

  init() throws {
    folder = try SongFolder()
    song = Song(try folder.writeSong(frames: 40_000))
    weights = folder.path + "/weights"
    try Data("weights".utf8).write(to: URL(filePath: weights))
    separator = try Separator(
      model: CopyModel(sampleRate: 1000, segmentLength: 4000), options: SeparationOptions(shifts: 0))
  }

  private func writer(
    _ separator: Separator? = nil, clipMode: ClipMode = .rescale, template: String = "{track}/{stem}.{ext}"
  ) throws -> StemWriter {
    var writer = StemWriter(
      layout: OutputLayout(root: folder.path, model: "toy", template: try FilenameTemplate(template)),
      clipMode: clipMode, temporaryFiles: TemporaryFiles())
    writer.provenance = try Provenance(
      location: ModelLocation(name: "toy", path: weights), sources: (separator ?? self.separator).sources,
      chunks: (separator ?? self.separator).options, writer: writer)
    return writer
  }

  private var stem: String { folder.path + "/toy/song/copy.wav" }
  private var record: String { folder.path + "/toy/song/.copy.wav.json" }

  /// Whether a song would be skipped.
  private func isFinished(_ separator: Separator? = nil, clipMode: ClipMode = .rescale) throws -> Bool {
    let separator = separator ?? self.separator
    return try separator.finishedSong(song, to: writer(separator, clipMode: clipMode)) != nil
  }

  /// Gives a file another time of change.
  private func touch(_ path: String) throws {
    try #require(utimensat(AT_FDCWD, path, [timespec(tv_sec: 1, tv_nsec: 2), timespec(tv_sec: 3, tv_nsec: 4)], 0) == 0)
  }

  private func change(_ path: String, at offset: Int, to byte: UInt8) throws {
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    try file.seek(toOffset: UInt64(offset))
    try file.write(contentsOf: Data([byte]))
    try file.close()
  }

  @Test func aSongIsFinishedWhenItsStemsAreThere() throws {
    #expect(try !isFinished())
    let done = try separator.separateFile(song, to: writer())
    let finished = try #require(try separator.finishedSong(song, to: writer()))
    #expect(finished.outputs == done.outputs && finished.names == ["copy"])
    #expect(finished.seconds == 40 && finished.sampleRate == 1000)
    #expect(
      try folder.contents() == [
        "song.wav", "toy", "toy/song", "toy/song/.copy.wav.json", "toy/song/copy.wav", "weights",
      ])
  }

  @Test func withoutRecordsNothingIsLeftAndNothingIsSkipped() throws {
    var plain = try writer()
    plain.provenance = nil
    _ = try separator.separateFile(song, to: plain)
    #expect(try separator.finishedSong(song, to: plain) == nil && isFinished() == false)
    #expect(try !folder.contents().contains { $0.hasSuffix(".json") })
  }

  @Test func otherOptionsAndNetworksAreSeparatedAgain() throws {
    _ = try separator.separateFile(song, to: writer())
    func other(_ options: SeparationOptions) throws -> Bool {
      try isFinished(Separator(model: CopyModel(sampleRate: 1000, segmentLength: 4000), options: options))
    }
    #expect(try other(SeparationOptions(shifts: 0)))
    // Without shifts a seed is of no effect.
    #expect(try other(SeparationOptions(shifts: 0, seed: 5)))
    #expect(try !other(SeparationOptions(shifts: 1)))
    #expect(try !other(SeparationOptions(shifts: 0, overlap: 0.5)))
    #expect(try !other(SeparationOptions(shifts: 0, segment: 3)))
    #expect(try !other(SeparationOptions(shifts: 0, transitionPower: 2)))
    #expect(try !other(SeparationOptions(shifts: 0, isSplit: false)))
    #expect(try !isFinished(clipMode: .clamp))
    #expect(try isFinished())
    try Data("others".utf8).write(to: URL(filePath: weights))
    #expect(try !isFinished())
  }

  @Test func theShapeOfJoinsThatAreNotThereIsNoOtherOption() throws {
    for isSplit in [true, false] {
      let model = CopyModel(sampleRate: 1000, segmentLength: 40_000)
      func options(_ power: Double) -> SeparationOptions {
        SeparationOptions(shifts: 0, overlap: 0, transitionPower: power, isSplit: isSplit)
      }
      let plain = try Separator(model: model, options: options(1))
      _ = try plain.separateFile(song, to: writer(plain))
      #expect(try isFinished(Separator(model: model, options: options(3))))
    }
  }

  /// Whatever makes another file makes another provenance.
  @Test func everyWayToMakeAFileIsToldApart() throws {
    func provenance(
      encoding: AudioEncoding = .wav(.int16), rate: StemWriter.Rate = .model, copiesTags: Bool = true,
      consistency: StemSelection.Consistency? = nil, seed: UInt64 = 0, precision: PrecisionPolicy.Preset = .fp32,
      weights: [[Double]]? = nil, segment: Double? = nil
    ) throws -> Provenance {
      try Provenance(
        location: ModelLocation(name: "toy", path: "", members: [self.weights], weights: weights, segment: segment),
        sources: ["copy"], chunks: SeparationOptions(seed: seed),
        writer: StemWriter(
          layout: OutputLayout(root: folder.path, model: "toy"),
          selection: StemSelection(.all, consistency: consistency), encoding: encoding, rate: rate,
          copiesTags: copiesTags),
        precision: PrecisionPolicy(precision))
    }
    let encodings: [AudioEncoding] = [
      .wav(.int16), .wav(.int24), .wav(.float32), .flac(.int16), .flac(.int24), .mp3(bitrate: 320), .mp3(bitrate: 128),
      .vorbis, .opus,
    ]
    let all =
      try encodings.map { try provenance(encoding: $0) } + [
        provenance(rate: .original), provenance(copiesTags: false), provenance(consistency: .distribute),
        provenance(consistency: .residual), provenance(seed: 1), provenance(precision: .mixed),
        provenance(weights: [[1]]), provenance(weights: [[2]]), provenance(segment: 3),
      ]
    for (index, one) in all.enumerated() {
      for (otherIndex, other) in all.enumerated() { #expect((one == other) == (index == otherIndex)) }
    }
  }

  @Test func aStemThatIsNotWholeIsMadeAgain() throws {
    _ = try separator.separateFile(song, to: writer())
    let bytes = try Data(contentsOf: URL(filePath: stem))
    // Shorter, with the time of before.
    var status = stat()
    try #require(stat(stem, &status) == 0 && truncate(stem, off_t(bytes.count - 1)) == 0)
    try #require(utimensat(AT_FDCWD, stem, [status.st_atim, status.st_mtim], 0) == 0)
    #expect(try !isFinished())
    try bytes.write(to: URL(filePath: stem))
    // A copy: another time, the same bytes.
    try touch(stem)
    #expect(try isFinished())
    try change(stem, at: 2000, to: bytes[2000] ^ 1)
    #expect(try !isFinished())
    try bytes.write(to: URL(filePath: stem))
    #expect(try isFinished())
    try #require(truncate(stem, off_t(bytes.count - 1)) == 0)
    #expect(try !isFinished())
    try FileManager.default.removeItem(atPath: stem)
    #expect(try !isFinished())
    _ = try separator.separateFile(song, to: writer())
    #expect(try isFinished() && Data(contentsOf: URL(filePath: stem)) == bytes)
  }

  @Test func aSongThatChangedIsSeparatedAgain() throws {
    _ = try separator.separateFile(song, to: writer())
    let path = folder.path + "/song.wav"
    try touch(path)
    #expect(try isFinished())
    try change(path, at: 3000, to: 77)
    #expect(try !isFinished())
  }

  /// The record speaks of another song then, which may be as long and, out of one archive, as old.
  @Test func stemsOfAnotherSongAreSeparatedAgain() throws {
    let other = Song(folder.path + "/b/song.wav")
    try FileManager.default.createDirectory(atPath: folder.path + "/b", withIntermediateDirectories: false)
    try FileManager.default.copyItem(atPath: song.path.description, toPath: other.path.description)
    try change(other.path.description, at: 3000, to: 77)
    for path in [song.path.description, other.path.description] { try touch(path) }
    _ = try separator.separateFile(song, to: writer())
    #expect(try isFinished() && separator.finishedSong(other, to: writer()) == nil)
    _ = try separator.separateFile(other, to: writer())
    #expect(try !isFinished() && separator.finishedSong(other, to: writer()) != nil)
    // Moved, or copied, it is still the same song.
    try FileManager.default.moveItem(atPath: other.path.description, toPath: folder.path + "/b/old.wav")
    try FileManager.default.copyItem(atPath: folder.path + "/b/old.wav", toPath: other.path.description)
    try touch(other.path.description)
    #expect(try separator.finishedSong(other, to: writer()) != nil)
  }

  /// One stem of two songs has one name: the run that came last has it, and the other song is not whole.
  @Test func aStemThatAnotherSongsRunReplacedIsMadeAgain() throws {
    let other = Song(folder.path + "/song_minus.wav")
    try FileManager.default.copyItem(atPath: song.path.description, toPath: other.path.description)
    try change(other.path.description, at: 3000, to: 77)
    var writer = StemWriter(
      layout: OutputLayout(root: folder.path, model: "toy", template: try FilenameTemplate("{track}_{stem}.{ext}")),
      selection: StemSelection(.pair("copy", .minus)), encoding: .wav(.int16), temporaryFiles: TemporaryFiles())
    writer.provenance = try Provenance(
      location: ModelLocation(name: "toy", path: weights), sources: separator.sources, chunks: separator.options,
      writer: writer)
    #expect(try writer.layout.firstConflict(of: [song, other], stems: ["copy", "minus_copy"]) != nil)
    for (one, rest) in [(song, other), (other, song), (song, other)] {
      #expect(
        try separator.separateFile(one, to: writer).outputs.contains(FilePath("\(folder.path)/toy/song_minus_copy.wav"))
      )
      #expect(try separator.finishedSong(one, to: writer) != nil && separator.finishedSong(rest, to: writer) == nil)
    }
  }

  /// What was read is not what is there in the end, so nothing is said of it.
  @Test func aSongThatIsReplacedMeanwhileLeavesNoRecord() throws {
    let path = folder.path + "/song.wav"
    let done = try separator.separateFile(song, to: writer()) { progress in
      guard progress.chunksDone == 1 else { return }
      try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
      try FileManager.default.copyItem(atPath: path + ".old", toPath: path)
    }
    #expect(done.outputs.count == 1 && done.warnings.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: record))
  }

  @Test func aRecordThatIsNoneIsNotBelieved() throws {
    _ = try separator.separateFile(song, to: writer())
    let text = try String(contentsOfFile: record, encoding: .utf8)
    let others = [
      ("\"version\" : 1", "\"version\" : 2"), ("\"result\" : 2", "\"result\" : 1"), ("\"copy\"", "\"other\""),
    ]
    for damaged in ["", "{}", String(text.dropLast(20))] + others.map({ text.replacing($0.0, with: $0.1) }) {
      #expect(damaged != text)
      try Data(damaged.utf8).write(to: URL(filePath: record))
      #expect(try !isFinished())
    }
    try Data(text.utf8).write(to: URL(filePath: record))
    #expect(try isFinished())
  }

  /// While stems are replaced, no record speaks of those that were there.
  @Test func aRunThatFailsWhileItPublishesTakesTheRecordAway() throws {
    _ = try separator.separateFile(song, to: writer())
    try FileManager.default.removeItem(atPath: stem)
    try FileManager.default.createDirectory(atPath: stem + "/in the way", withIntermediateDirectories: true)
    #expect(throws: OutputError.self) { try separator.separateFile(song, to: writer()) }
    #expect(!FileManager.default.fileExists(atPath: record))
  }

  /// Beside the stems of other songs, and under a name as long as a file system allows.
  @Test func everySongHasItsOwnRecord() throws {
    let flat = try writer(template: "{track}{stem}.{ext}")
    let longest = Song(folder.path + "/" + String(repeating: "n", count: 247) + ".wav")
    try FileManager.default.copyItem(atPath: folder.path + "/song.wav", toPath: longest.path.description)
    for song in [song, longest] {
      _ = try separator.separateFile(song, to: flat)
      #expect(try separator.finishedSong(song, to: flat) != nil)
    }
    let records = try folder.contents().filter { $0.hasSuffix(".json") }
    #expect(records.count == 2 && records.contains("toy/.songcopy.wav.json"))
  }
}
