import AudioFiles

/// One stem's file while it is written.
///
/// Where the clip mode asks for the peak of the whole stem, samples are kept in a temporary file of floats until it is
/// known; else they are encoded as they come.
final class StemFile {
  /// What a file is to be.
  struct Format {
    let encoding: AudioEncoding
    /// Hz of the samples that come.
    let sourceRate: Int
    /// Hz of the file.
    let sampleRate: Int
    let channelCount: Int
    /// Frames of the file: what resampling gives more is left out, what it gives less is filled up.
    let frameCount: Int
    var tags = AudioTags()

    /// What brings samples to the rate of the file; nil if they have it.
    /// - Throws: `AudioFileError.unsupportedOutput` if no such file can be written.
    func makeResampler(for path: FilePath) throws -> Resampler? {
      if let reason = encoding.refusal(sampleRate: sampleRate, channelCount: channelCount) {
        throw AudioFileError.unsupportedOutput(path, reason: reason)
      }
      guard sourceRate != sampleRate else { return nil }
      do {
        return try Resampler(from: sourceRate, to: sampleRate, channelCount: channelCount)
      } catch let error as ResamplerError {
        throw AudioFileError.unsupportedOutput(path, reason: error.message)
      }
    }
  }

  let path: FilePath
  /// Where the encoded file lies until it is published; nil before there is one.
  private(set) var temporary: FilePath?
  /// Largest magnitude so far.
  private(set) var peak: Float = 0
  private let format: Format
  private let clipMode: ClipMode
  private let temporaryFiles: TemporaryFiles
  private let resampler: Resampler?
  private var encoder: AudioFileWriter?
  private var rows: RowFile?
  private var framesTaken = 0

  private static let pieceFrames = 1 << 16

  /// - Throws: `AudioFileError`, `OutputError`.
  init(path: FilePath, format: Format, clipMode: ClipMode, temporaryFiles: TemporaryFiles) throws {
    (self.path, self.format, self.clipMode) = (path, format, clipMode)
    self.temporaryFiles = temporaryFiles
    // Before hours of work, also where the file is begun at the end.
    resampler = try format.makeResampler(for: path)
    if clipMode.needsPeak {
      rows = try RowFile(length: format.frameCount, in: path.folder)
    } else {
      try openEncoder()
    }
  }

  /// Appends samples at the source's rate, `[channels, frames]`.
  func append(_ audio: AudioBuffer) throws {
    guard let resampler else { return try take(audio) }
    try take(resampling { try resampler.process(audio) })
  }

  /// Takes the rest out of the resampler: from here on `peak` is that of the whole stem.
  func end() throws {
    if let resampler { try take(resampling { try resampler.finish() }) }
    while framesTaken < format.frameCount {
      let count = min(StemFile.pieceFrames, format.frameCount - framesTaken)
      try take(AudioBuffer(channelCount: format.channelCount, frameCount: count))
    }
  }

  /// Encodes what was kept, if anything, and puts the file on the disk.
  /// - Parameters:
  ///   - divisor: what samples are divided by where the clip mode is one that rescales.
  ///   - check: is asked now and then whether to go on; what it throws ends the work.
  func finish(divisor: Float, check: () throws -> Void) throws {
    if let rows {
      try openEncoder()
      for first in stride(from: 0, to: format.frameCount, by: StemFile.pieceFrames) {
        try check()
        let count = min(StemFile.pieceFrames, format.frameCount - first)
        var audio = AudioBuffer(channelCount: format.channelCount, frameCount: count)
        for row in audio.channels.indices {
          try audio.channels[row].withUnsafeMutableBufferPointer { try rows.read(into: $0, row: row, at: first) }
        }
        try encode(audio, divisor: divisor)
      }
      self.rows = nil
    }
    try naming { try encoder?.finish() }
    encoder = nil
  }

  private func take(_ audio: AudioBuffer) throws {
    var audio = audio
    let count = min(audio.frameCount, format.frameCount - framesTaken)
    if count < audio.frameCount { audio = AudioBuffer(channels: audio.channels.map { Array($0[..<count]) }) }
    guard count > 0 else { return }
    peak = max(peak, ClipMode.peak(audio.channels))
    if let rows {
      for (row, channel) in audio.channels.enumerated() {
        try channel.withUnsafeBufferPointer { try rows.write($0, row: row, at: framesTaken) }
      }
    } else {
      try encode(audio, divisor: 1)
    }
    framesTaken += count
  }

  private func openEncoder() throws {
    let temporary = try temporaryFiles.create(in: path.folder)
    self.temporary = temporary
    encoder = try naming {
      try AudioFileWriter(
        path: temporary, sampleRate: format.sampleRate, channelCount: format.channelCount,
        encoding: format.encoding, tags: format.tags)
    }
  }

  private func encode(_ audio: AudioBuffer, divisor: Float) throws {
    var audio = audio
    clipMode.apply(to: &audio.channels, divisor: divisor)
    try naming { try encoder?.write(audio) }
  }

  /// A person knows the stem, not the temporary name.
  private func naming<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch AudioFileError.writeFailed(_, let reason) {
      throw AudioFileError.writeFailed(path, reason: reason)
    } catch AudioFileError.unsupportedOutput(_, let reason) {
      throw AudioFileError.unsupportedOutput(path, reason: reason)
    }
  }

  private func resampling(_ body: () throws -> AudioBuffer) throws -> AudioBuffer {
    do {
      return try body()
    } catch let error as ResamplerError {
      throw AudioFileError.writeFailed(path, reason: error.message)
    }
  }
}
