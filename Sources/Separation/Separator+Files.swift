import AudioFiles
import Glibc

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
    let measured = try measure(song, to: writer, reading: reading)
    try measured.checkSpace()
    return try separate(measured, progress: progress).finish()
  }

  /// Separates the song in the file of a UTF-8 path.
  public func separateFile(
    _ path: String, to writer: StemWriter, progress: ProgressHandler? = nil, reading: ((Double) throws -> Void)? = nil
  ) throws -> SeparatedFile {
    try separateFile(Song(path), to: writer, progress: progress, reading: reading)
  }

  /// The first of three steps of `separateFile`: reads a song to its end, and finds out whether its stems could be written.
  ///
  /// The steps of several songs may run beside each other: while one is separated, the next is measured and the one before
  /// is finished. The stems are the same.
  /// - Parameters: as of `separateFile`.
  public func measure(
    _ song: Song, to writer: StemWriter, reading: ((Double) throws -> Void)? = nil
  ) throws -> MeasuredSong {
    let names = try writer.selection.names(sources: sources)
    // Before it is opened, so that what is found under the name in the end can be told from what was read.
    let stamp = song.source == .file ? FileFingerprint.Stamp(of: song.path) : nil
    let input = try song.open(spoolFolder: writer.spoolFolder, reading: reading)
    let track = try FileTrack(input, sampleRate: sampleRate, channelCount: audioChannels, reading: reading)
    logger.debug("read song", metadata: ["path": "\(song)", "samples": "\(track.measured.length)"])
    let paths = try writer.plan(song: song, stems: names)
    writer.sweep(paths)
    let format = writer.format(of: track, sampleRate: sampleRate, channelCount: audioChannels)
    let sums =
      bag.members.count > 1
      ? track.measured.length * sources.count * audioChannels * MemoryLayout<Float>.stride : 0
    return MeasuredSong(
      song: song, stamp: stamp, track: track, names: names, paths: paths, format: format, writer: writer,
      sumsByteCount: sums)
  }

  /// The second step: runs the networks over a song.
  /// - Parameters:
  ///   - song: of `measure` of this separator.
  ///   - progress: is told of every finished segment; what it throws ends the separation.
  /// - Returns: what has to be finished, or discarded.
  /// - Throws: as `separateFile`; nothing is left behind then.
  public func separate(_ song: MeasuredSong, progress: ProgressHandler? = nil) throws -> SeparatedSong {
    let track = song.track
    var mixer = try StemMixer(
      selection: song.writer.selection, sources: sources, channels: audioChannels,
      statistics: track.measured.statistics)
    let files = try StemFiles(
      names: song.names, paths: song.paths, formats: song.formats, writer: song.writer)
    do {
      try estimate(
        track.measured, shifts: shifts, progress: progress,
        sums: { try RowFile(length: track.measured.length, in: song.folder) },
        emit: { block in try mixer.mix(block) { file, audio in try files.append(audio, to: file) } })
    } catch {
      files.discard()
      throw error
    }
    return SeparatedSong(
      song: song, files: files, residual: mixer.residual,
      seconds: Double(track.measured.length) / Double(sampleRate))
  }
}

/// A song that was read once: where its stems will go, and what they will take.
public struct MeasuredSong {
  let song: Song
  /// Of the song's file; nil where it is a pipe.
  let stamp: FileFingerprint.Stamp?
  let track: FileTrack
  let names: [String]
  let paths: [FilePath]
  let format: StemFile.Format
  let writer: StemWriter
  /// Bytes that the networks of a bag add up in.
  let sumsByteCount: Int

  /// The folder of the first stem, where temporary data lie.
  var folder: FilePath { paths[0].folder }

  /// What each file is to be: they differ in the title.
  var formats: [StemFile.Format] {
    names.map { name in
      var format = format
      if writer.copiesTags { format.tags = track.tags.naming(stem: name) }
      return format
    }
  }

  /// What the encoding makes of the options, one line each.
  fileprivate var compromises: [String] {
    writer.compromises(of: song, songRate: track.format.sampleRate, modelRate: format.sourceRate)
  }

  /// Finds out whether there is room on the disk.
  /// - Parameter others: songs whose stems are not finished yet.
  /// - Returns: what to warn of where the stems of usual music would not fit, though these may.
  /// - Throws: `OutputError.notEnoughSpace` if they cannot fit.
  @discardableResult public func checkSpace(besides others: [SeparatedSong] = []) throws -> String? {
    try checkSpace(besides: others, available: FreeSpace.available(in:))
  }

  /// The same with another notion of the bytes that a folder has room for.
  package func checkSpace(besides others: [SeparatedSong], available: (FilePath) -> Int?) throws -> String? {
    let rest = others.flatMap(\.spaceNeeds) + [FreeSpace.Need(folder: folder, byteCount: sumsByteCount)]
    try FreeSpace.check(needs(ofFile: format.leastByteCount) + rest, available: available)
    do {
      try FreeSpace.check(needs(ofFile: format.usualByteCount) + rest, available: available)
      return nil
    } catch OutputError.notEnoughSpace(let folder, let needed, let available) {
      return "\(song): \(OutputError.shortage(in: folder, needed: needed, available: available, isSure: false))"
    }
  }

  /// Stems that wait for their peak are encoded one after another, and each gives its room back.
  private func needs(ofFile byteCount: Int) -> [FreeSpace.Need] {
    paths.enumerated().map { index, path in
      FreeSpace.Need(
        folder: path.folder,
        byteCount: writer.clipMode.needsPeak ? format.spoolByteCount + (index == 0 ? byteCount : 0) : byteCount)
    }
  }
}

/// A song that was separated and whose stems have no names yet.
///
/// `@unchecked`: one thread at a time has it, that which finishes it in the end.
public final class SeparatedSong: @unchecked Sendable {
  private let song: MeasuredSong
  private let files: StemFiles
  private let residual: LevelReport.Residual?
  private let seconds: Double
  /// What may still be written to the disk.
  fileprivate let spaceNeeds: [FreeSpace.Need]

  init(song: MeasuredSong, files: StemFiles, residual: LevelReport.Residual?, seconds: Double) {
    (self.song, self.files, self.residual, self.seconds) = (song, files, residual, seconds)
    // What waits is on the disk already, and gives way to what is encoded.
    spaceNeeds =
      song.writer.clipMode.needsPeak
      ? [FreeSpace.Need(folder: song.folder, byteCount: song.format.leastByteCount)] : []
  }

  deinit { files.discard() }

  /// The third step: brings stems to their level, encodes what waited for that, puts all on the disk and gives the files
  /// their names; last of all, if the writer keeps records, the record is written.
  /// - Parameter check: is asked now and then whether to go on; what it throws ends the work.
  /// - Throws: as `separateFile`; nothing is left behind then.
  public func finish(check: () throws -> Void = {}) throws -> SeparatedFile {
    defer { files.discard() }
    let writer = song.writer
    let recordPath = TrackRecord.path(besides: song.paths[0])
    var fingerprints: [FileFingerprint?] = []
    let stems = try files.finish(check: check) { temporaries in
      if writer.provenance != nil {
        fingerprints = try temporaries.map { try FileFingerprint(of: $0, check: check) }
      }
      // It would speak of files that are about to go.
      _ = recordPath.call { unlink($0) }
    }
    let levels = LevelReport(
      clipMode: writer.clipMode, addsUp: writer.selection.addsUp, isBounded: writer.encoding.isBounded, stems: stems,
      residual: residual)
    var warnings = song.track.warnings + song.compromises
    if let provenance = writer.provenance, let stamp = song.stamp,
      let fingerprint = try? FileFingerprint(of: song.song.path, still: stamp, check: check)
    {
      let record = TrackRecord(
        provenance: provenance, song: fingerprint, inode: stamp.inode, seconds: seconds,
        sampleRate: song.format.sampleRate,
        stems: zip(song.names, fingerprints).compactMap { name, file in
          file.map { TrackRecord.Stem(name: name, file: $0) }
        })
      do {
        try record.write(to: recordPath, temporaryFiles: writer.temporaryFiles)
      } catch OutputError.abandoned {
        // The stems are in place.
      } catch {
        warnings.append("\(song.song): --resume will separate it again, as no note of it could be left: \(error)")
      }
    }
    return SeparatedFile(
      outputs: song.paths, warnings: warnings, seconds: seconds, sampleRate: song.format.sampleRate, levels: levels)
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
