import CSndfile

/// Reads an audio file block by block, at its own sample rate and with its own channels.
///
/// Reads what libsndfile reads, told by content and not by name: WAV (8, 16, 24, 32-bit PCM, float, double,
/// extensible, RF64, W64), FLAC, Ogg Vorbis and Opus, MP3, AIFF and more. Integers of b bits become
/// `sample / 2^(b-1)`, so that full scale is ±1; floats are kept as they are, NaN and infinity too.
public final class AudioFileReader {
  public let path: FilePath
  public let format: AudioFormat

  /// What the file says about its content, where libsndfile or ffmpeg reads it.
  public let tags: AudioTags

  /// Frames delivered so far.
  public private(set) var framesRead = 0

  /// One line each. Complete when `read` has returned nil: that a file is cut short shows at its end.
  public private(set) var warnings: [String] = []

  private let file: SoundFile
  private var interleaved: [Float]
  private var isAtEnd = false
  /// What reading stumbled over first; the next read would clear libsndfile's own memory of it.
  private var failure: SoundFile.Failure?

  /// Opens the file and checks its header.
  ///
  /// - Throws: `AudioFileError`: the cases of opening, `notAudio`, `noAudio`, `truncated`.
  public convenience init(path: FilePath) throws {
    try self.init(AudioInput(path: path))
  }

  /// Begins to read an input from its start. No other reader of the same input may be in use.
  ///
  /// - Throws: `AudioFileError`: `notAudio`, `noAudio`, `truncated`.
  public init(_ input: AudioInput) throws {
    let path = input.path
    let file = try SoundFile(input.descriptor)
    let channelCount = Int(file.info.channels)
    guard channelCount > 0, file.info.samplerate > 0 else {
      throw AudioFileError.notAudio(
        path, reason: "its header gives \(channelCount) channels at \(file.info.samplerate) Hz")
    }
    let frameCount = headerFrameCount(of: file)
    if file.info.frames <= 0 {
      if let frameCount, frameCount > 0 {
        throw AudioFileError.truncated(path, promisedFrames: frameCount)
      }
      throw AudioFileError.noAudio(path)
    }
    self.path = path
    self.file = file
    format = AudioFormat(
      sampleRate: Int(file.info.samplerate), channelCount: channelCount, frameCount: frameCount,
      description: formatDescription(file.info.format))
    tags = input.tags ?? file.tags
    interleaved = Array(repeating: 0, count: max(1, 65536 / channelCount) * channelCount)
    if let warning = headerWarning(of: file, path) { warnings.append(warning) }
  }

  /// Opens the file of a UTF-8 path.
  public convenience init(path: String) throws {
    try self.init(path: FilePath(path))
  }

  /// Reads the next frames, `[channels, frames]`: `maximumFrames` (at least 1) of them, fewer only at the end
  /// of the file, nil after it. Memory is taken for frames that are there, not for what the header promises.
  ///
  /// - Throws: `AudioFileError.readFailed` if the system fails, `truncated` or `noAudio` if there is no frame
  ///   at all. A file that ends before its header says, or is damaged midway, gives what is there and a warning.
  public func read(maximumFrames: Int) throws -> AudioBuffer? {
    var buffer = AudioBuffer(channelCount: format.channelCount, frameCount: 0)
    while buffer.frameCount < maximumFrames, !isAtEnd {
      let wanted = min(maximumFrames - buffer.frameCount, interleaved.count / format.channelCount)
      let count = interleaved.withUnsafeMutableBufferPointer { samples in
        samples.baseAddress.map { file.read(into: $0, frames: wanted) } ?? 0
      }
      if count < wanted, failure == nil { failure = file.failure }
      if count == 0 {
        isAtEnd = true
        try checkEnd()
      } else {
        appendInterleaved(frames: count, to: &buffer)
        framesRead += count
      }
    }
    return buffer.isEmpty ? nil : buffer
  }

  private func appendInterleaved(frames: Int, to buffer: inout AudioBuffer) {
    let channelCount = format.channelCount
    for channel in 0..<channelCount {
      let samples = [Float](unsafeUninitializedCapacity: frames) { target, count in
        interleaved.withUnsafeBufferPointer { source in
          for frame in 0..<frames {
            target.initializeElement(at: frame, to: source[frame * channelCount + channel])
          }
        }
        count = frames
      }
      buffer.channels[channel].append(contentsOf: samples)
    }
  }

  private func checkEnd() throws {
    if let failure, failure.isSystem {
      throw AudioFileError.readFailed(path, frame: framesRead, reason: failure.message)
    }
    let cause = failure.map { " (\($0.message))" } ?? ""
    guard let promised = format.frameCount else {
      guard framesRead > 0 else {
        throw AudioFileError.notAudio(path, reason: "it ends before its first frame\(cause)")
      }
      // Ogg gives its length with its last page; FLAC out of a pipe never does.
      if failure != nil || Int(file.info.format) & SF_FORMAT_TYPEMASK == SF_FORMAT_OGG {
        warnings.append(
          "\(path): the stream has no proper end\(cause), so it may be cut short; "
            + "the \(framesRead) frames that are there are used.")
      }
      return
    }
    guard framesRead > 0 else { throw AudioFileError.truncated(path, promisedFrames: promised) }
    if framesRead < promised {
      warnings.append(
        "\(path): the header promises \(promised) frames and \(framesRead) can be read\(cause): "
          + "the file is cut short or damaged; what is there is used.")
    }
  }
}

/// Frames that the header promises, also where the file is too short for them; nil where it does not say.
private func headerFrameCount(of file: SoundFile) -> Int? {
  let frames = Int(file.info.frames)
  // SF_COUNT_MAX.
  guard frames < Int.max else { return nil }
  guard let sampleSize = bytesPerSample(file.info.format), let promised = file.samples?.promisedByteCount
  else { return frames }
  return max(frames, promised / (sampleSize * Int(file.info.channels)))
}

/// What a person should know of a header that does not fit what the file holds, where it holds more.
private func headerWarning(of file: SoundFile, _ path: FilePath) -> String? {
  guard let samples = file.samples, let promised = samples.promisedByteCount else { return nil }
  let frameByteCount = Int(file.info.channels) * (bytesPerSample(file.info.format) ?? 1)
  if promised < frameByteCount {
    return "\(path): the header promises no audio, as it was never finished; the file is read to its end."
  }
  let stray = samples.strayByteCount
  // Of W64 libsndfile reads what there is, whatever is promised.
  guard Int(file.info.frames) <= promised / frameByteCount else { return nil }
  guard bytesPerSample(file.info.format) != nil, stray / frameByteCount >= file.info.samplerate else { return nil }
  return
    "\(path): behind the \(promised / frameByteCount) frames that the header promises lie \(stray) bytes more, which are not "
    + "used. Where they are audio, have the header repaired (ffmpeg -ignore_length 1 -i SONG NEW.wav)."
}
