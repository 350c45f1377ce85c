import AudioFiles
import Foundation

/// The files of a track's stems while they are written: all get their names at the end, or none.
final class StemFiles {
  private let files: [StemFile]
  private let names: [String]
  private let writer: StemWriter
  /// Folders that were made for the files, outermost first.
  private var newFolders: [String] = []

  /// Makes the folders and begins the files.
  /// - Parameters:
  ///   - names: names of the stems.
  ///   - paths: where they go.
  ///   - formats: what each file is to be.
  /// - Throws: `OutputError`, `AudioFileError`; nothing is left behind then.
  init(names: [String], paths: [String], formats: [StemFile.Format], writer: StemWriter) throws {
    self.names = names
    self.writer = writer
    var files: [StemFile] = []
    var folders: [String] = []
    do {
      for (path, format) in zip(paths, formats) {
        folders += try StemFiles.createFolder(OutputLayout.folder(of: path))
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
  /// - Returns: peak and gain of each file.
  func finish() throws -> [LevelReport.Stem] {
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
      try file.finish(divisor: divisor)
      levels.append(LevelReport.Stem(name: name, peak: file.peak, gain: 1 / divisor))
    }
    try writer.temporaryFiles.publish(files.compactMap { file in file.temporary.map { ($0, file.path) } })
    newFolders = []
    for folder in Set(files.map { OutputLayout.folder(of: $0.path) }) { StemFiles.synchronizeFolder(folder) }
    return levels
  }

  /// Removes whatever was not published.
  func discard() { StemFiles.discard(files, newFolders, writer.temporaryFiles) }

  private static func discard(_ files: [StemFile], _ folders: [String], _ temporaryFiles: TemporaryFiles) {
    temporaryFiles.discard(files.compactMap(\.temporary))
    // Those that something else was put into meanwhile stay.
    for folder in folders.reversed() { rmdir(folder) }
  }

  /// Makes a folder and those around it.
  /// - Returns: those that were not there, outermost first.
  private static func createFolder(_ folder: String) throws -> [String] {
    var missing: [String] = []
    var outer = folder
    while outer != "/", outer != ".", access(outer, F_OK) != 0, missing.last != outer {
      missing.append(outer)
      outer = OutputLayout.folder(of: outer)
    }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
      let reason = (cause ?? error as NSError).localizedDescription
      throw OutputError.cannotCreateFolder(path: folder, reason: reason)
    }
    return missing.reversed()
  }

  /// Puts new names on the disk, so that they survive a power cut. Not every file system can; the files are whole.
  private static func synchronizeFolder(_ folder: String) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
