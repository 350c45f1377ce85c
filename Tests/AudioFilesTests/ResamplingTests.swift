import AudioFiles
import CSndfile
import Foundation
import Testing

@Suite struct ResamplingTests {
  /// Frames away from both ends, where the filter does not see the edge of the signal.
  private func middle(_ count: Int, rate: Int) -> Range<Int> {
    rate / 20..<count - rate / 20
  }

  private func resample(_ samples: [Float], from inputRate: Int, to outputRate: Int) throws -> [Float] {
    let folder = try TemporaryFolder()
    let path = folder.path("a.wav")
    try writeFloats(
      path, format: SF_FORMAT_WAV | SF_FORMAT_FLOAT, sampleRate: inputRate, AudioBuffer(channels: [samples]))
    return try AudioSource.load(path: path, sampleRate: outputRate, channelCount: 1).audio.channels[0]
  }

  @Test(
    "a pure tone stays the tone that the formula gives",
    arguments: [
      (997.0, 48000, 44100), (997.0, 44100, 48000), (15000.0, 96000, 44100), (3000.0, 8000, 44100),
      (997.0, 192000, 44100), (997.0, 768_000, 44100), (440.0, 11025, 44100), (997.0, 44101, 44100),
      (18000.0, 48000, 44100),
    ])
  func pureTone(frequency: Double, inputRate: Int, outputRate: Int) throws {
    let input = tone(frequency, sampleRate: inputRate, frameCount: inputRate / 2)
    let output = try resample(input, from: inputRate, to: outputRate)
    let expected = tone(frequency, sampleRate: outputRate, frameCount: output.count)
    let worst = middle(output.count, rate: outputRate).map { abs(output[$0] - expected[$0]) }.max() ?? 1
    // Rounding only; towards the end of the passband the filter falls, by less than 0.001 dB.
    let bound: Float = frequency < 0.1 * Double(min(inputRate, outputRate)) ? 2e-7 : 5e-5
    #expect(worst < bound)
  }

  @Test(
    "a tone above the new Nyquist frequency vanishes",
    arguments: [(30000.0, 96000, 44100), (23500.0, 48000, 44100), (5000.0, 44100, 8000)])
  func aliasing(frequency: Double, inputRate: Int, outputRate: Int) throws {
    let input = tone(frequency, sampleRate: inputRate, frameCount: inputRate)
    let output = try resample(input, from: inputRate, to: outputRate)
    let worst = output[middle(output.count, rate: outputRate)].map(\.magnitude).max() ?? 1
    #expect(worst < 1e-6)
  }

  @Test(
    "n frames become floor(n * out / in + 1/2)",
    arguments: [
      (48000, 44100), (44100, 48000), (96000, 44100), (8000, 44100), (44101, 44100), (32000, 44100),
    ])
  func length(inputRate: Int, outputRate: Int) throws {
    for frames in [100, 1001, 32768, 32769, 100_001] {
      let output = try resample(noise(frames), from: inputRate, to: outputRate)
      let expected = Int((Double(frames) * Double(outputRate) / Double(inputRate) + 0.5).rounded(.down))
      #expect(output.count == expected, "\(frames) frames")
    }
  }

  @Test(
    "a few frames become what the formula says, one at least",
    arguments: [1000, 8000, 11_025, 16_000, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000, 768_000, 10_000_000],
    [8000, 16_000, 44_100, 48_000])
  func fewFrames(inputRate: Int, outputRate: Int) throws {
    for frames in 1...10 {
      let folder = try TemporaryFolder()
      let path = folder.path("a.wav")
      let audio = AudioBuffer(channels: [[Float](repeating: 0.5, count: frames)])
      try writeFloats(path, format: SF_FORMAT_WAV | SF_FORMAT_FLOAT, sampleRate: inputRate, audio)
      let source = try AudioSource(path: path, sampleRate: outputRate, channelCount: 2)
      let output = try readAll(source, block: 4)
      let exact = (2 * frames * outputRate + inputRate) / (2 * inputRate)
      #expect(output.frameCount == max(1, exact), "\(frames) frames")
      #expect(source.expectedFrameCount == output.frameCount && source.fileFramesRead == frames)
      // What a constant becomes at its start, where silence lies before it.
      #expect(output.channels.allSatisfy { $0[0] > 0 && $0[0] < 0.51 })
    }
  }

  @Test("less than half a frame is the first frame of the same with silence behind it", arguments: [96_000, 768_000])
  func lessThanAFrame(inputRate: Int) throws {
    let alone = try resample([0.25], from: inputRate, to: 44_100)
    let followed = try resample([0.25] + [Float](repeating: 0, count: 2000), from: inputRate, to: 44_100)
    #expect(alone.count == 1 && alone == Array(followed[..<1]))
  }

  @Test("an impulse stays at its instant", arguments: [(48000, 44100), (22050, 44100), (96000, 44100)])
  func impulse(inputRate: Int, outputRate: Int) throws {
    // 0.1 s is a whole number of frames at all of these rates.
    var input = [Float](repeating: 0, count: inputRate / 5)
    input[inputRate / 10] = 1
    let output = try resample(input, from: inputRate, to: outputRate)
    let peak = output.indices.max { output[$0] < output[$1] }
    #expect(peak == outputRate / 10)
    // Linear phase: the same to the left and to the right.
    let asymmetry = (1...200).map { abs(output[outputRate / 10 - $0] - output[outputRate / 10 + $0]) }.max()
    #expect((asymmetry ?? 1) < 1e-6)
  }

  @Test("blocks of any size give the whole, bit for bit", arguments: [1, 13, 1000, 44100, 65536, 343_980])
  func blocks(size: Int) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.wav")
    let frames = size == 1 ? 3000 : 150_001
    let audio = AudioBuffer(channels: [noise(frames), noise(frames, seed: 2)])
    try writeFloats(path, format: SF_FORMAT_WAV | SF_FORMAT_FLOAT, sampleRate: 48000, audio)
    let whole = try AudioSource.load(path: path, sampleRate: 44100, channelCount: 2).audio
    let source = try AudioSource(path: path, sampleRate: 44100, channelCount: 2)
    #expect(try readAll(source, block: size) == whole)
    #expect(source.expectedFrameCount == whole.frameCount)
    #expect(try source.read(maximumFrames: size) == nil)
  }

  @Test("the two channels do not touch each other")
  func channelsAreApart() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a.wav")
    let left = tone(997, sampleRate: 48000, frameCount: 60000)
    try writeFloats(
      path, format: SF_FORMAT_WAV | SF_FORMAT_FLOAT, sampleRate: 48000,
      AudioBuffer(channels: [left, [Float](repeating: 0, count: 60000)]))
    let audio = try AudioSource.load(path: path, sampleRate: 44100, channelCount: 2).audio
    #expect(audio.channels[0] == (try resample(left, from: 48000, to: 44100)))
    #expect(audio.channels[1].allSatisfy { $0 == 0 })
  }

  @Test("10 MHz and 1 kHz work, in blocks that stay small", arguments: [1000, 10_000_000])
  func extremes(rate: Int) throws {
    let frames = rate == 1000 ? 4000 : 2_000_000
    let output = try resample(tone(100, sampleRate: rate, frameCount: frames), from: rate, to: 44100)
    let expected = tone(100, sampleRate: 44100, frameCount: output.count)
    #expect(output.count == frames * 441 / (rate / 100))
    // At 1 kHz the filter's edge is long in output frames.
    let middle = output.count / 2
    #expect((middle - 100..<middle + 100).allSatisfy { abs(output[$0] - expected[$0]) < 1e-6 })
  }
}
