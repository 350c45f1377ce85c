import AudioFiles

/// A song's file that was read once, to measure it, and can be read again.
struct FileTrack {
  let input: AudioInput
  /// What the header of the file says.
  let format: AudioFormat
  /// What the file says about its content.
  let tags: AudioTags
  /// Frames of the file that could be read, at its own sample rate.
  let fileFrameCount: Int
  /// Oddities of the file, one line each.
  let warnings: [String]
  /// The track at the model's sample rate.
  let measured: MeasuredTrack

  /// Is told how many seconds of a file have been read; what it throws ends the reading.
  typealias ReadingHandler = (Double) throws -> Void

  private static let blockFrames = 1 << 16

  /// Reads a file to its end.
  /// - Parameters:
  ///   - sampleRate: that of the model in Hz.
  ///   - channelCount: channels of the model.
  ///   - reading: is told of the progress.
  /// - Throws: `AudioFileError`, or what `reading` throws.
  init(_ input: AudioInput, sampleRate: Int, channelCount: Int, reading: ReadingHandler?) throws {
    let source = try AudioSource(input, sampleRate: sampleRate, channelCount: channelCount)
    var accumulator = TrackStatistics.Accumulator()
    while let block = try source.read(maximumFrames: FileTrack.blockFrames) {
      accumulator.add(block.channels)
      try reading?(Double(accumulator.count) / Double(sampleRate))
    }
    guard !input.hasChanged else { throw AudioFileError.changed(input.path) }
    self.input = input
    format = source.fileFormat
    tags = source.tags
    fileFrameCount = source.fileFramesRead
    warnings = input.warnings + source.warnings
    let (length, statistics) = (accumulator.count, accumulator.statistics)
    measured = MeasuredTrack(length: length, statistics: statistics) {
      FileTrackReader(
        try AudioSource(input, sampleRate: sampleRate, channelCount: channelCount), of: input, length: length,
        statistics: statistics)
    }
  }
}

/// Reads a measured file again and finds out whether it is still the same.
private final class FileTrackReader: TrackReader {
  private let source: AudioSource
  private let input: AudioInput
  private let length: Int
  private let statistics: TrackStatistics
  private var accumulator = TrackStatistics.Accumulator()

  init(_ source: AudioSource, of input: AudioInput, length: Int, statistics: TrackStatistics) {
    (self.source, self.input, self.length, self.statistics) = (source, input, length, statistics)
  }

  func read(maximumFrames: Int) throws -> AudioBuffer {
    guard let block = try source.read(maximumFrames: maximumFrames) else { throw AudioFileError.changed(input.path) }
    accumulator.add(block.channels)
    if accumulator.count == length, accumulator.statistics != statistics || input.hasChanged {
      throw AudioFileError.changed(input.path)
    }
    return block
  }
}
