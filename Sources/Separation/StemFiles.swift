import AudioFiles
import Glibc

/// The files of a track's stems while they are written: all get their names at the end, or none.
final class StemFiles {
  private let files: [StemFile]
  private let names: [String]
  private let writer: StemWriter
  /// Folders that were made for the files, outermost first.
  private var newFolders: [FilePath] = []

  /// Makes the folders and begins the files.
  /// - Parameters:
  ///   - names: names of the stems.
  ///   - paths: where they go.
  ///   - formats: what each file is to be.
  /// - Throws: `OutputError`, `AudioFileError`; nothing is left behind then.
  init(names: [String], paths: [FilePath], formats: [StemFile.Format], writer: StemWriter) throws {
    self.names = names
    self.writer = writer
    var files: [StemFile] = []
    var folders: [FilePath] = []
    do {
      for (path, format) in zip(paths, formats) {
        folders += try writer.temporaryFiles.createFolder(path.folder)
        files.append(
          try StemFile(
            path: path, format: format, clipMode: writer.clipMode, temporaryFiles: writer.temporaryFiles))
      }
    } catch {
      StemFiles.discard(files, folders, writer.temporaryFiles)
      throw error
    }
    self.files = files
    newFolders = folders
  }

  /// Appends samples to a file, `[channels, frames]`.
  func append(_ audio: AudioBuffer, to file: Int) throws { try files[file].append(audio) }

  /// Puts all files on the disk and gives them their names.
  /// - Parameters:
  ///   - check: is asked now and then whether to go on; what it throws ends the work.
  ///   - willPublish: is given the files when all are on the disk and none has its name yet.
  /// - Returns: peak and gain of each file.
  func finish(
    check: () throws -> Void = {}, willPublish: ([FilePath]) throws -> Void = { _ in }
  ) throws -> [LevelReport.Stem] {
    for file in files { try file.end() }
    let highest = files.map(\.peak).max() ?? 0
    var levels: [LevelReport.Stem] = []
    for (name, file) in zip(names, files) {
      let divisor: Float =
        switch writer.clipMode {
        case .rescale: ClipMode.divisor(peak: file.peak)
        case .rescaleAll: ClipMode.divisor(peak: highest)
        case .clamp, .none, .tanh: 1
        }
      // Another song, or another process, that failed may have taken an empty folder away.
      newFolders += try writer.temporaryFiles.createFolder(file.path.folder)
      try file.finish(divisor: divisor, check: check)
      levels.append(LevelReport.Stem(name: name, peak: file.peak, gain: 1 / divisor))
    }
    try check()
    try willPublish(files.compactMap(\.temporary))
    try writer.temporaryFiles.publish(files.compactMap { file in file.temporary.map { ($0, file.path) } })
    writer.temporaryFiles.keep(folders: newFolders)
    newFolders = []
    for folder in Set(files.map { $0.path.folder }) { StemFiles.synchronizeFolder(folder) }
    return levels
  }

  /// Removes whatever was not published.
  func discard() { StemFiles.discard(files, newFolders, writer.temporaryFiles) }

  private static func discard(_ files: [StemFile], _ folders: [FilePath], _ temporaryFiles: TemporaryFiles) {
    temporaryFiles.discard(files.compactMap(\.temporary))
    temporaryFiles.remove(folders: folders)
  }

  /// Puts new names on the disk, so that they survive a power cut. Not every file system can; the files are whole.
  static func synchronizeFolder(_ folder: FilePath) {
    let descriptor = folder.call { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
