import AudioFiles
import CSndfile
import Foundation
import Testing

/// Headers that tell of no samples, or of others than there are: of programs that write to a pipe, and of recorders that
/// were killed.
@Suite struct UnfinishedHeaderTests {
  private let folder: TemporaryFolder
  private let audio = AudioBuffer(channels: [noise(5000), noise(5000, seed: 2)])

  init() throws { folder = try TemporaryFolder() }

  /// A container of libsndfile's, and where its header says how much there is.
  struct Container: Sendable, CustomTestStringConvertible {
    let format: Int
    /// The number stands so many bytes behind this word.
    let (word, offset): (String, Int)
    /// Its bytes.
    let width: Int
    let isBigEndian: Bool
    /// Numbers that mean no samples.
    let nothing: [UInt64]
    /// Numbers that mean that nobody knows.
    let unknown: [UInt64]

    init(
      _ format: Int, _ word: String, offset: Int = 0, width: Int = 4, isBigEndian: Bool = false, nothing: [UInt64],
      unknown: [UInt64]
    ) {
      (self.format, self.word, self.offset, self.width, self.isBigEndian) = (format, word, offset, width, isBigEndian)
      (self.nothing, self.unknown) = (nothing, unknown)
    }

    var testDescription: String { String(format, radix: 16) }

    func bytes(_ value: UInt64) -> [UInt8] {
      let bytes = Array(little(value).prefix(width))
      return isBigEndian ? bytes.reversed() : bytes
    }
  }

  static let containers: [Container] = {
    let marks: [UInt64] = [0xFFFF_FFFF, 0xFFFF_FFD0, 0x7FFF_F000, 0x7FFF_EFFC]
    let samples = [SF_FORMAT_PCM_U8, SF_FORMAT_PCM_16, SF_FORMAT_PCM_24, SF_FORMAT_FLOAT, SF_FORMAT_ULAW]
    return samples.map { Container(SF_FORMAT_WAV | $0, "data", nothing: [0, 1], unknown: marks) } + [
      Container(SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, "data", nothing: [0, 5], unknown: marks),
      Container(
        SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG, "data", isBigEndian: true, nothing: [0, 3], unknown: marks),
      Container(
        SF_FORMAT_AIFF | SF_FORMAT_PCM_24, "SSND", isBigEndian: true, nothing: [0, 7, 8, 13],
        unknown: marks + [0x7F00_0008, 0x7F00_0004]),
      Container(
        SF_FORMAT_RF64 | SF_FORMAT_PCM_16, "ds64", offset: 12, width: 8, nothing: [0, 3], unknown: [.max, 1 << 63]),
      Container(
        SF_FORMAT_W64 | SF_FORMAT_PCM_16, "data", offset: 12, width: 8, nothing: [0, 24, 27], unknown: [.max, 1 << 63]),
      Container(
        SF_FORMAT_CAF | SF_FORMAT_FLOAT, "data", width: 8, isBigEndian: true, nothing: [0, 4, 11], unknown: [.max]),
      Container(
        SF_FORMAT_AU | SF_FORMAT_PCM_16, ".snd", offset: 4, isBigEndian: true, nothing: [0, 3], unknown: [0xFFFF_FFFF]),
      Container(
        SF_FORMAT_AU | SF_FORMAT_FLOAT | SF_ENDIAN_LITTLE, "dns.", offset: 4, nothing: [0, 3], unknown: [0xFFFF_FFFF]),
    ]
  }()

  /// A whole file of the container, what is in it, and where the number is.
  private func whole(_ container: Container) throws -> (bytes: [UInt8], audio: AudioBuffer, place: Range<Int>) {
    try writeFloats(folder.path("whole"), format: container.format, sampleRate: 44100, audio)
    let bytes = try folder.bytes("whole")
    let reader = try AudioFileReader(path: folder.path("whole"))
    let content = try readAll(reader, block: 1000)
    #expect(content.frameCount == 5000 && reader.warnings.isEmpty)
    let word = try #require(bytes.indices.first { bytes[$0...].starts(with: container.word.utf8) })
    let start = word + container.word.utf8.count + container.offset
    return (bytes, content, start..<start + container.width)
  }

  @Test(arguments: containers) func `samples that no header tells of are read to the end of the file`(
    container: Container
  ) throws {
    let (bytes, content, place) = try whole(container)
    for (value, isMark) in container.nothing.map({ ($0, false) }) + container.unknown.map({ ($0, true) }) {
      var lying = bytes
      lying.replaceSubrange(place, with: container.bytes(value))
      let path = try folder.file("lying", lying)
      let reader = try AudioFileReader(path: path)
      #expect(reader.format.frameCount == nil || reader.format.frameCount == 5000, "\(value)")
      #expect(try readAll(reader, block: 777) == content, "\(value)")
      let warning = "\(path): the header promises no audio, as it was never finished; the file is read to its end."
      // A mark is how things are done.
      #expect(reader.warnings == (isMark ? [] : [warning]), "\(value): \(reader.warnings)")
      // Part of a frame at the end is none.
      let cut = try AudioFileReader(path: try folder.file("cut", lying.dropLast()))
      #expect(try readAll(cut, block: 777).frameCount == 4999, "\(value)")
    }
  }

  /// What libsndfile refuses, or finds nothing in.
  @Test(arguments: containers) func `a file cut short gives what is there, and a warning`(container: Container) throws {
    let (bytes, content, _) = try whole(container)
    let path = try folder.file("cut", bytes.dropLast(bytes.count / 3))
    let reader = try AudioFileReader(path: path)
    let part = try readAll(reader, block: 777)
    #expect((2500..<4000).contains(part.frameCount))
    #expect(part.channels[1] == Array(content.channels[1][..<part.frameCount]))
    #expect(reader.warnings.count == 1)
    #expect(reader.warnings.first?.contains("promises 5000 frames and \(part.frameCount) can be read") == true)
  }

  @Test func `what ffmpeg leaves of RF64 in a pipe is read`() throws {
    try writeFloats(folder.path("whole"), format: SF_FORMAT_RF64 | SF_FORMAT_PCM_16, sampleRate: 44100, audio)
    var bytes = try folder.bytes("whole")
    bytes.replaceSubrange(20..<44, with: [UInt8](repeating: 0, count: 24))
    let reader = try AudioFileReader(path: try folder.file("pipe", bytes))
    #expect(try readAll(reader, block: 1000).frameCount == 5000 && reader.warnings.count == 1)
  }

  /// Zeros could be chunks of no bytes and no name.
  @Test func `silence behind a header without samples is silence`() throws {
    for value: UInt32 in [0, 3] {
      let bytes = wavBytes(data: [UInt8](repeating: 0, count: 4000), claimedDataSize: value)
      let reader = try AudioFileReader(path: try folder.file("a.wav", bytes))
      #expect(try readAll(reader, block: 300).frameCount == 1000 && reader.warnings.count == 1)
    }
  }

  /// A header that is right: nothing, and other chunks behind it.
  @Test func `a file without samples stays one`() throws {
    let list = Array("LIST".utf8) + little(UInt32(4)) + Array("INFO".utf8)
    let files = [
      wavBytes(data: []), wavBytes(data: []) + list, wavBytes(data: []) + list + list, wavBytes(data: [1, 2, 3]),
      wavBytes(data: [1, 2, 3], claimedDataSize: 0),
      wavBytes(data: [1, 2, 3, 4] + list, claimedDataSize: 4).dropLast(0),
    ]
    for (index, bytes) in files.enumerated().dropLast() {
      let path = try folder.file("none", bytes)
      #expect(throws: AudioFileError.noAudio(FilePath(path)), "\(index)") { try AudioFileReader(path: path) }
    }
    let reader = try AudioFileReader(path: try folder.file("one", files[5]))
    #expect(try readAll(reader, block: 10).frameCount == 1 && reader.warnings.isEmpty)
  }

  /// Of W64 libsndfile reads what there is, so that nothing lies behind it.
  @Test func `what is read is not said to lie behind`() throws {
    try writeFloats(folder.path("whole"), format: SF_FORMAT_W64 | SF_FORMAT_PCM_16, sampleRate: 1000, audio)
    var bytes = try folder.bytes("whole")
    let word = try #require(bytes.indices.first { bytes[$0...].starts(with: "data".utf8) })
    bytes.replaceSubrange(word + 16..<word + 24, with: little(UInt64(24 + 4 * 2500)))
    let reader = try AudioFileReader(path: try folder.file("half", bytes))
    let frames = try readAll(reader, block: 777).frameCount
    #expect(frames == 5000 && reader.warnings.isEmpty, "\(frames): \(reader.warnings)")
  }

  /// The header of a recorder that died since it wrote it last: what is behind the samples may be anything.
  @Test func `a second and more behind the samples is told of`() throws {
    let frames = 8000
    let data = [UInt8](repeating: 7, count: 4 * frames)
    let list = Array("LIST".utf8) + little(UInt32(4)) + Array("INFO".utf8)
    func warnings(_ bytes: [UInt8]) throws -> [String] {
      let reader = try AudioFileReader(path: try folder.file("a.wav", bytes))
      #expect(try readAll(reader, block: 1000).frameCount == 100)
      return reader.warnings
    }
    let told = try warnings(wavBytes(sampleRate: 7900, data: data, claimedDataSize: 400))
    #expect(told.count == 1)
    #expect(
      told.first?.contains("behind the 100 frames that the header promises lie 31600 bytes more") == true, "\(told)")
    #expect(try warnings(wavBytes(sampleRate: 7901, data: data, claimedDataSize: 400)).isEmpty)
    let chunk = Array("junk".utf8) + little(UInt32(data.count)) + data
    #expect(
      try warnings(wavBytes(sampleRate: 7900, data: Array(data[..<400]) + list + chunk + list, claimedDataSize: 400))
        .isEmpty)
  }

  /// Sparse files: libsndfile takes a mark for a size where there is more.
  @Test(arguments: [
    (SF_FORMAT_WAV, 0xFFFF_FFFF, 5 << 30, 0), (SF_FORMAT_WAV, 0, 5 << 30, 1), (SF_FORMAT_WAV, 0x7FFF_F000, 3 << 30, 0),
    (SF_FORMAT_AIFF, 0x7F00_0008, 3 << 30, 0), (SF_FORMAT_AIFF, 0, 5 << 30, 1), (SF_FORMAT_AU, 3 << 30, 3 << 30, 0),
    (SF_FORMAT_AU, 0xFFFF_FFFF, 5 << 30, 0), (SF_FORMAT_RF64, 0, 5 << 30, 1),
  ]) func `files of gigabytes are whole`(format: Int, stated: Int, byteCount: Int, warnings: Int) throws {
    let container = try #require(
      Self.containers.first { $0.format == format | SF_FORMAT_PCM_16 || $0.format == format | SF_FORMAT_PCM_24 })
    var (bytes, _, place) = try whole(container)
    let size = container.format & SF_FORMAT_SUBMASK == SF_FORMAT_PCM_16 ? 4 : 6
    bytes.replaceSubrange(place, with: container.bytes(UInt64(stated)))
    let path = try folder.file("long", bytes)
    let header = bytes.count - 5000 * size
    #expect(truncate(path, header + byteCount / size * size) == 0)
    let reader = try AudioFileReader(path: path)
    #expect(reader.format.frameCount == byteCount / size)
    #expect(reader.warnings.count == warnings)
    let content = try readAll(try AudioFileReader(path: folder.path("whole")), block: 5000)
    #expect(try reader.read(maximumFrames: 5000) == content)
  }

  /// libsndfile has no way to be told.
  @Test func `a file that gets shorter is no file that ends`() throws {
    let data = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let path = try folder.file("a.wav", wavBytes(data: data, claimedDataSize: 0))
    let reader = try AudioFileReader(path: path)
    #expect(truncate(path, 2000) == 0)
    let error = #expect(throws: AudioFileError.self) { while try reader.read(maximumFrames: 10_000) != nil {} }
    guard case .readFailed = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `tags in front of samples without a size are read`() throws {
    let text = Array("INFOINAM".utf8) + little(UInt32(6)) + Array("title\0".utf8)
    let plain = wavBytes(data: [UInt8](repeating: 1, count: 4000), claimedDataSize: 0)
    let list = Array("LIST".utf8) + little(UInt32(text.count)) + text
    let reader = try AudioFileReader(path: try folder.file("a.wav", plain[..<36] + list + plain[36...]))
    #expect(reader.tags[.title] == "title")
    #expect(try readAll(reader, block: 100).frameCount == 1000)
  }
}
