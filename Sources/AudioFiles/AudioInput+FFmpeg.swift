extension AudioInput {
  /// Something that `AudioFileReader` reads: the input itself, or, where libsndfile does not know its format, what ffmpeg
  /// makes of it, in a temporary file without a name.
  ///
  /// Files that do not begin like one of sound or pictures stay what they are, and are refused when they are read.
  /// - Parameters:
  ///   - ffmpeg: where to find the program.
  ///   - spoolFolder: where the temporary file lies: 4 bytes a sample.
  ///   - reading: is told of the seconds there are, several times a second; what it throws ends the decoding.
  /// - Throws: `AudioFileError`: `needsFFmpeg`, `brokenFFmpeg`, `notDecoded`, `decodingStalled`, `noAudioTrack`, `cannotSpool`, `changed`,
  ///   or what `reading` throws.
  public func decoded(
    by ffmpeg: FFmpeg = FFmpeg(), spoolFolder: FilePath, reading: ((Double) throws -> Void)? = nil
  ) throws -> AudioInput {
    guard needsDecoding else { return self }
    guard let program = ffmpeg.program else { throw AudioFileError.needsFFmpeg(path) }
    let spool = try AudioInput.makeSpool(for: path, in: spoolFolder)
    let metadata = try AudioInput.makeSpool(for: path, in: spoolFolder)
    let outcome: FFmpeg.Outcome
    do {
      outcome = try ffmpeg.run(program, input: descriptor, output: spool, metadata: metadata) {
        try reading?(AudioInput.secondsDecoded(in: spool))
      }
    } catch let error as ProcessError {
      throw AudioFileError.brokenFFmpeg(path, reason: "\(program) cannot be run: \(error.reason)")
    }
    guard !hasChanged else { throw AudioFileError.changed(path) }
    guard !outcome.hasStalled else { throw AudioFileError.decodingStalled(path, seconds: ffmpeg.timeout) }
    let first = outcome.complaints.first
    guard outcome.status == 0, spool.size > 0 else {
      if let words = phrase("No space left", "File too large", in: outcome.complaints) {
        throw AudioFileError.cannotSpool(path, folder: spoolFolder, reason: words)
      }
      if outcome.complaints.contains(FFmpeg.noAudioTrack) { throw AudioFileError.noAudioTrack(path) }
      if first == nil, outcome.status > 128 {
        throw AudioFileError.brokenFFmpeg(path, reason: "\(program) was ended by signal \(outcome.status - 128)")
      }
      let silent =
        outcome.status == 0 ? "ffmpeg found no audio in it" : "ffmpeg ended with exit status \(outcome.status)"
      throw AudioFileError.notDecoded(path, reason: first ?? silent)
    }
    let warnings = first.map {
      "\(path): ffmpeg stumbled over it (\($0)), so it may be damaged or cut short; what it could decode is used."
    }
    return AudioInput(
      spool, path: path, warnings: [warnings].compactMap { $0 },
      tags: FFmpegMetadata.tags(metadata.bytes(at: 0, count: FFmpegMetadata.lengthLimit)))
  }

  /// Whether the format is one for ffmpeg, by what the file begins with.
  public var needsDecoding: Bool { SoundFile.isForeign(descriptor) }

  /// The first of some words that a line holds.
  private func phrase(_ words: String..., in lines: [String]) -> String? {
    words.first { word in lines.contains { $0.contains(word) } }
  }

  /// How much sound there is in a WAV of floats that is being written.
  private static func secondsDecoded(in spool: FileDescriptor) -> Double {
    let head = spool.bytes(at: 0, count: 128)
    let mark = Array("fmt ".utf8)
    guard let start = head.indices.first(where: { head[$0...].starts(with: mark) }), start + 16 <= head.count else {
      return 0
    }
    func number(_ offset: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) { $0 | Int(head[start + offset + $1]) << (8 * $1) }
    }
    let (channels, rate) = (number(10, 2), number(12, 4))
    return channels * rate > 0 ? Double(spool.size) / Double(4 * channels * rate) : 0
  }
}
