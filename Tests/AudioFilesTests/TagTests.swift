import AudioFiles
import CSndfile
import Foundation
import Testing

/// Title, artist and so on: what is read, what is written.
@Suite struct TagTests {
  static let encodings: [AudioEncoding] = [
    .wav(.int16), .wav(.int24), .wav(.float32), .flac(.int16), .mp3(bitrate: 128), .vorbis, .opus,
  ]

  private let folder: TemporaryFolder
  private let audio = AudioBuffer(channels: [noise(5001), noise(5001, seed: 2)])

  /// Texts of every field, of odd and even lengths, in several scripts.
  private var tags: AudioTags {
    var tags = AudioTags()
    for (index, field) in AudioTags.Field.allCases.enumerated() {
      tags[field] = ["Motörhead", "歌", "Ace of 🂡s", "1980"][index % 4] + String(repeating: "x", count: index)
    }
    return tags
  }

  init() throws { folder = try TemporaryFolder() }

  private func write(_ name: String, _ encoding: AudioEncoding, _ tags: AudioTags) throws -> [UInt8] {
    let writer = try AudioFileWriter(
      path: FilePath(folder.path(name)), sampleRate: 48000, channelCount: 2, encoding: encoding, tags: tags)
    try writer.write(audio)
    try writer.finish()
    return try folder.bytes(name)
  }

  @Test("come back, and change no sample", arguments: encodings)
  func roundTrip(encoding: AudioEncoding) throws {
    _ = try write("plain", encoding, AudioTags())
    let bytes = try write("tagged", encoding, tags)
    #expect(try write("again", encoding, tags) == bytes)
    let reader = try AudioFileReader(path: folder.path("tagged"))
    let plain = try AudioFileReader(path: folder.path("plain"))
    #expect(plain.tags.isEmpty)
    for field in AudioTags.Field.allCases {
      // RIFF has no place for a licence, and libsndfile looks for none in an MP3.
      let isKept = field != .licence || [.flac(.int16), .vorbis, .opus].contains(encoding)
      #expect(reader.tags[field] == (isKept ? tags[field] : nil), "\(field)")
    }
    #expect(try readAll(reader, block: 1000) == readAll(plain, block: 1000))
    #expect(reader.warnings.isEmpty)
  }

  @Test("an MP3's tag is one that mpg123 and others skip: frames follow it at once")
  func id3() throws {
    var tags = AudioTags()
    // The sizes are of seven bits a byte: more than 127 bytes show it.
    tags[.comment] = String(repeating: "ä", count: 5000)
    let bytes = try write("a.mp3", .mp3(bitrate: 128), tags)
    #expect(Array(bytes[..<5]) == [0x49, 0x44, 0x33, 4, 0])
    let size = bytes[6..<10].reduce(0) { $0 << 7 | Int($1) }
    #expect(bytes[10 + size] == 0xFF && bytes[11 + size] & 0xE0 == 0xE0)
    #expect(try AudioFileReader(path: folder.path("a.mp3")).tags == tags)
  }

  @Test("texts that are not UTF-8 are taken for Windows-1252, as older programs wrote them")
  func otherEncodings() throws {
    func title(_ text: [UInt8]) throws -> String? {
      let content = text + [0] + (text.count % 2 == 0 ? [0] : [])
      let list =
        Array("LIST".utf8) + little(UInt32(12 + content.count)) + Array("INFOINAM".utf8)
        + little(UInt32(content.count)) + content
      var bytes = wavBytes(data: [UInt8](repeating: 0, count: 400))
      bytes.insert(contentsOf: list, at: 36)
      return try AudioFileReader(path: folder.file("a.wav", bytes)).tags[.title]
    }
    #expect(try title(Array("Motörhead".utf8)) == "Motörhead")
    #expect(try title([0x4D, 0xF6, 0x74, 0x80, 0x99]) == "Möt€™")
    #expect(try title([0xFF, 0xFE, 0x81]) == "ÿþ")
    #expect(try title([0x20, 0x41, 0x1B, 0x5B, 0x0A, 0x42, 0x20, 0x20]) == "A[\nB")
    #expect(try title([0x20, 0x20, 0x20]) == nil)
  }

  @Test("all texts of a WAV's list are read, behind long ones too, before the samples and behind them")
  func longTextsBeforeOthers() throws {
    func text(_ name: String, _ text: String) -> [UInt8] {
      let content = Array(text.utf8) + [0]
      return Array(name.utf8) + little(UInt32(content.count)) + content + (content.count % 2 == 1 ? [0] : [])
    }
    let comment = String(repeating: "ä", count: 4000)
    let texts =
      text("ICMT", comment) + text("ISFT", "x") + text("INAM", "Title") + text("IART", "") + text("IGNR", "Rock")
    let list = Array("LIST".utf8) + little(UInt32(4 + texts.count)) + Array("INFO".utf8) + texts
    let plain = wavBytes(data: [UInt8](repeating: 0, count: 401)) + [0]
    var before = plain
    before.insert(contentsOf: list, at: 36)
    // Another list, and one that promises more than there is.
    let others = Array("LIST".utf8) + little(UInt32(4)) + Array("adtl".utf8)
    let cut = list[..<(list.count - 3)]
    let files: [([UInt8], String?)] = [(before, "Rock"), (plain + others + list, "Rock"), (plain + cut, nil)]
    for (bytes, genre) in files {
      let reader = try AudioFileReader(path: folder.file("a.wav", bytes))
      #expect(reader.tags[.title] == "Title" && reader.tags[.comment] == comment && reader.tags[.genre] == genre)
      #expect(reader.tags.fields.count == (genre == nil ? 2 : 3))
      #expect(try readAll(reader, block: 100).frameCount == 100)
    }
  }

  @Test("a stem of a song with long texts keeps them, in RF64 too")
  func longTextsComeBack() throws {
    var tags = tags
    tags[.title] = String(repeating: "歌", count: 3000)
    for limit in [Int(UInt32.max), 100] {
      let writer = try AudioFileWriter(
        path: FilePath(folder.path("a")), sampleRate: 48000, channelCount: 2, encoding: .wav(.int16), tags: tags,
        waveSizeLimit: limit)
      try writer.write(audio)
      try writer.finish()
      var expected = tags
      expected[.licence] = nil
      #expect(try AudioFileReader(path: folder.path("a")).tags == expected)
      let bytes = try folder.bytes("a")
      #expect(bytes.starts(with: (limit == 100 ? "RF64" : "RIFF").utf8))
      // Behind the samples, whose length a RF64 tells elsewhere.
      let list = try #require(bytes.firstRange(of: Array("LIST".utf8))).lowerBound
      let length = bytes[list + 4..<list + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
      let moved = bytes[..<list] + bytes[(list + 8 + length)...] + bytes[list..<list + 8 + length]
      #expect(try AudioFileReader(path: folder.file("b", moved)).tags == expected)
    }
  }

  @Test("what is too long is left out")
  func lengths() throws {
    var tags = AudioTags()
    tags[.title] = ""
    tags[.comment] = String(repeating: "x", count: AudioTags.lengthLimit + 1)
    #expect(tags.isEmpty)
    tags[.comment] = String(repeating: "x", count: AudioTags.lengthLimit)
    for encoding in TagTests.encodings { _ = try write("a", encoding, tags) }
    tags[.artist] = "A"
    tags[.artist] = nil
    #expect(tags.fields.count == 1)
  }

  @Test("the stem stands behind the title, where there is one")
  func stems() {
    var tags = AudioTags()
    tags[.artist] = "A"
    #expect(tags.naming(stem: "drums") == tags)
    tags[.title] = "T"
    #expect(tags.naming(stem: "drums")[.title] == "T (drums)")
    #expect(tags.naming(stem: "drums")[.artist] == "A")
  }
}
