import AudioFiles

extension Separator {
  /// Reads a song, separates it and writes its stems, with memory that does not depend on its length.
  ///
  /// The file is read twice (once more for each further network of a bag): first to measure it. What comes out of a pipe,
  /// the sums of a bag, and stems that are rescaled lie in temporary files without a name beside the stems meanwhile.
  /// - Parameters:
  ///   - song: a file of any format, rate and channel count that `AudioFiles` reads, a named pipe, or standard input.
  ///   - writer: which stems are written, where and how.
  ///   - progress: is told of every finished segment; what it throws ends the separation.
  ///   - reading: is told how many seconds have been read while the song is measured; what it throws ends that.
  /// - Returns: what was written.
  /// - Throws: `AudioFileError`, `OutputError`, `SeparationError`, or what the model or a handler throws. Whether the
  ///   stems could be written is found out before the song is separated.
  public func separateFile(
    _ song: Song, to writer: StemWriter, progress: ProgressHandler? = nil, reading: ((Double) throws -> Void)? = nil
  ) throws -> SeparatedFile {
    let names = try writer.selection.names(sources: sources)
    let input = try song.open(spoolFolder: writer.spoolFolder)
    let track = try FileTrack(input, sampleRate: sampleRate, channelCount: audioChannels, reading: reading)
    logger.debug("read song", metadata: ["path": "\(song)", "samples": "\(track.measured.length)"])
    let paths = try writer.plan(song: song, stems: names)
    let format = writer.format(of: track, sampleRate: sampleRate, channelCount: audioChannels)
    var mixer = try StemMixer(
      selection: writer.selection, sources: sources, channels: audioChannels, statistics: track.measured.statistics)
    let files = try StemFiles(names: names, paths: paths, formats: names.map { _ in format }, writer: writer)
    defer { files.discard() }
    try estimate(
      track.measured, shifts: shifts, progress: progress,
      sums: { try RowFile(length: track.measured.length, in: paths[0].folder) },
      emit: { block in try mixer.mix(block) { file, audio in try files.append(audio, to: file) } })
    let levels = LevelReport(
      clipMode: writer.clipMode, isBounded: writer.encoding.isBounded, stems: try files.finish(),
      residual: mixer.residual)
    return SeparatedFile(
      outputs: paths, warnings: track.warnings, seconds: Double(track.measured.length) / Double(sampleRate),
      sampleRate: format.sampleRate, levels: levels)
  }

  /// Separates the song in the file of a UTF-8 path.
  public func separateFile(
    _ path: String, to writer: StemWriter, progress: ProgressHandler? = nil, reading: ((Double) throws -> Void)? = nil
  ) throws -> SeparatedFile {
    try separateFile(Song(path), to: writer, progress: progress, reading: reading)
  }
}

/// What became of a song.
public struct SeparatedFile: Equatable, Sendable {
  /// The files written, one a stem, in the order of the selection.
  public let outputs: [FilePath]
  /// Oddities of the song's file, one line each.
  public let warnings: [String]
  /// Length of the song in seconds.
  public let seconds: Double
  /// Of the files written, in Hz.
  public let sampleRate: Int
  /// What was done to the levels of the stems.
  public let levels: LevelReport
}
