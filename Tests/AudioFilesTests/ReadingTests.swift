import AudioFiles
import CSndfile
import Testing

@Suite struct ReadingTests {
  struct IntegerCase: CustomTestStringConvertible {
    let format: Int
    let bits: Int
    let description: String
    var testDescription: String { description }
  }

  static let integerCases = [
    IntegerCase(format: SF_FORMAT_WAV | SF_FORMAT_PCM_U8, bits: 8, description: "WAV 8-bit PCM"),
    IntegerCase(format: SF_FORMAT_WAV | SF_FORMAT_PCM_16, bits: 16, description: "WAV 16-bit PCM"),
    IntegerCase(format: SF_FORMAT_WAV | SF_FORMAT_PCM_24, bits: 24, description: "WAV 24-bit PCM"),
    IntegerCase(format: SF_FORMAT_WAV | SF_FORMAT_PCM_32, bits: 32, description: "WAV 32-bit PCM"),
    IntegerCase(
      format: SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, bits: 16, description: "WAV (extensible) 16-bit PCM"),
    IntegerCase(
      format: SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, bits: 24, description: "WAV (extensible) 24-bit PCM"),
    IntegerCase(format: SF_FORMAT_RF64 | SF_FORMAT_PCM_16, bits: 16, description: "RF64 16-bit PCM"),
    IntegerCase(format: SF_FORMAT_RF64 | SF_FORMAT_PCM_24, bits: 24, description: "RF64 24-bit PCM"),
    IntegerCase(format: SF_FORMAT_W64 | SF_FORMAT_PCM_16, bits: 16, description: "W64 16-bit PCM"),
    IntegerCase(format: SF_FORMAT_W64 | SF_FORMAT_PCM_24, bits: 24, description: "W64 24-bit PCM"),
    IntegerCase(format: SF_FORMAT_AIFF | SF_FORMAT_PCM_S8, bits: 8, description: "AIFF 8-bit PCM"),
    IntegerCase(format: SF_FORMAT_AIFF | SF_FORMAT_PCM_16, bits: 16, description: "AIFF 16-bit PCM"),
    IntegerCase(format: SF_FORMAT_AIFF | SF_FORMAT_PCM_24, bits: 24, description: "AIFF 24-bit PCM"),
    IntegerCase(format: SF_FORMAT_AIFF | SF_FORMAT_PCM_32, bits: 32, description: "AIFF 32-bit PCM"),
    IntegerCase(format: SF_FORMAT_FLAC | SF_FORMAT_PCM_S8, bits: 8, description: "FLAC 8-bit PCM"),
    IntegerCase(format: SF_FORMAT_FLAC | SF_FORMAT_PCM_16, bits: 16, description: "FLAC 16-bit PCM"),
    IntegerCase(format: SF_FORMAT_FLAC | SF_FORMAT_PCM_24, bits: 24, description: "FLAC 24-bit PCM"),
  ]

  @Test("integers of b bits are read as sample / 2^(b-1), exactly", arguments: integerCases)
  func integers(_ each: IntegerCase) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a")
    // Both ends, zero, one step each way, and values in between.
    let step = Int32(1) << (32 - each.bits)
    var values: [Int32] = [.min, Int32.max / step * step, 0, step == 1 ? 1 : step, -step, 0]
    values += noise(1994).map { Int32($0 * 0x1.fffffp30) / step * step }
    try writeWithLibsndfile(path, format: each.format, sampleRate: 22050, channelCount: 2) {
      #expect(sf_writef_int($0, values, 1000) == 1000)
    }

    let reader = try AudioFileReader(path: path)
    #expect(reader.format.sampleRate == 22050)
    #expect(reader.format.channelCount == 2)
    #expect(reader.format.frameCount == 1000)
    #expect(reader.format.description == each.description)
    let audio = try #require(try reader.read(maximumFrames: 5000))
    #expect(interleaved(audio) == values.map { Float(Double($0) / 2_147_483_648) })
    #expect(try reader.read(maximumFrames: 5000) == nil)
    #expect(try reader.read(maximumFrames: 5000) == nil)
    #expect(reader.warnings.isEmpty)
  }

  @Test(
    "floats are read as they are, beyond full scale too",
    arguments: [
      SF_FORMAT_WAV | SF_FORMAT_FLOAT, SF_FORMAT_WAV | SF_FORMAT_DOUBLE, SF_FORMAT_WAVEX | SF_FORMAT_FLOAT,
      SF_FORMAT_RF64 | SF_FORMAT_FLOAT, SF_FORMAT_W64 | SF_FORMAT_DOUBLE, SF_FORMAT_AIFF | SF_FORMAT_FLOAT,
    ])
  func floats(format: Int) throws {
    let folder = try TemporaryFolder()
    let audio = AudioBuffer(channels: [noise(3001).map { $0 * 7 }, noise(3001, seed: 2)])
    try writeFloats(folder.path("a"), format: format, sampleRate: 96000, audio)
    let reader = try AudioFileReader(path: folder.path("a"))
    #expect(try reader.read(maximumFrames: .max) == audio)
    #expect(reader.format.frameCount == 3001)
    #expect(reader.warnings.isEmpty)
  }

  @Test(
    "lossy formats give the tone that went in, at its place and length",
    arguments: [
      (SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100, "Ogg Vorbis"),
      (SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, "Ogg Opus"),
      (SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, "MPEG Layer III"),
    ])
  func lossy(format: Int, sampleRate: Int, description: String) throws {
    let folder = try TemporaryFolder()
    let left = tone(440, sampleRate: sampleRate, frameCount: 50000)
    let right = tone(1000, sampleRate: sampleRate, frameCount: 50000)
    try writeFloats(
      folder.path("a"), format: format, sampleRate: sampleRate, AudioBuffer(channels: [left, right]))
    let reader = try AudioFileReader(path: folder.path("a"))
    #expect(reader.format.description == description)
    #expect(reader.format.sampleRate == sampleRate)
    let audio = try readAll(reader, block: 4096)
    #expect(audio.frameCount == 50000)
    #expect(signalToNoiseRatio(left, audio.channels[0]) > 25)
    #expect(signalToNoiseRatio(right, audio.channels[1]) > 25)
    #expect(reader.warnings.isEmpty)
  }

  @Test(
    "blocks of any size give the whole, bit for bit", arguments: [1, 7, 1000, 4096, 32768, 65537, 1_000_000])
  func blocks(size: Int) throws {
    let folder = try TemporaryFolder()
    let frames = size == 1 ? 5000 : 70001
    let audio = AudioBuffer(channels: [noise(frames), noise(frames, seed: 2), noise(frames, seed: 3)])
    let lossless = folder.path("a.wav")
    try writeFloats(lossless, format: SF_FORMAT_WAV | SF_FORMAT_FLOAT, sampleRate: 44100, audio)
    #expect(try readAll(AudioFileReader(path: lossless), block: size) == audio)

    let vorbis = folder.path("a.ogg")
    try writeFloats(vorbis, format: SF_FORMAT_OGG | SF_FORMAT_VORBIS, sampleRate: 44100, audio)
    let whole = try AudioFileReader(path: vorbis).read(maximumFrames: .max)
    #expect(try readAll(AudioFileReader(path: vorbis), block: size) == whole)
  }

  @Test("every block but the last is full")
  func fullBlocks() throws {
    let folder = try TemporaryFolder()
    let audio = AudioBuffer(channels: [noise(10_000)])
    try writeFloats(folder.path("a"), format: SF_FORMAT_WAV | SF_FORMAT_FLOAT, sampleRate: 48000, audio)
    let reader = try AudioFileReader(path: folder.path("a"))
    var sizes: [Int] = []
    while let block = try reader.read(maximumFrames: 3000) { sizes.append(block.frameCount) }
    #expect(sizes == [3000, 3000, 3000, 1000])
    let source = try AudioSource(path: folder.path("a"), sampleRate: 24000, channelCount: 2)
    sizes = []
    while let block = try source.read(maximumFrames: 3000) { sizes.append(block.frameCount) }
    #expect(sizes == [3000, 2000])
  }
}
