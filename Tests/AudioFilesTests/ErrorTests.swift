import AudioFiles
import CSndfile
import Foundation
import Testing

/// Whatever is wrong with a file ends in one error of one line that names it.
@Suite struct ErrorTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func failure(_ path: String) -> AudioFileError? {
    let error = #expect(throws: AudioFileError.self) {
      try AudioSource.load(path: path, sampleRate: 44100, channelCount: 2)
    }
    if let error {
      #expect(error.description.hasPrefix("\(path): "), "\(error)")
      #expect(!error.description.contains("\n"))
      #expect(error.description.hasSuffix("."))
    }
    return error
  }

  private func expectNotAudio(_ path: String, _ words: String) {
    let error = failure(path)
    guard case .notAudio(_, let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains(words), "\(reason)")
  }

  private func expectDamaged(_ path: String, _ container: String, _ words: String) {
    let error = failure(path)
    guard case .damaged(_, container, let reason) = error else {
      Issue.record("\(container): \(String(describing: error))")
      return
    }
    #expect(words.isEmpty || reason.contains(words), "\(reason)")
    #expect(error?.description.contains("is cut short or damaged; fetch or export it again.") == true)
  }

  @Test func `opening`() throws {
    #expect(failure(folder.path("none.wav")) == .notFound(FilePath(folder.path("none.wav"))))
    #expect(failure(folder.url.path) == .isDirectory(FilePath(folder.url.path)))
    #expect(failure("/dev/null") == .notRegularFile(FilePath("/dev/null")))
    let empty = try folder.file("empty.wav", [])
    #expect(failure(empty) == .emptyFile(FilePath(empty)))
    #expect(failure("\(empty)/a.wav") == .notFound(FilePath("\(empty)/a.wav")))
    let pipe = folder.path("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(failure(pipe) == .notRegularFile(FilePath(pipe)))
    let long = folder.path(String(repeating: "x", count: 300))
    #expect(failure(long)?.description.contains("File name too long") == true)
    #expect(throws: AudioFileError.self) { try AudioFileReader(path: "a\0b") }
    #expect(throws: AudioFileError.notFound(FilePath(""))) { try AudioFileReader(path: "") }
  }

  @Test func `no permission`() throws {
    let path = try folder.file("locked.wav", wavBytes(data: [UInt8](repeating: 0, count: 400)))
    #expect(chmod(path, 0) == 0)
    try asNobody {
      #expect(failure(path) == .permissionDenied(FilePath(path)))
      #expect(throws: AudioFileError.permissionDenied(FilePath(path))) {
        try AudioFileWriter(path: path, sampleRate: 44100, channelCount: 2, sampleFormat: .int16)
      }
    }
  }

  /// Root may open everything: this thread's file accesses are another user's for a moment.
  private func asNobody(_ body: () throws -> Void) throws {
    guard geteuid() == 0 else { return try body() }
    typealias SetUser = @convention(c) (uid_t) -> Int32
    let setfsuid = unsafeBitCast(try #require(dlsym(nil, "setfsuid")), to: SetUser.self)
    _ = setfsuid(65534)
    defer { _ = setfsuid(0) }
    try body()
  }

  @Test func `not audio`() throws {
    expectNotAudio(try folder.file("a.txt", Array("Dear diary, no music today.\n".utf8)), "not recognised")
    expectNotAudio(try folder.file("b.wav", [0x52]), "not recognised")
    expectNotAudio(try folder.file("c.wav", [UInt8](repeating: 0, count: 5000)), "not recognised")
    // Another kind of RIFF.
    expectNotAudio(try folder.file("d.webp", Array("RIFF....WEBPVP8 and so on".utf8)), "not recognised")
  }

  @Test func `what begins like audio is damaged`() throws {
    let wav = wavBytes(data: [UInt8](repeating: 0, count: 400))
    expectDamaged(try folder.file("d.wav", wav[..<30]), "WAV", "data")
    expectDamaged(try folder.file("f.wav", wavBytes(bits: 0, data: [1, 2, 3, 4])), "WAV", "inconsistent")
    expectDamaged(
      try folder.file("g.wav", wavBytes(formatTag: 0x7777, data: [UInt8](repeating: 0, count: 400))), "WAV", "Malformed"
    )
    for (head, container) in [
      ("RIFF", "WAV"), ("RF64", "WAV"), ("fLaC", "FLAC"), ("OggS", "Ogg"), ("FORM", "AIFF"), ("caff", "CAF"),
      (".snd", "AU"), ("ID3\u{4}", "MP3"), ("RIFF1234WAV", "WAV"),
    ] {
      expectDamaged(try folder.file("head", Array(head.utf8)), container, "its header is not whole")
      let longer = Array(head.utf8) + [UInt8](repeating: 0x78, count: 9)
      if ["WAV", "AIFF"].contains(container) {
        expectNotAudio(try folder.file("head", longer), "not recognised")
      } else {
        expectDamaged(try folder.file("head", longer), container, "")
      }
    }
  }

  @Test(
    "a file that is cut short in its header is damaged, and no business of ffmpeg",
    arguments: [
      (SF_FORMAT_WAV | SF_FORMAT_PCM_16, "WAV"), (SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, "WAV"),
      (SF_FORMAT_RF64 | SF_FORMAT_FLOAT, "WAV"), (SF_FORMAT_W64 | SF_FORMAT_PCM_16, "W64"),
      (SF_FORMAT_AIFF | SF_FORMAT_PCM_16, "AIFF"), (SF_FORMAT_AIFF | SF_FORMAT_FLOAT, "AIFF"),
      (SF_FORMAT_AU | SF_FORMAT_PCM_16, "AU"), (SF_FORMAT_CAF | SF_FORMAT_PCM_16, "CAF"),
      (SF_FORMAT_FLAC | SF_FORMAT_PCM_16, "FLAC"), (SF_FORMAT_OGG | SF_FORMAT_VORBIS, "Ogg"),
      (SF_FORMAT_OGG | SF_FORMAT_OPUS, "Ogg"), (SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, "MP3"),
    ])
  func cutInTheHeader(format: Int, container: String) throws {
    try writeFloats(
      folder.path("whole"), format: format, sampleRate: 48000, AudioBuffer(channels: [noise(500), noise(500, seed: 2)]))
    var bytes = try folder.bytes("whole")
    // MP3 has no header; a tag is one.
    if container == "MP3" { bytes = Array("ID3\u{4}\0\0\0\0\u{1}\0".utf8) + [UInt8](repeating: 0, count: 128) + bytes }
    var damaged = 0
    for length in Array(4..<min(300, bytes.count)) {
      let path = try folder.file("cut", bytes[..<length])
      let input = try AudioInput(path: FilePath(path))
      #expect(!input.needsDecoding, "\(length) bytes")
      do {
        _ = try AudioSource(input, sampleRate: 48000, channelCount: 2).read(maximumFrames: 1000)
      } catch AudioFileError.damaged(_, container, _) {
        damaged += 1
      } catch AudioFileError.notAudio(_, let reason) {
        // A header that says what cannot be, or one that is whole with nothing behind it.
        #expect(reason.contains("channels at") || reason.contains("before its first frame"), "\(length): \(reason)")
      } catch AudioFileError.truncated, AudioFileError.noAudio, AudioFileError.unsupportedSampleRate {}
    }
    #expect(damaged > 15, "\(damaged)")
  }

  @Test func `absurd headers`() throws {
    let data = [UInt8](repeating: 1, count: 4096)
    expectDamaged(try folder.file("a.wav", wavBytes(sampleRate: 0, data: data)), "WAV", "0 Hz")
    expectDamaged(try folder.file("b.wav", wavBytes(sampleRate: 0xFFFF_FFF0, data: data)), "WAV", "-16 Hz")
    expectDamaged(try folder.file("c.wav", wavBytes(channelCount: 0, data: data)), "WAV", "zero")
    expectDamaged(try folder.file("d.wav", wavBytes(channelCount: 1025, data: data)), "WAV", "Too many channels")
    expectDamaged(try folder.file("e.wav", wavBytes(channelCount: 65535, data: data)), "WAV", "Too many channels")
    for rate in [1, 999, 10_000_001, 0x7FFF_FFFF] {
      let path = try folder.file("f.wav", wavBytes(sampleRate: UInt32(rate), data: data))
      #expect(failure(path) == .unsupportedSampleRate(FilePath(path), rate: rate))
    }
  }

  @Test func `768 kHz and 1024 channels are unusual and fine`() throws {
    let data = [UInt8](repeating: 0, count: 81920)
    let fast = try folder.file("a.wav", wavBytes(sampleRate: 768_000, data: data))
    let audio = try AudioSource.load(path: fast, sampleRate: 44100, channelCount: 2).audio
    #expect(audio.frameCount == 1176)
    let wide = try folder.file("b.wav", wavBytes(channelCount: 1024, data: data))
    let source = try AudioSource(path: wide, sampleRate: 44100, channelCount: 2)
    #expect(try source.read(maximumFrames: 1000)?.frameCount == 40)
    #expect(source.warnings.count == 1)
  }

  @Test func `no audio`() throws {
    let none = try folder.file("a.wav", wavBytes(data: []))
    #expect(failure(none) == .noAudio(FilePath(none)))
    // Half a frame.
    let half = try folder.file("b.wav", wavBytes(data: [1, 2]))
    #expect(failure(half) == .noAudio(FilePath(half)))
    // One frame is audio, also where it is less than one of those that are wanted.
    let short = try folder.file("c.wav", wavBytes(sampleRate: 96000, data: [1, 2, 3, 4]))
    #expect(try AudioSource.load(path: short, sampleRate: 44100, channelCount: 2).audio.frameCount == 1)
  }

  @Test func `a header without its audio`() throws {
    let path = try folder.file("a.wav", wavBytes(data: [], claimedDataSize: 4000))
    #expect(failure(path) == .truncated(FilePath(path), promisedFrames: 1000))
  }

  @Test func `a size that a pipe left open is no promise`() throws {
    let data = [UInt8](repeating: 0, count: 4000)
    for size: UInt32 in [0xFFFF_FFFF, 0xFFFF_FFD0, 0x7FFF_FFFF, 0x7FFF_F000] {
      let path = try folder.file("a.wav", wavBytes(data: data, claimedDataSize: size))
      let (audio, warnings) = try AudioSource.load(path: path, sampleRate: 44100, channelCount: 2)
      #expect(audio.frameCount == 1000)
      #expect(warnings.isEmpty)
    }
  }

  @Test func `FLAC out of a pipe does not know its length, and is whole`() throws {
    let audio = AudioBuffer(channels: [noise(50_000)])
    try writeFloats(folder.path("a"), format: SF_FORMAT_FLAC | SF_FORMAT_PCM_16, sampleRate: 44100, audio)
    var bytes = try folder.bytes("a")
    // STREAMINFO begins at byte 8; the last 36 bits of its bytes 13 to 17 are the number of frames.
    bytes[21] &= 0xF0
    bytes.replaceSubrange(22..<26, with: [0, 0, 0, 0])
    let source = try AudioSource(path: try folder.file("b", bytes), sampleRate: 44100, channelCount: 1)
    #expect(source.fileFormat.frameCount == nil)
    #expect(source.expectedFrameCount == nil)
    #expect(try source.read(maximumFrames: .max)?.frameCount == 50_000)
    #expect(source.warnings.isEmpty)
  }

  @Test(
    "a file cut short gives what is there and a warning",
    arguments: [
      SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_WAV | SF_FORMAT_FLOAT, SF_FORMAT_WAVEX | SF_FORMAT_PCM_24,
      SF_FORMAT_RF64 | SF_FORMAT_PCM_16, SF_FORMAT_W64 | SF_FORMAT_PCM_16, SF_FORMAT_AIFF | SF_FORMAT_PCM_24,
      SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III,
      SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_OGG | SF_FORMAT_OPUS,
    ])
  func truncated(format: Int) throws {
    let audio = AudioBuffer(channels: [noise(200_000), noise(200_000, seed: 2)])
    try writeFloats(folder.path("whole"), format: format, sampleRate: 48000, audio)
    let whole = try AudioSource.load(path: folder.path("whole"), sampleRate: 48000, channelCount: 2)
    #expect(whole.audio.frameCount == 200_000)
    #expect(whole.warnings.isEmpty)

    let bytes = try folder.bytes("whole")
    let path = try folder.file("cut", bytes[..<(bytes.count * 6 / 10)])
    let (cut, warnings) = try AudioSource.load(path: path, sampleRate: 48000, channelCount: 2)
    #expect((90_000..<125_000).contains(cut.frameCount))
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("\(cut.frameCount)") == true)
    #expect(warnings.first?.contains("cut short") == true)
    if format & SF_FORMAT_TYPEMASK != SF_FORMAT_OGG {
      #expect(warnings.first?.contains("200000") == true)
    }
    if format & SF_FORMAT_TYPEMASK == SF_FORMAT_FLAC {
      #expect(warnings.first?.contains("lost sync") == true)
    }
    let same = cut.frameCount - 5000
    #expect(cut.channels[0][..<same] == whole.audio.channels[0][..<same])
  }

  @Test(
    "damage of any kind ends in audio or in an error, never in a crash",
    arguments: [
      SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_W64 | SF_FORMAT_PCM_16, SF_FORMAT_RF64 | SF_FORMAT_FLOAT,
      SF_FORMAT_AIFF | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
      SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III,
    ])
  func damaged(format: Int) throws {
    let audio = AudioBuffer(channels: [noise(3000), noise(3000, seed: 2)])
    try writeFloats(folder.path("whole"), format: format, sampleRate: 44100, audio)
    let bytes = try folder.bytes("whole")
    for round in 0..<150 {
      var damaged = bytes
      for (index, value) in noise(4, seed: UInt64(round + 1)).enumerated() {
        // Half of the damage hits the header.
        let range = index % 2 == 0 ? min(100, bytes.count) : bytes.count
        damaged[Int((value + 1) / 2 * Float(range - 1))] = UInt8((round * 37 + index * 91) % 256)
      }
      let path = try folder.file("damaged", damaged)
      do {
        let source = try AudioSource(path: path, sampleRate: 44100, channelCount: 2)
        // A damaged rate can make a song of hours.
        for _ in 0..<20 {
          guard let block = try source.read(maximumFrames: 4096) else { break }
          #expect(block.channels.allSatisfy { $0.allSatisfy(\.isFinite) })
        }
      } catch let error as AudioFileError {
        #expect(error.description.hasPrefix("\(path): "))
      }
    }
  }

  @Test func `writing where one cannot`() throws {
    func create(_ path: String) throws {
      _ = try AudioFileWriter(path: path, sampleRate: 44100, channelCount: 2, sampleFormat: .int16)
    }
    #expect(throws: AudioFileError.notFound(FilePath(folder.path("no/a.wav")))) {
      try create(folder.path("no/a.wav"))
    }
    #expect(throws: AudioFileError.isDirectory(FilePath(folder.url.path))) { try create(folder.url.path) }
  }

  @Test("a full disk is an error", arguments: Container.allCases)
  func fullDisk(container: Container) throws {
    let path = "/dev/full"
    let error = #expect(throws: AudioFileError.self) {
      let writer = try AudioFileWriter(
        path: path, sampleRate: 44100, channelCount: 2, container: container, sampleFormat: .int16)
      try writer.write(AudioBuffer(channels: [noise(100_000), noise(100_000)]))
      try writer.finish()
    }
    #expect(error == .writeFailed(FilePath(path), reason: "No space left on device"))
  }
}
