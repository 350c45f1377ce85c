import AudioFiles
import CSndfile
import Foundation
import Testing

/// A folder that goes away with its last reference.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("audio-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Writes bytes to a file of this name and returns its path.
  func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    return path(name)
  }

  func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }
}

/// Writes a file with libsndfile itself, so that the reader is tested against more than our own writer.
/// `write` gets the handle; large blocks make libsndfile's Vorbis encoder overflow its stack.
func writeWithLibsndfile(
  _ path: String, format: Int, sampleRate: Int, channelCount: Int, write: (OpaquePointer) -> Void
) throws {
  var info = SF_INFO()
  info.format = Int32(format)
  info.samplerate = Int32(sampleRate)
  info.channels = Int32(channelCount)
  let handle = try #require(sf_open(path, Int32(SFM_WRITE), &info), "\(String(cString: sf_strerror(nil)))")
  write(handle)
  #expect(sf_close(handle) == 0)
}

func writeFloats(_ path: String, format: Int, sampleRate: Int, _ audio: AudioBuffer) throws {
  let samples = interleaved(audio)
  try writeWithLibsndfile(path, format: format, sampleRate: sampleRate, channelCount: audio.channelCount) {
    for start in stride(from: 0, to: samples.count, by: 1024 * audio.channelCount) {
      let block = Array(samples[start..<min(start + 1024 * audio.channelCount, samples.count)])
      sf_write_float($0, block, sf_count_t(block.count))
    }
  }
}

func interleaved(_ audio: AudioBuffer) -> [Float] {
  (0..<audio.frameCount).flatMap { frame in audio.channels.map { $0[frame] } }
}

/// `amplitude * sin(2 pi frequency t)`, frequency and rate in Hz.
func tone(_ frequency: Double, sampleRate: Int, frameCount: Int, amplitude: Double = 0.5) -> [Float] {
  (0..<frameCount).map {
    Float(amplitude * sin(2 * .pi * frequency * Double($0) / Double(sampleRate)))
  }
}

/// Samples that look like noise and are the same in every run, in -1..<1.
func noise(_ frameCount: Int, seed: UInt64 = 1) -> [Float] {
  var state = seed
  return (0..<frameCount).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int32(truncatingIfNeeded: state >> 33) << 1) / 2_147_483_648
  }
}

/// Signal to noise ratio in dB of an estimate.
func signalToNoiseRatio(_ reference: [Float], _ estimate: [Float]) -> Double {
  let signal = reference.reduce(0.0) { $0 + Double($1) * Double($1) }
  let error = zip(reference, estimate).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
  return 10 * log10(signal / error)
}

/// The bytes of a plain WAV file with any header values.
func wavBytes(
  sampleRate: UInt32 = 44100, channelCount: UInt16 = 2, bits: UInt16 = 16, formatTag: UInt16 = 1,
  data: [UInt8], claimedDataSize: UInt32? = nil
) -> [UInt8] {
  let size = claimedDataSize ?? UInt32(data.count)
  let frameSize = channelCount &* (bits / 8)
  return Array("RIFF".utf8) + little(size &+ 36) + Array("WAVEfmt ".utf8) + little(UInt32(16))
    + little(formatTag) + little(channelCount) + little(sampleRate)
    + little(sampleRate &* UInt32(frameSize)) + little(frameSize) + little(bits)
    + Array("data".utf8) + little(size) + data
}

func little(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// Reads all of a file in blocks of the given size.
func readAll(_ reader: AudioFileReader, block: Int) throws -> AudioBuffer {
  var all = AudioBuffer(channelCount: reader.format.channelCount, frameCount: 0)
  while let buffer = try reader.read(maximumFrames: block) {
    #expect(buffer.frameCount <= block)
    for channel in all.channels.indices { all.channels[channel] += buffer.channels[channel] }
  }
  return all
}

func readAll(_ source: AudioSource, block: Int) throws -> AudioBuffer {
  var all = AudioBuffer(channelCount: source.channelCount, frameCount: 0)
  while let buffer = try source.read(maximumFrames: block) {
    for channel in all.channels.indices { all.channels[channel] += buffer.channels[channel] }
  }
  return all
}
