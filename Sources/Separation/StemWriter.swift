import AudioFiles
import Foundation

/// Writes the stems of a track so that a file under a stem's name is always whole.
public struct StemWriter: Sendable {
  /// Where files go.
  public let layout: OutputLayout
  /// What is done to stems beyond full scale.
  public let clipMode: ClipMode
  /// How samples are stored in the WAV files.
  public let sampleFormat: SampleFormat
  private let temporaryFiles: TemporaryFiles

  public init(
    layout: OutputLayout, clipMode: ClipMode = .rescale, sampleFormat: SampleFormat = .int16,
    temporaryFiles: TemporaryFiles = .shared
  ) {
    self.layout = layout
    self.clipMode = clipMode
    self.sampleFormat = sampleFormat
    self.temporaryFiles = temporaryFiles
  }

  /// The files that the stems of a track go to, in the order of `stems`.
  /// - Throws: `OutputError`: a name that cannot be, a folder that cannot be written, a stem in the song's place.
  public func plan(track: String, stems: [String]) throws -> [String] {
    let paths = try stems.map { try layout.path(track: track, stem: $0) }
    for path in paths where StemWriter.areSameFile(path, track) {
      throw OutputError.wouldReplaceInput(path: path)
    }
    try OutputLayout.checkWritable(paths)
    return paths
  }

  /// Writes all stems under temporary names, then gives each its own.
  /// - Parameters:
  ///   - stems: what `Separator.separate` returned.
  ///   - track: path of the song.
  ///   - sampleRate: Hz.
  /// - Returns: the files written, in the order of `stems`. Files of those names are replaced.
  /// - Throws: `OutputError` or `AudioFileError`; nothing is left under a temporary name then, and under a stem's
  ///   name only what was there before or is whole.
  public func write(_ stems: [Separator.Stem], track: String, sampleRate: Int) throws -> [String] {
    let paths = try plan(track: track, stems: stems.map(\.name))
    var files: [(temporary: String, final: String)] = []
    defer { temporaryFiles.discard(files.map(\.temporary)) }
    for (stem, path) in zip(stems, paths) {
      let folder = OutputLayout.folder(of: path)
      try StemWriter.createFolder(folder)
      let temporary = try temporaryFiles.reserve(in: folder)
      files.append((temporary, path))
      var audio = stem.audio
      clipMode.apply(to: &audio.channels)
      do {
        let writer = try AudioFileWriter(
          path: temporary, sampleRate: sampleRate, channelCount: audio.channelCount,
          sampleFormat: sampleFormat)
        try writer.write(audio)
        try writer.finish()
      } catch AudioFileError.writeFailed(_, let reason) {
        // A person knows the stem, not the temporary name.
        throw AudioFileError.writeFailed(FilePath(path), reason: reason)
      }
    }
    try temporaryFiles.publish(files)
    for folder in Set(paths.map(OutputLayout.folder(of:))) { StemWriter.synchronizeFolder(folder) }
    return paths
  }

  private static func createFolder(_ folder: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
      let reason = (cause ?? error as NSError).localizedDescription
      throw OutputError.cannotCreateFolder(path: folder, reason: reason)
    }
  }

  /// Puts new names on the disk, so that they survive a power cut. Not every file system can; the files are whole.
  private static func synchronizeFolder(_ folder: String) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  private static func areSameFile(_ left: String, _ right: String) -> Bool {
    var leftStatus = stat()
    var rightStatus = stat()
    guard stat(left, &leftStatus) == 0, stat(right, &rightStatus) == 0 else { return false }
    return leftStatus.st_dev == rightStatus.st_dev && leftStatus.st_ino == rightStatus.st_ino
  }
}
