import AudioFiles
import CSndfile
import Foundation
import Testing

/// An input is one file for as long as it is open.
@Suite struct InputTests {
  @Test(
    "reading again gives the same samples",
    arguments: [
      SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_24, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
      SF_FORMAT_OGG | SF_FORMAT_OPUS, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, SF_FORMAT_AIFF | SF_FORMAT_PCM_16,
    ])
  func readAgain(format: Int) throws {
    let folder = try TemporaryFolder()
    let audio = AudioBuffer(channels: [noise(60_000), noise(60_000, seed: 2)])
    try writeFloats(folder.path("a"), format: format, sampleRate: 48000, audio)
    let input = try AudioInput(path: FilePath(folder.path("a")))
    let first = try readAll(AudioSource(input, sampleRate: 44100, channelCount: 2), block: 5000)
    // One that stops in the middle does not disturb the next.
    _ = try AudioSource(input, sampleRate: 44100, channelCount: 2).read(maximumFrames: 7000)
    try FileManager.default.removeItem(atPath: folder.path("a"))
    #expect(try readAll(AudioSource(input, sampleRate: 44100, channelCount: 2), block: 9999) == first)
    #expect(first.frameCount == 55125 && !input.hasChanged)
  }

  @Test("writing to the file shows")
  func changes() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("a.wav", wavBytes(data: [UInt8](repeating: 0, count: 4000)))
    let input = try AudioInput(path: FilePath(path))
    #expect(!input.hasChanged)
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data([1]))
    #expect(input.hasChanged)
  }

  @Test("a pipe goes through a file that nobody sees")
  func pipe() throws {
    let folder = try TemporaryFolder()
    let bytes = wavBytes(data: (0..<400_000).map { UInt8($0 % 251) })
    let file = try folder.file("a.wav", bytes)
    let path = folder.path("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    let writing = Thread { try? Data(bytes).write(to: URL(filePath: path), options: []) }
    writing.start()
    let input = try AudioInput(path: FilePath(path), spoolFolder: FilePath(folder.url.path))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == ["a.wav", "pipe"])
    let piped = try readAll(AudioSource(input, sampleRate: 44100, channelCount: 2), block: 5000)
    #expect(try readAll(AudioSource(path: file, sampleRate: 44100, channelCount: 2), block: 5000) == piped)
  }

  @Test("pipes without audio")
  func pipesThatFail() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    func open(_ bytes: [UInt8], spool: String) -> AudioFileError? {
      let writing = Thread { try? Data(bytes).write(to: URL(filePath: path), options: []) }
      writing.start()
      return #expect(throws: AudioFileError.self) {
        let input = try AudioInput(path: FilePath(path), spoolFolder: FilePath(spool))
        _ = try AudioFileReader(input)
      }
    }
    #expect(open([], spool: folder.url.path) == .emptyFile(FilePath(path)))
    guard case .notAudio = open(Array("no audio".utf8), spool: folder.url.path) else {
      Issue.record("text is no audio")
      return
    }
  }
}
