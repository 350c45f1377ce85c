import AudioFiles
import Foundation
import Separation
import Testing

/// What happens to a song's file while it is separated: it is read more than once.
struct ReadingFaultTests {
  private let folder: SongFolder
  private let song: String
  private let separator: Separator

  init() throws {
    folder = try SongFolder()
    // More than is read ahead.
    song = try folder.writeSong(frames: 300_000)
    separator = try Separator(
      model: CopyModel(sampleRate: 1000, segmentLength: 4000), options: SeparationOptions(shifts: 0))
  }

  private var writer: StemWriter {
    StemWriter(layout: OutputLayout(root: folder.path, model: "toy"), temporaryFiles: TemporaryFiles())
  }

  /// Does something to the song after the first segment.
  private func separate(_ change: @escaping (String) throws -> Void) throws -> SeparatedFile {
    try separator.separateFile(
      song, to: writer,
      progress: { progress in
        if progress.chunksDone == 1 { try change(song) }
      })
  }

  @Test func aFileThatGrowsIsReported() throws {
    #expect(throws: AudioFileError.changed(FilePath(song))) {
      try separate { song in
        let file = try #require(FileHandle(forWritingAtPath: song))
        try file.seekToEnd()
        try file.write(contentsOf: Data(repeating: 1, count: 800))
        try file.close()
      }
    }
    #expect(try folder.contents() == ["song.wav"])
  }

  @Test func aFileThatIsCutShortIsReported() throws {
    #expect(throws: AudioFileError.changed(FilePath(song))) { try separate { truncate($0, 1_500_000) } }
    #expect(try folder.contents() == ["song.wav"])
  }

  /// Other audio of the same length, and the clock put back.
  @Test func aFileWithOtherSamplesIsReported() throws {
    #expect(throws: AudioFileError.changed(FilePath(song))) {
      try separate { song in
        var status = stat()
        #expect(stat(song, &status) == 0)
        let file = try #require(FileHandle(forWritingAtPath: song))
        try file.seek(toOffset: 1_200_000)
        try file.write(contentsOf: Data(repeating: 0, count: 40_000))
        try file.close()
        var times = [status.st_atim, status.st_mtim]
        #expect(utimensat(AT_FDCWD, song, &times, 0) == 0)
      }
    }
    #expect(try folder.contents() == ["song.wav"])
  }

  /// An open file stays what it is.
  @Test func aFileThatIsRemovedOrReplacedIsReadToItsEnd() throws {
    let before = try separate { _ in }
    let stem = try Data(contentsOf: URL(filePath: before.outputs[0].description))
    let other = try separate { song in
      try FileManager.default.moveItem(atPath: song, toPath: song + ".old")
      try Data("another file".utf8).write(to: URL(filePath: song))
    }
    #expect(try Data(contentsOf: URL(filePath: other.outputs[0].description)) == stem)
  }

  @Test func aPipeIsReadOnceAndSeparatedAsItsFile() throws {
    let expected = try Data(contentsOf: URL(filePath: separate { _ in }.outputs[0].description))
    let pipe = folder.path + "/pipe.wav"
    #expect(mkfifo(pipe, 0o600) == 0)
    let bytes = try Data(contentsOf: URL(filePath: song))
    let writing = Thread {
      try? bytes.write(to: URL(filePath: pipe), options: [])
    }
    writing.start()
    let done = try separator.separateFile(pipe, to: writer)
    #expect(done.outputs == [FilePath(folder.path + "/toy/pipe/copy.wav")])
    #expect(try Data(contentsOf: URL(filePath: done.outputs[0].description)) == expected)
    #expect(try folder.contents().filter { $0.contains(".demucs") }.isEmpty)
  }

  @Test func handlersSeeTheReading() throws {
    var seconds: [Double] = []
    _ = try separator.separateFile(song, to: writer, reading: { seconds.append($0) })
    #expect(seconds.last == 300 && seconds == seconds.sorted())
    #expect(throws: CancellationError.self) {
      try separator.separateFile(song, to: writer, reading: { _ in throw CancellationError() })
    }
  }

  /// Also where stems are encoded at the very end.
  @Test func aFormatThatCannotBeIsReportedBeforeWork() throws {
    let song = try folder.writeSong(frames: 300_000, sampleRate: 768_000)
    for clipMode in [ClipMode.rescale, .none] {
      let writer = StemWriter(
        layout: OutputLayout(root: folder.path, model: "toy", fileExtension: "flac"), encoding: .flac(.int16),
        rate: .original, clipMode: clipMode, temporaryFiles: TemporaryFiles())
      var reports = 0
      let error = #expect(throws: AudioFileError.self) {
        try separator.separateFile(song, to: writer, progress: { _ in reports += 1 })
      }
      #expect(try #require(error).description.contains("a sample rate of 768000 Hz, where 1 to 655350 are possible"))
      #expect(reports == 0)
      #expect(try folder.contents() == ["song.wav"])
    }
  }

  /// A failure in the middle takes the folders away again that were made for the stems.
  @Test func aFailureLeavesNoFolder() throws {
    let broken = try Separator(model: CopyModel(fault: .notFinite))
    for clipMode in [ClipMode.rescale, .none] {
      let writer = StemWriter(
        layout: OutputLayout(root: folder.path + "/a/b", model: "toy"), clipMode: clipMode,
        temporaryFiles: TemporaryFiles())
      #expect(throws: SeparationError.self) { try broken.separateFile(song, to: writer) }
      #expect(try folder.contents() == ["song.wav"])
    }
  }
}
