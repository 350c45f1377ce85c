import AudioFiles

extension Separator {
  /// Reads a song, separates it and writes its stems.
  /// - Parameters:
  ///   - path: a file of any format, rate and channel count that `AudioFiles` reads.
  ///   - writer: where the stems go and how they are stored.
  ///   - progress: is told of every finished segment; what it throws ends the separation.
  /// - Returns: what was written.
  /// - Throws: `AudioFileError`, `OutputError`, `SeparationError`, or what the model or `progress` throws. Whether the
  ///   stems could be written is found out before the song is separated.
  public func separateFile(
    _ path: String, to writer: StemWriter, progress: ProgressHandler? = nil
  ) throws -> SeparatedFile {
    let (audio, warnings) = try AudioSource.load(
      path: path, sampleRate: sampleRate, channelCount: audioChannels)
    _ = try writer.plan(track: path, stems: sources)
    logger.debug("read song", metadata: ["path": "\(path)", "samples": "\(audio.frameCount)"])
    let stems = try separate(audio, progress: progress)
    let outputs = try writer.write(stems, track: path, sampleRate: sampleRate)
    return SeparatedFile(
      outputs: outputs, warnings: warnings, seconds: Double(audio.frameCount) / Double(sampleRate))
  }
}

/// What became of a song.
public struct SeparatedFile: Equatable, Sendable {
  /// The files written, one a stem, in the order of the model.
  public let outputs: [String]
  /// Oddities of the song's file, one line each.
  public let warnings: [String]
  /// Length of the song in seconds.
  public let seconds: Double
}
