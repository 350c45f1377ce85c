import AudioFiles
import Glibc
import HTDemucs
import ModelStore
import Separation

/// `separate --dry-run`: what a run would do, as far as it can be known without weights and without writing anything.
struct DryRun {
  /// What the header of a model's file says.
  struct Model {
    let sources: [String]
    /// Hz.
    let sampleRate: Int
    let channelCount: Int

    /// - Parameter options: how songs are to be cut.
    /// - Throws: what is wrong with the model, or `SeparationError` for an option that it does not take.
    init(_ location: ModelLocation, options: SeparationOptions) throws {
      let networks = try location.members.map { try openConfiguration($0, bagSegment: location.segment) }
      for network in networks { _ = try ChunkGeometry(lengths: network, options: options) }
      (sources, sampleRate) = (networks[0].sources, networks[0].sampleRate)
      channelCount = networks[0].audioChannels
    }
  }

  let model: Model
  /// With a provenance songs whose stems are there are skipped.
  let writer: StemWriter

  /// Says what would become of the songs, and what is wrong with the others.
  /// - Returns: whether any would fail.
  func run(_ entries: [Batch.Entry], _ reporter: BatchReporter, _ interruption: Interruption) throws -> Bool {
    var failed: [String] = []
    for entry in entries {
      try interruption.check()
      // Nobody reads on.
      if reporter.console.resultFailure != nil { break }
      do {
        switch entry.content {
        case .failure(let failure): throw failure
        case .song(let song): try plan(song, entry.number, reporter, interruption)
        }
      } catch let error where Interruption.isStop(error) {
        throw error
      } catch {
        let failure = entry.failure(error)
        reporter.failed(failure, number: entry.number)
        failed.append(failure.name)
      }
    }
    if !failed.isEmpty, entries.count > 1 {
      reporter.console.problem(
        "\(failed.count) of \(entries.count) songs would fail: \(failed.joined(separator: ", "))")
    }
    return !failed.isEmpty
  }

  private func plan(
    _ song: Song, _ number: Int, _ reporter: BatchReporter, _ interruption: Interruption
  ) throws {
    if let finished = try writer.finishedSong(song, sources: model.sources, check: interruption.check) {
      return reporter.planned(finished, reporter.display(of: song, number: number))
    }
    let names = try writer.selection.names(sources: model.sources)
    let paths = try writer.plan(song: song, stems: names)
    let header = try open(song, paths)
    reporter.planned(
      song, number: number, names: names, outputs: paths, seconds: header.seconds,
      warnings: writer.compromises(of: song, songRate: header.sampleRate, modelRate: model.sampleRate))
  }

  /// What is known of a song that is not read: its length, and its sample rate in Hz.
  private typealias Header = (seconds: Double?, sampleRate: Int?)

  /// Opens a song as a run would, and looks whether its stems could be written.
  private func open(_ song: Song, _ paths: [FilePath]) throws -> Header {
    var status = stat()
    // What comes out of a pipe is there once.
    guard song.source == .file, song.path.call({ stat($0, &status) }) != 0 || status.st_mode & S_IFMT != S_IFIFO else {
      return (nil, nil)
    }
    let input = try AudioInput(path: song.path)
    guard !input.needsDecoding else {
      if FFmpeg().program == nil { throw AudioFileError.needsFFmpeg(song.path) }
      return (nil, nil)
    }
    let source = try AudioSource(input, sampleRate: model.sampleRate, channelCount: model.channelCount)
    // All stems are of one format.
    if let path = paths.first {
      try writer.checkFormat(
        of: path, songRate: source.fileFormat.sampleRate, modelRate: model.sampleRate, channelCount: model.channelCount)
    }
    return (source.expectedFrameCount.map { Double($0) / Double(model.sampleRate) }, source.fileFormat.sampleRate)
  }
}

extension Batch.Entry {
  /// What is wrong with the entry; `error` is, where it is a song.
  fileprivate func failure(_ error: any Error) -> SongFailure {
    switch content {
    case .failure(let failure): failure
    case .song(let song): SongFailure(song: song, error: error)
    }
  }
}
