import AudioFiles
import Glibc

/// Where the stems of a song go: `OUT/MODEL/` and a file name made from a template, as in `demucs`.
public struct OutputLayout: Equatable, Sendable {
  /// Folder of all output of one model.
  public let folder: FilePath
  public private(set) var template: FilenameTemplate
  /// Extension of the files written, without a dot.
  public let fileExtension: String

  /// - Parameters:
  ///   - root: `--out`.
  ///   - model: name of the model; a slash in it becomes an underscore, as in `demucs`.
  public init(
    root: FilePath, model: String, template: FilenameTemplate = .standard, fileExtension: String = "wav"
  ) {
    let name = model.replacing("/", with: "_")
    folder = root.appending(FilePath(["", ".", ".."].contains(name) ? "_" : name))
    self.template = template
    self.fileExtension = fileExtension
  }

  /// The layout below the folder of a UTF-8 path.
  public init(root: String, model: String, template: FilenameTemplate = .standard, fileExtension: String = "wav") {
    self.init(root: FilePath(root), model: model, template: template, fileExtension: fileExtension)
  }

  /// The file of one stem of a song.
  /// - Parameter stem: name of the stem; it comes out of a model file, so it is checked.
  /// - Throws: `OutputError.unusableStemName`, `wrongExtension`.
  public func path(song: Song, stem: String) throws -> FilePath {
    guard !["", ".", ".."].contains(stem), !stem.utf8.contains(where: { $0 == 0x2F || $0 == 0 }) else {
      throw OutputError.unusableStemName(stem)
    }
    let name = template.resolve(song: song, stem: stem, fileExtension: fileExtension)
    let path = (template.isAbsolute ? "/" : folder).appending(name)
    guard path.hasExtension(fileExtension) else {
      throw OutputError.wrongExtension(path: path, expected: fileExtension)
    }
    return path
  }

  /// The same layout with other names.
  func with(template: FilenameTemplate) -> OutputLayout {
    var layout = self
    layout.template = template
    return layout
  }

  /// Finds out, before hours of work, whether files could be written at `paths`. Creates nothing.
  /// - Throws: `OutputError.notAFolder`, `notWritable`, `nameTooLong`.
  public static func checkWritable(_ paths: [FilePath]) throws {
    for folder in Set(paths.map(\.folder)) {
      // No call takes it, and looking for what is there of it would take its time.
      guard folder.bytes.count < Int(PATH_MAX) else {
        throw OutputError.notWritable(path: folder, reason: systemMessage(ENAMETOOLONG))
      }
      let existing = existingFolder(around: folder)
      var status = stat()
      if existing.call({ stat($0, &status) }) == 0, status.st_mode & S_IFMT != S_IFDIR {
        throw OutputError.notAFolder(path: existing)
      }
      guard existing.call({ access($0, W_OK | X_OK) }) == 0 else {
        throw OutputError.notWritable(path: existing, reason: systemMessage(errno))
      }
      let limit = existing.withCString { pathconf($0, Int32(_PC_NAME_MAX)) } ?? -1
      for path in paths where path.folder == folder {
        if let part = path.parts.first(where: { $0.count > (limit > 0 ? limit : 255) }) {
          throw OutputError.nameTooLong(path: path, length: part.count, limit: limit > 0 ? limit : 255)
        }
      }
    }
  }

  /// The folder itself, or the innermost around it that is there.
  static func existingFolder(around folder: FilePath) -> FilePath {
    var existing = folder
    while existing.call({ access($0, F_OK) }) != 0, [ENOENT, ENOTDIR, ENAMETOOLONG].contains(errno),
      existing != "/", existing != "."
    {
      existing = existing.folder
    }
    return existing
  }
}

extension FilePath {
  /// Whether the path ends in a dot and the extension, whatever their case.
  fileprivate func hasExtension(_ fileExtension: String) -> Bool {
    let end = bytes.suffix(fileExtension.utf8.count + 1)
    return end.first == UInt8(ascii: ".")
      && (end.dropFirst().elementsEqual(fileExtension.utf8)
        || String(decoding: end.dropFirst(), as: UTF8.self).lowercased() == fileExtension.lowercased())
  }
}
