import AudioFiles

extension StemWriter {
  /// Finds out whether an earlier run made the stems of a song, and would make the same again.
  ///
  /// They have to be all there and whole, and made of the same song with the same networks and options: the record that a
  /// writer with a `provenance` leaves tells. Files are told by their length and the time of their last change; where the
  /// time differs, as that of a copy does, by their checksum. Nothing is written or removed.
  /// - Parameters:
  ///   - song: what does not lie in a file is always separated.
  ///   - sources: the stems of the model.
  ///   - check: is asked now and then whether to go on; what it throws ends the work.
  ///   - isStale: is told why stems that are there do not do.
  /// - Returns: nil if the song has to be separated.
  /// - Throws: `OutputError` or `SeparationError` for stems that cannot be, or what `check` throws.
  public func finishedSong(
    _ song: Song, sources: [String], check: () throws -> Void = {}, isStale: (String) -> Void = { _ in }
  ) throws -> FinishedSong? {
    guard let provenance, song.source == .file else { return nil }
    let names = try selection.names(sources: sources)
    let paths = try names.map { try layout.path(song: song, stem: $0) }
    guard let record = TrackRecord(at: TrackRecord.path(besides: paths[0])) else { return nil }
    if let reason = try record.staleness(provenance, song: song.path, paths: paths, names: names, check: check) {
      isStale(reason)
      return nil
    }
    return FinishedSong(names: names, outputs: paths, seconds: record.seconds, sampleRate: record.sampleRate)
  }

  /// Removes what killed programs left beside the files that will be at `paths`.
  func sweep(_ paths: [FilePath]) {
    for folder in Set(paths.map(\.folder)) { temporaryFiles.sweep(folder) }
  }
}

extension Separator {
  /// `StemWriter.finishedSong` for this model, which says in the log why a song has to be separated again; what killed
  /// programs left beside its stems is removed.
  public func finishedSong(_ song: Song, to writer: StemWriter, check: () throws -> Void = {}) throws -> FinishedSong? {
    guard writer.provenance != nil, song.source == .file else { return nil }
    writer.sweep(try writer.selection.names(sources: sources).map { try writer.layout.path(song: song, stem: $0) })
    return try writer.finishedSong(song, sources: sources, check: check) { reason in
      logger.debug("separate again", metadata: ["path": "\(song)", "reason": "\(reason)"])
    }
  }
}

/// A song whose stems are there already.
public struct FinishedSong: Equatable, Sendable {
  public let names: [String]
  /// The files, in the order of `names`.
  public let outputs: [FilePath]
  /// Length of the song in seconds.
  public let seconds: Double
  /// Of the files, in Hz.
  public let sampleRate: Int
}
