import AudioFiles
import CSndfile
import Testing

@Suite struct ChannelTests {
  private func source(_ audio: AudioBuffer, channelCount: Int) throws -> (AudioBuffer, [String], String) {
    let folder = try TemporaryFolder()
    let path = folder.path("song.wav")
    try writeFloats(path, format: SF_FORMAT_WAVEX | SF_FORMAT_FLOAT, sampleRate: 44100, audio)
    let (result, warnings) = try AudioSource.load(path: path, sampleRate: 44100, channelCount: channelCount)
    return (result, warnings, path)
  }

  @Test func `mono is replicated`() throws {
    let channel = noise(5000)
    let (audio, warnings, _) = try source(AudioBuffer(channels: [channel]), channelCount: 2)
    #expect(audio == AudioBuffer(channels: [channel, channel]))
    #expect(warnings.isEmpty)
  }

  @Test func `stereo stays as it is`() throws {
    let stereo = AudioBuffer(channels: [noise(5000), noise(5000, seed: 2)])
    let (audio, warnings, _) = try source(stereo, channelCount: 2)
    #expect(audio == stereo)
    #expect(warnings.isEmpty)
  }

  @Test(arguments: [3, 6, 1024])
  func `of more than two channels the first two are used, with a warning`(count: Int) throws {
    let channels = (0..<count).map { noise(300, seed: UInt64($0 + 1)) }
    let (audio, warnings, path) = try source(AudioBuffer(channels: channels), channelCount: 2)
    #expect(audio == AudioBuffer(channels: Array(channels[..<2])))
    #expect(warnings == ["\(path): \(count) channels; only the first two are used."])
  }

  @Test func `one wanted channel is the mean`() throws {
    let stereo = AudioBuffer(channels: [[0.5, 1, -1, 0.25], [0.25, 1, 1, -0.5]])
    let (audio, warnings, _) = try source(stereo, channelCount: 1)
    #expect(audio.channels == [[0.375, 1, 0, -0.125]])
    #expect(warnings.isEmpty)
  }

  @Test func `two channels cannot become four`() throws {
    let stereo = AudioBuffer(channelCount: 2, frameCount: 10)
    let error = #expect(throws: AudioFileError.self) { try source(stereo, channelCount: 4) }
    guard case .tooFewChannels(_, found: 2, wanted: 4) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `samples that are no numbers become 0, and are counted`() throws {
    let left: [Float] = [0.5, .nan, .infinity, -0.25]
    let right: [Float] = [-.infinity, 1, -.greatestFiniteMagnitude, 0x1p31]
    let (audio, warnings, path) = try source(AudioBuffer(channels: [left, right]), channelCount: 2)
    #expect(audio.channels == [[0.5, 0, 0, -0.25], [0, 1, 0, 0x1p31]])
    #expect(warnings == ["\(path): 4 samples are not finite numbers, or beyond 10^12; they are replaced by 0."])
  }

  @Test func `a bad sample does not spread in the resampler or in a mean`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("song.wav")
    var channel = [Float](repeating: 0.5, count: 4000)
    channel[2000] = .nan
    channel[2001] = .greatestFiniteMagnitude
    try writeFloats(
      path, format: SF_FORMAT_WAV | SF_FORMAT_FLOAT, sampleRate: 48000,
      AudioBuffer(channels: [channel, channel]))
    let audio = try AudioSource.load(path: path, sampleRate: 44100, channelCount: 1).audio
    #expect(audio.channels[0].allSatisfy { $0.magnitude < 2 })
    #expect(abs(audio.channels[0][900] - 0.5) < 1e-4)
  }
}
