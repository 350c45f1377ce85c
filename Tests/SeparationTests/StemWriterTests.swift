import AudioFiles
import Foundation
import Separation
import Testing

/// Stems on the disk: whole or not at all.
struct StemWriterTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "separation-\(UUID().uuidString)")
  private let stems: [Separator.Stem] = [
    ("ramp", AudioBuffer(channels: [[0, 0.5, -2], [0, 0.25, 1]])),
    ("mirror", AudioBuffer(channels: [[0.125, 0.5, 0.25], [0, 0, 0]])),
  ]

  private func writer(
    clipMode: ClipMode = .rescale, sampleFormat: SampleFormat = .float32, template: String? = nil,
    temporaryFiles: TemporaryFiles = TemporaryFiles()
  ) throws -> StemWriter {
    let template = try template.map { try FilenameTemplate($0) } ?? .standard
    return StemWriter(
      layout: OutputLayout(root: folder.path, model: "toy", template: template), clipMode: clipMode,
      sampleFormat: sampleFormat, temporaryFiles: temporaryFiles)
  }

  /// Every file below the folder.
  private func files() -> [String] {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
    return paths.filter {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: folder.path + "/" + $0, isDirectory: &isFolder)
      return !isFolder.boolValue
    }.sorted()
  }

  private func cleanUp() { try? FileManager.default.removeItem(at: folder) }

  @Test func writesWhereDemucsDoes() throws {
    defer { cleanUp() }
    let paths = try writer().write(stems, song: Song("music/a song.v2.mp3"), sampleRate: 44_100)
    #expect(paths == ["ramp", "mirror"].map { FilePath("\(folder.path)/toy/a song.v2/\($0).wav") })
    #expect(files() == ["toy/a song.v2/mirror.wav", "toy/a song.v2/ramp.wav"])
    let (ramp, _) = try AudioSource.load(path: paths[0], sampleRate: 44_100, channelCount: 2)
    // Rescaled by 1.01 times its peak of 2; the other stem, below full scale, is not.
    #expect(
      Golden.largestDifference(ramp.channels, stems[0].audio.channels.map { $0.map { $0 / 2.02 } }) < 1e-7)
    let (mirror, _) = try AudioSource.load(path: paths[1], sampleRate: 44_100, channelCount: 2)
    #expect(mirror == stems[1].audio)
  }

  @Test func floatsBeyondFullScaleStay() throws {
    defer { cleanUp() }
    let paths = try writer(clipMode: .none).write(stems, song: Song("a.wav"), sampleRate: 44_100)
    #expect(try AudioSource.load(path: paths[0], sampleRate: 44_100, channelCount: 2).audio == stems[0].audio)
  }

  @Test func replacesWhatWasThere() throws {
    defer { cleanUp() }
    let writer = try writer()
    let first = try writer.write(stems, song: Song("a.wav"), sampleRate: 44_100)
    let again = try writer.write(stems.map { ($0.name, stems[1].audio) }, song: Song("a.wav"), sampleRate: 44_100)
    #expect(again == first)
    #expect(try AudioSource.load(path: first[0], sampleRate: 44_100, channelCount: 2).audio == stems[1].audio)
    #expect(files().count == 2)
  }

  @Test func aFailureLeavesNothingHalfDone() throws {
    defer { cleanUp() }
    // 2000 channels fit into no file: the second stem fails when the first is written already.
    let wide = AudioBuffer(channels: [[Float]](repeating: [0], count: 2000))
    #expect(throws: AudioFileError.self) {
      try writer().write([stems[0], ("wide", wide)], song: Song("a.wav"), sampleRate: 44_100)
    }
    #expect(files().isEmpty)
  }

  @Test func aFolderInTheWayIsReported() throws {
    defer { cleanUp() }
    let taken = folder.appendingPathComponent("toy/a/mirror.wav")
    try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: true)
    #expect(throws: OutputError.self) { try writer().write(stems, song: Song("a.wav"), sampleRate: 44_100) }
    // The stem before is whole and in place; nothing temporary is left.
    #expect(files() == ["toy/a/ramp.wav"])
  }

  @Test func aFileInPlaceOfAFolderIsReportedBeforeWork() throws {
    defer { cleanUp() }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data().write(to: folder.appendingPathComponent("toy"))
    #expect(throws: OutputError.notAFolder(path: FilePath("\(folder.path)/toy"))) {
      try writer().plan(song: Song("a.wav"), stems: ["ramp"])
    }
  }

  @Test func aStemNeverReplacesItsSong() throws {
    defer { cleanUp() }
    let paths = try writer().write(stems, song: Song("a.wav"), sampleRate: 44_100)
    #expect(throws: OutputError.wouldReplaceInput(path: paths[0])) {
      try writer(template: "a/{stem}.{ext}").write(stems, song: Song(paths[0]), sampleRate: 44_100)
    }
  }

  @Test func afterAbandonNothingIsPublished() throws {
    defer { cleanUp() }
    let temporaryFiles = TemporaryFiles()
    temporaryFiles.abandon()
    let writer = try writer(temporaryFiles: temporaryFiles)
    #expect(throws: OutputError.abandoned) { try writer.write(stems, song: Song("a.wav"), sampleRate: 44_100) }
    #expect(files().isEmpty)
  }

  @Test func separatesAFile() throws {
    defer { cleanUp() }
    let song = try writeSong(rate: 44_100)
    let separator = try Separator(model: CopyModel(sampleRate: 44_100, segmentLength: 4000))
    let done = try separator.separateFile(song, to: writer())
    #expect(done.outputs == [FilePath("\(folder.path)/toy/song/copy.wav")])
    #expect(done.seconds == 9000 / 44_100 && done.warnings.isEmpty)
    let (copy, _) = try AudioSource.load(path: done.outputs[0], sampleRate: 44_100, channelCount: 2)
    let (original, _) = try AudioSource.load(path: song, sampleRate: 44_100, channelCount: 2)
    // The song's peak is full scale, so the stem is rescaled.
    let expected = original.channels.map { $0.map { $0 / 1.01 } }
    #expect(Golden.largestDifference(copy.channels, expected) < 1e-6)
  }

  @Test func cancellingLeavesNoFile() throws {
    defer { cleanUp() }
    let song = try writeSong(rate: 44_100)
    let separator = try Separator(model: CopyModel(sampleRate: 44_100, segmentLength: 4000))
    #expect(throws: CancellationError.self) {
      try separator.separateFile(song, to: writer()) { progress in
        if progress.chunksDone == progress.totalChunks { throw CancellationError() }
      }
    }
    #expect(files() == ["song.wav"])
  }

  /// Writes 9000 frames of the golden signal into `song.wav`.
  private func writeSong(rate: Int) throws -> String {
    let path = folder.path + "/song.wav"
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let output = try AudioFileWriter(path: path, sampleRate: rate, channelCount: 2, sampleFormat: .float32)
    try output.write(AudioBuffer(channels: ToyModel.signal(9000)))
    try output.finish()
    return path
  }
}
