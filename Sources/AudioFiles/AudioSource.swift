/// What a network wants of an audio file: a given number of channels at a given sample rate, block by block.
///
/// - Channels: mono is replicated; of more channels than wanted the first are used, with a warning; a mean of
///   all where one is wanted.
/// - Sample rate: soxr VHQ, without delay. From n frames come `floor(n * sampleRate / fileRate + 1/2)`, at least one.
/// - Samples that are not finite, or beyond 10^12 times full scale (no audio is), become 0, with a warning.
///
/// Blocks of any size give the same samples, bit for bit. Memory does not grow with the length of the file.
public final class AudioSource {
  /// Sample rates in Hz that a file may have. Below, a song would become days long; above, nothing.
  public static let supportedFileRates = 1000...10_000_000

  /// The largest magnitude that passes. Room for files that keep 32-bit integers as floats.
  private static let magnitudeLimit: Float = 1e12

  public let path: FilePath

  /// What the header of the file says.
  public let fileFormat: AudioFormat

  /// What the file says about its content.
  public var tags: AudioTags { reader.tags }

  /// Hz, of the blocks that `read` returns.
  public let sampleRate: Int

  /// Of the blocks that `read` returns.
  public let channelCount: Int

  /// Frames that `read` will return in all if the header does not lie; nil where it does not say.
  public var expectedFrameCount: Int? {
    guard let frames = fileFormat.frameCount else { return nil }
    return Resampler.frameCount(of: frames, from: fileFormat.sampleRate, to: sampleRate)
  }

  /// Frames of the file that were read so far, at its own sample rate.
  public var fileFramesRead: Int { reader.framesRead }

  /// One line each, with the name of the file. Complete when `read` has returned nil.
  public var warnings: [String] {
    var lines = layoutWarnings + reader.warnings
    if badSampleCount > 0 {
      lines.append(
        "\(path): \(badSampleCount) samples are not finite numbers, or beyond 10^12; they are replaced by 0.")
    }
    return lines
  }

  private let reader: AudioFileReader
  private let layout: ChannelLayout
  private let resampler: Resampler?
  private let layoutWarnings: [String]
  private var badSampleCount = 0
  private var framesReturned = 0
  /// Ready frames; those before `pendingStart` are returned already.
  private var pending: AudioBuffer
  private var pendingStart = 0
  private var isAtEnd = false

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - sampleRate: Hz, at least 1.
  ///   - channelCount: at least 1.
  /// - Throws: `AudioFileError`: those of `AudioFileReader.init`, `unsupportedSampleRate`, `tooFewChannels`.
  public convenience init(path: FilePath, sampleRate: Int, channelCount: Int) throws {
    try self.init(AudioInput(path: path), sampleRate: sampleRate, channelCount: channelCount)
  }

  /// Begins to read an input from its start. No other source of the same input may be in use.
  ///
  /// - Parameters: as of `init(path:sampleRate:channelCount:)`.
  /// - Throws: likewise, but the cases of opening.
  public init(_ input: AudioInput, sampleRate: Int, channelCount: Int) throws {
    reader = try AudioFileReader(input)
    fileFormat = reader.format
    let path = input.path
    self.path = path
    self.sampleRate = sampleRate
    self.channelCount = channelCount
    pending = AudioBuffer(channelCount: channelCount, frameCount: 0)

    let available = fileFormat.channelCount
    guard let layout = ChannelLayout(from: available, to: channelCount) else {
      throw AudioFileError.tooFewChannels(path, found: available, wanted: channelCount)
    }
    self.layout = layout
    if case .first(let count) = layout {
      let used = count == 2 ? "two" : "\(count)"
      layoutWarnings = ["\(path): \(available) channels; only the first \(used) are used."]
    } else {
      layoutWarnings = []
    }

    guard Self.supportedFileRates.contains(fileFormat.sampleRate) else {
      throw AudioFileError.unsupportedSampleRate(path, rate: fileFormat.sampleRate)
    }
    do {
      // Channels are mixed before, so that no more than needed are resampled.
      resampler =
        fileFormat.sampleRate == sampleRate
        ? nil
        : try Resampler(from: fileFormat.sampleRate, to: sampleRate, channelCount: channelCount)
    } catch let error as ResamplerError {
      throw AudioFileError.readFailed(path, frame: 0, reason: error.message)
    }
  }

  /// Opens the file of a UTF-8 path.
  public convenience init(path: String, sampleRate: Int, channelCount: Int) throws {
    try self.init(path: FilePath(path), sampleRate: sampleRate, channelCount: channelCount)
  }

  /// Reads the next frames, `[channelCount, frames]`: `maximumFrames` (at least 1) of them, fewer only at the
  /// end, nil after it.
  ///
  /// - Throws: `AudioFileError`: those of `AudioFileReader.read`.
  public func read(maximumFrames: Int) throws -> AudioBuffer? {
    while pending.frameCount - pendingStart < maximumFrames, !isAtEnd { try fetch() }
    let count = min(maximumFrames, pending.frameCount - pendingStart)
    guard count > 0 else {
      if framesReturned == 0, isAtEnd { throw AudioFileError.noAudio(path) }
      return nil
    }
    framesReturned += count
    let range = pendingStart..<pendingStart + count
    pendingStart += count
    return AudioBuffer(channels: pending.channels.map { Array($0[range]) })
  }

  /// The whole file at once, `[channelCount, frames]`.
  public static func load(
    path: FilePath, sampleRate: Int, channelCount: Int
  ) throws -> (audio: AudioBuffer, warnings: [String]) {
    let source = try AudioSource(path: path, sampleRate: sampleRate, channelCount: channelCount)
    guard let audio = try source.read(maximumFrames: .max) else { throw AudioFileError.noAudio(path) }
    return (audio, source.warnings)
  }

  /// The whole file of a UTF-8 path at once, `[channelCount, frames]`.
  public static func load(
    path: String, sampleRate: Int, channelCount: Int
  ) throws -> (audio: AudioBuffer, warnings: [String]) {
    try load(path: FilePath(path), sampleRate: sampleRate, channelCount: channelCount)
  }

  /// One block of the file through the chain, onto the pending frames.
  private func fetch() throws {
    for index in pending.channels.indices { pending.channels[index].removeFirst(pendingStart) }
    pendingStart = 0
    do {
      guard let block = try reader.read(maximumFrames: max(64, 32768 / fileFormat.channelCount)) else {
        isAtEnd = true
        if let resampler { pending.append(try resampler.finish()) }
        return
      }
      var selected = layout.select(block)
      replaceBadSamples(in: &selected)
      let mixed = layout.mix(selected)
      pending.append(try resampler?.process(mixed) ?? mixed)
    } catch let error as ResamplerError {
      throw AudioFileError.readFailed(path, frame: reader.framesRead, reason: error.message)
    }
  }

  private func replaceBadSamples(in buffer: inout AudioBuffer) {
    for channel in buffer.channels.indices {
      buffer.channels[channel].withUnsafeMutableBufferPointer { samples in
        // Written so that NaN fails the comparison.
        for index in samples.indices where !(samples[index].magnitude <= Self.magnitudeLimit) {
          samples[index] = 0
          badSampleCount += 1
        }
      }
    }
  }
}
