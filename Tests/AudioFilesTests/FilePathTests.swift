import AudioFiles
import Foundation
import Testing

@Suite struct FilePathTests {
  @Test func `names are shown in one line, whatever their bytes are`() {
    #expect(FilePath("Mötley Crüe/音楽 👩‍👧.wav").description == "Mötley Crüe/音楽 👩‍👧.wav")
    #expect(FilePath("a\nb\t\u{1B}[31m.wav").description == #"a\nb\t\u{1B}[31m.wav"#)
    #expect(FilePath("a\u{202E}vaw.exe\u{2028}").description == #"a\u{202E}vaw.exe\u{2028}"#)
    #expect(FilePath(bytes: [0x61, 0xFF, 0xE9, 0x2E, 0xC3]).description == #"a\xFF\xE9.\xC3"#)
    #expect(FilePath(bytes: [0xED, 0xA0, 0x80, 0x62]).description == #"\xED\xA0\x80b"#)
  }

  @Test func `a name that is no text can be written and read`() throws {
    let folder = try TemporaryFolder()
    let path = FilePath(bytes: Array(folder.path("").utf8) + [0x2F, 0x6D, 0xFC, 0x0A, 0x2E, 0x77])
    let writer = try AudioFileWriter(path: path, sampleRate: 44100, channelCount: 1, sampleFormat: .float32)
    try writer.write(AudioBuffer(channels: [[0.5, -0.5]]))
    try writer.finish()
    let (audio, _) = try AudioSource.load(path: path, sampleRate: 44100, channelCount: 1)
    #expect(audio.channels == [[0.5, -0.5]])
  }

  @Test func `an error shows a hostile name safely`() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: AudioFileError.self) {
      try AudioFileReader(path: folder.path("x\n.wav"))
    }
    #expect(error?.description == "\(folder.path(#"x\n.wav"#)): no such file or folder. Check the path.")
  }
}
