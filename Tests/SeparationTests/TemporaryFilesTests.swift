import AudioFiles
import Foundation
import Separation
import Testing

/// Files that are not whole yet, and what killed programs leave of them.
struct TemporaryFilesTests {
  private let folder: SongFolder

  init() throws { folder = try SongFolder() }

  private var path: FilePath { FilePath(folder.path) }

  @Test func whatADeadProgramLeftGoes() throws {
    let left = [".demucs-1-abc.part", ".demucs-99999-x.tmp"]
    let others = [".demucs-1-abc.wav", "demucs-1.part", "song.wav", ".demucs.json"]
    for name in left + others { try Data("x".utf8).write(to: URL(filePath: folder.path + "/" + name)) }
    try FileManager.default.createDirectory(
      atPath: folder.path + "/.demucs-folder.part", withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/.demucs-link.part", withDestinationPath: folder.path + "/song.wav")
    TemporaryFiles().sweep(path)
    #expect(try folder.contents() == (others + [".demucs-folder.part", ".demucs-link.part"]).sorted())
  }

  @Test func whatAnotherProgramWritesStays() throws {
    let (own, other) = (TemporaryFiles(), TemporaryFiles())
    let file = try other.create(in: path)
    own.sweep(path)
    #expect(access(file.description, F_OK) == 0)
    try other.publish([(file, path.appending("stem.wav"))])
    TemporaryFiles().sweep(path)
    #expect(try folder.contents() == ["stem.wav"])
    // Once its owner is gone, its lock is too.
    let stray = folder.path + "/.demucs-7-stray.part"
    let descriptor = open(stray, O_RDWR | O_CREAT, 0o600)
    #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    TemporaryFiles().sweep(path)
    #expect(access(stray, F_OK) == 0)
    close(descriptor)
    TemporaryFiles().sweep(path)
    #expect(access(stray, F_OK) != 0)
  }

  @Test func discardedAndAbandonedFilesGo() throws {
    let files = TemporaryFiles()
    let (first, second) = (try files.create(in: path), try files.create(in: path))
    files.discard([first])
    #expect(try folder.contents() == [second.name.description])
    files.abandon()
    #expect(try folder.contents().isEmpty)
    #expect(throws: OutputError.abandoned) { try files.create(in: path) }
    #expect(throws: OutputError.abandoned) { try files.publish([(second, path.appending("stem.wav"))]) }
  }

  @Test func foldersMadeForNothingGo() throws {
    let files = TemporaryFiles()
    let kept = try files.createFolder(path.appending("a/b"))
    #expect(kept == [path.appending("a"), path.appending("a/b")])
    files.keep(folders: kept)
    let (removed, abandoned) = (try files.createFolder(path.appending("a/c/d")), path.appending("a/b/e/f"))
    #expect(try removed.count == 2 && files.createFolder(abandoned).count == 2)
    files.remove(folders: removed)
    #expect(try folder.contents() == ["a", "a/b", "a/b/e", "a/b/e/f"])
    files.abandon()
    #expect(try folder.contents() == ["a", "a/b"])
    #expect(throws: OutputError.abandoned) { try files.createFolder(abandoned) }
    #expect(throws: OutputError.self) { try TemporaryFiles().createFolder("/proc/no") }
  }

  @Test func aFolderThatIsNotThereIsNamed() throws {
    #expect(throws: OutputError.notWritable(path: path.appending("no"), reason: "No such file or directory")) {
      try TemporaryFiles().create(in: path.appending("no"))
    }
  }
}

/// Room on the disk.
struct FreeSpaceTests {
  @Test func whatDoesNotFitIsRefused() throws {
    let folder = FilePath(FileManager.default.temporaryDirectory.path)
    try FreeSpace.check([])
    try FreeSpace.check([FreeSpace.Need(folder: folder.appending("not/there/yet"), byteCount: 1)])
    let error = #expect(throws: OutputError.self) {
      try FreeSpace.check([
        FreeSpace.Need(folder: folder, byteCount: 1), FreeSpace.Need(folder: folder, byteCount: 1 << 60),
      ])
    }
    let text = try #require(error).description
    #expect(text.contains("there is not enough room: the stems and their temporary data take 1152921504607.0"))
    #expect(text.contains("free some space or choose another folder"))
  }

  /// A file system that says that it has no blocks at all.
  @Test func nonsensePasses() throws {
    try FreeSpace.check([FreeSpace.Need(folder: "/proc", byteCount: 1 << 60)])
  }

  @Test func theSongIsNotBegun() throws {
    let folder = try SongFolder()
    let song = try folder.writeSong(frames: 30_000)
    let separator = try Separator(model: CopyModel(sampleRate: 1000, segmentLength: 4000))
    let writer = StemWriter(layout: OutputLayout(root: folder.path, model: "toy"), temporaryFiles: TemporaryFiles())
    let measured = try separator.measure(Song(song), to: writer)
    try measured.checkSpace()
    let another = try separator.separate(measured)
    // What is to come of another song counts too: here a stem of 16 bits, beside 4 bytes a sample that wait and 16 bits.
    let (spool, file, margin) = (2 * 30_000 * 4, 2 * 30_000 * 2, 1 << 16)
    for (others, needed) in [([], spool + file + margin), ([another], spool + 2 * file + margin)] {
      #expect(try measured.checkSpace(besides: others) { _ in needed } == nil)
      let error = #expect(throws: OutputError.self) { try measured.checkSpace(besides: others) { _ in needed - 1 } }
      let place = FilePath(folder.path + "/toy/song")
      #expect(error == .notEnoughSpace(folder: place, needed: needed, available: needed - 1))
    }
    #expect(try folder.contents().contains("toy/song"))
  }
}

extension FreeSpaceTests {
  /// What compresses may be next to nothing, so that too little room for it is no error.
  @Test(arguments: [(AudioEncoding.flac(.int16), 48_000), (.vorbis, 72_000), (.opus, 72_000)])
  func whatMayNotFitIsWarnedOf(encoding: AudioEncoding, usual: Int) throws {
    let folder = try SongFolder()
    let song = try folder.writeSong(frames: 24_000, sampleRate: 8000)
    let separator = try Separator(model: CopyModel(sampleRate: 8000, segmentLength: 4000))
    let writer = StemWriter(
      layout: OutputLayout(root: folder.path, model: "toy", fileExtension: encoding.fileExtension), encoding: encoding,
      clipMode: .clamp, temporaryFiles: TemporaryFiles())
    let measured = try separator.measure(Song(song), to: writer)
    let margin = 1 << 16
    #expect(try measured.checkSpace(besides: []) { _ in usual + margin } == nil)
    let warning = try #require(try measured.checkSpace(besides: []) { _ in usual + margin - 1 })
    #expect(warning.hasPrefix("\(song): \(folder.path): there may not be enough room: the stems"), "\(warning)")
    #expect(throws: OutputError.self) { try measured.checkSpace(besides: []) { _ in margin - 1 } }
  }
}

/// Work beside the caller.
struct BackgroundTests {
  private struct Failure: Error {}

  @Test func resultsAndErrorsComeBack() throws {
    let sum = Background { (1...1000).reduce(0, +) }
    #expect(try sum.value() == 500_500)
    #expect(try sum.value() == 500_500)
    let failure = Background<Int> { throw Failure() }
    #expect(throws: Failure.self) { try failure.value() }
  }

  @Test func itIsAnotherThread() throws {
    let (first, second) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let work = Background {
      first.signal()
      second.wait()
    }
    first.wait()
    second.signal()
    try work.value()
  }
}
