import AudioFiles
import Checkpoints
import Glibc
import ModelStore
import Separation

/// `separate --dry-run`: what a run would do, as far as it can be known without weights and without writing anything.
struct DryRun {
  private let names: [String]
  private let sampleRate: Int
  private let channelCount: Int
  private let writer: StemWriter

  /// Reads the header of the model.
  /// - Throws: what is wrong with the model; `SeparationError` for stems that it does not have.
  init(_ location: ModelLocation, writer: StemWriter) throws {
    let kwargs = try openCheckpoint(location.members[0]).modelDescription().kwargs
    let sources = kwargs["sources"]?.arrayValue?.compactMap(\.stringValue) ?? []
    names = try writer.selection.names(sources: sources)
    sampleRate = max(1, kwargs["samplerate"]?.intValue ?? 44100)
    channelCount = max(1, kwargs["audio_channels"]?.intValue ?? 2)
    self.writer = writer
  }

  /// Says what would become of the songs, and what is wrong with the others.
  /// - Returns: whether any would fail.
  func run(_ entries: [InputList.Entry], _ console: Console, _ interruption: Interruption) throws -> Bool {
    var failed: [String] = []
    for entry in entries {
      try interruption.check()
      switch entry {
      case .failure(let failure):
        console.problem("Error: \(failure.line)")
        failed.append("\(failure.song)")
      case .song(let song):
        do {
          for path in try plan(song) { console.result(DryRun.line(song, path)) }
        } catch {
          console.problem("Error: \(SongFailure(song: song, error: error).line)")
          failed.append("\(song)")
        }
      }
    }
    if !failed.isEmpty, entries.count > 1 {
      console.problem("\(failed.count) of \(entries.count) songs would fail: \(failed.joined(separator: ", "))")
    }
    return !failed.isEmpty
  }

  /// The files of a song's stems.
  private func plan(_ song: Song) throws -> [FilePath] {
    let paths = try writer.plan(song: song, stems: names)
    var status = stat()
    // What comes out of a pipe is there once.
    guard song.source == .file, song.path.call({ stat($0, &status) }) != 0 || status.st_mode & S_IFMT != S_IFIFO else {
      return paths
    }
    let input = try AudioInput(path: song.path)
    if input.needsDecoding {
      if FFmpeg().program == nil { throw AudioFileError.needsFFmpeg(song.path) }
    } else {
      _ = try AudioSource(input, sampleRate: sampleRate, channelCount: channelCount)
    }
    return paths
  }

  private static func line(_ song: Song, _ path: FilePath) -> [UInt8] {
    (song.source == .standardInput ? InputList.standardInput : song.path).bytes + [UInt8(ascii: "\t")] + path.bytes
  }
}
