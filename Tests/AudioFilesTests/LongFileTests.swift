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
}
