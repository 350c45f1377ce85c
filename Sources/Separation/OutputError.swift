import AudioFiles

/// Why stems cannot be written; `description` is one sentence for a person.
public enum OutputError: Error, Equatable, CustomStringConvertible {
  case unknownPlaceholder(String, template: FilePath)
  case unbalancedBrace(template: FilePath)
  case missingStem(template: FilePath)
  case wrongExtension(path: FilePath, expected: String)
  case unusableStemName(String)
  case notAFolder(path: FilePath)
  case notWritable(path: FilePath, reason: String)
  /// A part of the path takes `length` bytes where the file system allows `limit`.
  case nameTooLong(path: FilePath, length: Int, limit: Int)
  case cannotCreateFolder(path: FilePath, reason: String)
  case cannotPublish(path: FilePath, reason: String)
  case wouldReplaceInput(path: FilePath)
  /// Floats that wait to be written cannot be kept.
  case temporaryFailed(folder: FilePath, reason: String)
  /// The disk has not the room that a song will take, in bytes.
  case notEnoughSpace(folder: FilePath, needed: Int, available: Int)
  /// The process was told to stop while files were written.
  case abandoned

  public var description: String {
    switch self {
    case .unknownPlaceholder(let name, let template):
      "The file name '\(template)' holds {\(name)}, which stands for nothing; "
        + "use {track}, {trackext}, {dir}, {stem} or {ext}."
    case .unbalancedBrace(let template):
      "The file name '\(template)' holds a single brace; write {{ or }} for a brace in a name."
    case .missingStem(let template):
      "The file name '\(template)' lacks {stem}, so all stems would go to one file; put {stem} into it."
    case .wrongExtension(let path, let expected):
      "\(path): the name does not end in .\(expected), which is what is written; end it with .{ext}."
    case .unusableStemName(let name):
      "The model calls a stem '\(name)', which cannot be part of a file name; "
        + "leave it out (--stems), or rename it in the model's file."
    case .notAFolder(let path):
      "\(path): is a file where a folder is needed; choose another folder."
    case .notWritable(let path, let reason):
      "\(path): nothing can be written there: \(reason); choose another folder."
    case .nameTooLong(let path, let length, let limit):
      "\(path): a name in it takes \(length) bytes where \(limit) are possible; choose a shorter --filename."
    case .cannotCreateFolder(let path, let reason):
      "\(path): the folder cannot be created: \(reason); choose another folder."
    case .cannotPublish(let path, let reason):
      "\(path): the finished file cannot be put in place: \(reason); "
        + "move what is there out of the way, or choose another folder or file name."
    case .wouldReplaceInput(let path):
      "\(path): a stem would replace the song itself; choose another folder or file name."
    case .temporaryFailed(let folder, let reason):
      "\(folder): temporary data cannot be kept there: \(reason); free some space or choose another folder."
    case .notEnoughSpace(let folder, let needed, let available):
      OutputError.shortage(in: folder, needed: needed, available: available)
    case .abandoned:
      "The files were not put in place because the program was told to stop; run it again."
    }
  }

  /// What to say of a disk that has not the room, or may not have it.
  static func shortage(in folder: FilePath, needed: Int, available: Int, isSure: Bool = true) -> String {
    let (verb, about) = isSure ? ("is not", "") : ("may not be", "about ")
    return "\(folder): there \(verb) enough room: the stems and their temporary data take "
      + "\(about)\(megabytes(needed, up: true)) MB, and \(megabytes(available)) MB are free; "
      + "free some space or choose another folder."
  }

  /// Tenths, of what is needed up and of what there is down.
  private static func megabytes(_ byteCount: Int, up: Bool = false) -> String {
    let tenths = (byteCount + (up ? 99_999 : 0)) / 100_000
    return "\(tenths / 10).\(tenths % 10)"
  }
}
