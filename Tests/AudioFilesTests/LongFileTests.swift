import AudioFiles
import Foundation
import Testing

@Suite struct LongFileTests {
  @Test("past 4 GiB the header is RF64, and libsndfile reads it", arguments: SampleFormat.allCases)
  func rf64(format: SampleFormat) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("long.wav")
    let header = WAVEHeader(sampleRate: 48000, channelCount: 2, sampleFormat: format)
    let frames = 1_500_000_000
    let dataByteCount = frames * 2 * format.byteCount
    // Sparse: the zeros take no room on the disk.
    _ = try folder.file("long.wav", header.bytes(dataByteCount: dataByteCount))
    #expect(truncate(path, header.byteCount + dataByteCount) == 0)
    let reader = try AudioFileReader(path: path)
    #expect(reader.format.frameCount == frames)
    #expect(reader.format.sampleRate == 48000)
    #expect(reader.format.description.hasPrefix("RF64 "))
    #expect(try reader.read(maximumFrames: 10) == AudioBuffer(channelCount: 2, frameCount: 10))
  }

  @Test("the switch comes exactly where 32 bits end")
  func threshold() {
    let header = WAVEHeader(sampleRate: 44100, channelCount: 2, sampleFormat: .int16)
    // The RIFF size counts everything but its own 8 bytes.
    let largest = Int(UInt32.max) - (header.byteCount - 8)
    let fits = largest / 4 * 4
    #expect(Array(header.bytes(dataByteCount: fits)[..<4]) == Array("RIFF".utf8))
    #expect(Array(header.bytes(dataByteCount: fits + 4)[..<4]) == Array("RF64".utf8))
    #expect(header.bytes(dataByteCount: fits + 4).count == header.byteCount)
  }

  @Test("the writer itself switches when its file is too long", arguments: SampleFormat.allCases)
  func writerSwitches(format: SampleFormat) throws {
    let folder = try TemporaryFolder()
    let audio = AudioBuffer(channels: [noise(5001), noise(5001, seed: 2)])
    var tags = AudioTags()
    tags[.title] = "long"
    for (limit, container) in [(60_000, "WAV"), (20_000, "RF64")] {
      let path = folder.path("a.wav")
      let writer = try AudioFileWriter(
        path: FilePath(path), sampleRate: 48000, channelCount: 2, encoding: .wav(format), tags: tags,
        waveSizeLimit: limit)
      try writer.write(audio)
      try writer.finish()
      let reader = try AudioFileReader(path: path)
      #expect(reader.format.description.hasPrefix(container) && reader.format.frameCount == 5001)
      #expect(reader.tags == tags)
      #expect(signalToNoiseRatio(audio.channels[1], try readAll(reader, block: 1000).channels[1]) > 80)
      #expect(reader.warnings.isEmpty)
    }
  }
}
