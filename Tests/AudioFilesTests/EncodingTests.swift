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
