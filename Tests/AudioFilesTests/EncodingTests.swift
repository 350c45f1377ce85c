import AudioFiles
import CSndfile
import Foundation
import Testing

/// Lossy files: what is in them, and that equal runs give equal bytes.
@Suite struct EncodingTests {
  static let lossy: [AudioEncoding] = [.mp3(bitrate: 320), .mp3(bitrate: 96), .vorbis, .opus]

  private func write(_ audio: AudioBuffer, to path: String, _ encoding: AudioEncoding, block: Int = 5000) throws {
    let writer = try AudioFileWriter(
      path: FilePath(path), sampleRate: 48000, channelCount: audio.channelCount, encoding: encoding)
    for start in stride(from: 0, to: audio.frameCount, by: block) {
      let range = start..<min(start + block, audio.frameCount)
      try writer.write(AudioBuffer(channels: audio.channels.map { Array($0[range]) }))
    }
    try writer.finish()
  }

  private let music = AudioBuffer(
    channels: [440, 660].map { tone($0, sampleRate: 48000, frameCount: 200_000, amplitude: 0.4) })

  @Test("a tone comes back", arguments: lossy)
  func roundTrip(encoding: AudioEncoding) throws {
    let folder = try TemporaryFolder()
    try write(music, to: folder.path("a"), encoding)
    let reader = try AudioFileReader(path: folder.path("a"))
    #expect(reader.format.sampleRate == 48000 && reader.format.channelCount == 2)
    let read = try readAll(reader, block: 10_000)
    #expect(reader.warnings.isEmpty)
    #expect(read.frameCount == 200_000)
    // Lossy encoders keep frames where they are; the ends are blurred.
    for channel in 0..<2 {
      let (one, other) = (Array(music.channels[channel][5000..<190_000]), Array(read.channels[channel][5000..<190_000]))
      #expect(signalToNoiseRatio(one, other) > 20, "channel \(channel)")
    }
  }

  @Test("equal samples give equal bytes, in every run and every cut", arguments: lossy)
  func identicalBytes(encoding: AudioEncoding) throws {
    let folder = try TemporaryFolder()
    let audio = AudioBuffer(channels: [noise(70_001), noise(70_001, seed: 2)])
    try write(audio, to: folder.path("a"), encoding)
    // libsndfile takes the serial number of an Ogg stream from the second of the first file and counts on.
    try write(audio, to: folder.path("b"), encoding)
    try write(audio, to: folder.path("c"), encoding, block: 4096 * 3)
    let expected = try folder.bytes("a")
    #expect(try folder.bytes("b") == expected && folder.bytes("c") == expected)
  }

  @Test("bit rates are those asked for")
  func bitRates() throws {
    let folder = try TemporaryFolder()
    let audio = AudioBuffer(channels: [noise(480_000), noise(480_000, seed: 2)])
    for bitrate in [32, 96, 128, 192, 256, 320] {
      try write(audio, to: folder.path("a"), .mp3(bitrate: bitrate))
      let rate = Double(try folder.bytes("a").count) * 8 / 10 / 1000
      #expect(abs(rate - Double(bitrate)) < 0.03 * Double(bitrate), "\(bitrate): \(rate)")
    }
  }

  /// Bit rate of each frame in kbit/s (ISO 11172-3, 13818-3).
  private func mp3Bitrates(_ bytes: [UInt8]) -> [Int] {
    var (rates, position): ([Int], Int) = ([], 0)
    while position + 4 <= bytes.count, bytes[position] == 0xFF, bytes[position + 1] & 0xE0 == 0xE0 {
      let isFirstVersion = bytes[position + 1] & 0x18 == 0x18
      let known =
        isFirstVersion
        ? [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
        : [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
      let rate = known[Int(bytes[position + 2] >> 4) % 15]
      let divisor = [0x18: 1, 0x10: 2, 0x00: 4][Int(bytes[position + 1] & 0x18)] ?? 1
      let sampleRate = [44100, 48000, 32000, 1][Int(bytes[position + 2] >> 2 & 3)] / divisor
      rates.append(rate)
      position += (isFirstVersion ? 144 : 72) * 1000 * rate / sampleRate + Int(bytes[position + 2] >> 1 & 1)
    }
    return rates
  }

  @Test(
    "a bit rate that MP3 has not at a sample rate becomes the nearest that it has, which is said",
    arguments: [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
  func nearestBitRates(sampleRate: Int) throws {
    let folder = try TemporaryFolder()
    let known = AudioEncoding.mp3Bitrates(sampleRate: sampleRate)
    for wanted in [8, 9, 20, 30, 64, 72, 100, 130, 144, 150, 190, 192, 300, 320] {
      let encoding = AudioEncoding.mp3(bitrate: wanted)
      let writer = try AudioFileWriter(
        path: FilePath(folder.path("a")), sampleRate: sampleRate, channelCount: 2, encoding: encoding)
      try writer.write(AudioBuffer(channels: [noise(12_000), noise(12_000, seed: 2)]))
      try writer.finish()
      // The first frame tells of the others and holds no sound.
      let rates = Set(mp3Bitrates(try folder.bytes("a")).dropFirst())
      let nearest = AudioEncoding.mp3Bitrate(near: wanted, sampleRate: sampleRate)
      #expect(rates == [nearest], "\(wanted)")
      #expect(known.allSatisfy { abs($0 - wanted) >= abs(nearest - wanted) })
      let clauses = encoding.compromises(sampleRate: sampleRate, wantedRate: nil)
      #expect(clauses.count == (known.contains(wanted) ? 0 : 1))
      #expect(clauses.allSatisfy { $0.hasPrefix("the stems have \(nearest) kbit/s in place of \(wanted): at ") })
    }
  }

  @Test("beyond full scale is cut, not wrapped, and NaN is silence", arguments: lossy)
  func beyondFullScale(encoding: AudioEncoding) throws {
    let folder = try TemporaryFolder()
    var loud = tone(440, sampleRate: 48000, frameCount: 50_000, amplitude: 4)
    loud[1000] = .nan
    loud[2000] = .infinity
    try write(AudioBuffer(channels: [loud]), to: folder.path("a"), encoding)
    let cut = loud.map { $0.isNaN ? 0 : min(max($0, -1), 1) }
    let read = try readAll(AudioFileReader(path: folder.path("a")), block: 10_000).channels[0]
    #expect(signalToNoiseRatio(Array(cut[5000..<40_000]), Array(read[5000..<40_000])) > 8)
  }

  @Test("rates that an encoding does not know are refused by name")
  func refusals() throws {
    let folder = try TemporaryFolder()
    for (rate, channels, encoding) in [
      (44100, 2, .opus), (96000, 2, .mp3(bitrate: 128)), (48000, 3, .mp3(bitrate: 128)), (1000, 2, .vorbis),
    ] as [(Int, Int, AudioEncoding)] {
      let error = #expect(throws: AudioFileError.self) {
        try AudioFileWriter(
          path: FilePath(folder.path("a")), sampleRate: rate, channelCount: channels, encoding: encoding)
      }
      #expect(try #require(error).description.contains("possible"))
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("a")))
  }

  @Test("a full disk is an error", arguments: lossy)
  func fullDisk(encoding: AudioEncoding) throws {
    let error = #expect(throws: AudioFileError.self) { try write(music, to: "/dev/full", encoding) }
    #expect(error == .writeFailed(FilePath("/dev/full"), reason: "No space left on device"))
  }
}
