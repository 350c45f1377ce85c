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

  @Test(
    arguments: [
      ("a/b.wav", "b.wav", "a"), ("b.wav", "b.wav", "."), ("/b.wav", "b.wav", "/"), ("a/b/", "b", "a/b"), ("", "", "."),
      ("/", "/", "/"), ("a/\u{301}b", "\u{301}b", "a"),
    ] as [(FilePath, FilePath, FilePath)])
  func `names and folders are found in the bytes`(path: FilePath, name: FilePath, folder: FilePath) {
    #expect(path.name == name && path.folder == folder)
  }

  @Test(
    arguments: [
      ("a", "b", "a/b"), ("a//", "/b//./c", "a/b/c"), ("/", "b", "/b"), ("", "b", "b"), (".", "b", "./b"),
      ("a", "..", "a/.."),
    ] as [(FilePath, FilePath, FilePath)])
  func `what is appended lies below`(folder: FilePath, name: FilePath, expected: FilePath) {
    #expect(folder.appending(name) == expected)
  }

  /// Valid names, invalid bytes in every position, and names that look like what stands for such bytes.
  @Test func `any bytes go through text and back, each to a text of its own`() {
    var names: [[UInt8]] = [[], Array("Mötley 👩‍👧 \u{10FE7F}\u{10FF00}\n".utf8)]
    for text in ["\u{10FE80}", "\u{10FEFF}", "\u{10FEFF}x\u{10FE80}", "\u{10FEC3}\u{10FEA9}", "é"] {
      names += [Array(text.utf8), Array(text.utf8) + [0xFF], Array(text.utf8.dropLast()), Array(text.utf8.dropFirst())]
    }
    for first in UInt8.min...UInt8.max {
      for second in [0x41, 0x80, 0xA9, 0xC3, 0xF4, 0xFF] as [UInt8] {
        names += [
          [first, second], [0x61, second, first, 0x62], [0xF4, 0x8F, first, second], [0xF4, 0x8F, 0xBA, first],
        ]
      }
    }
    let paths = Set(names.map { FilePath(bytes: $0) })
    for path in paths {
      #expect(FilePath(lossless: path.losslessText) == path)
      if let string = path.string, !string.unicodeScalars.contains(where: { (0x10FE80...0x10FEFF).contains($0.value) })
      {
        #expect(path.losslessText == string)
      }
    }
    #expect(Set(paths.map { Array($0.losslessText.utf8) }).count == paths.count)
  }
}
