import Foundation

/// Why nothing can be compared; `description` is a sentence for a person.
public enum EvaluationError: Error, Equatable, CustomStringConvertible {
  case notFound(String)
  case unreadableFolder(String)
  case ambiguous(stem: String, paths: [String])
  case fileAgainstFolder(file: String, folder: String)
  case noStems(String)
  case isFile(String)
  /// `instead` is a folder that holds some.
  case noEstimates(song: String, folder: String, instead: String? = nil)
  /// `truth` and `model` are the names of the stems of each.
  case noCommonStems(song: String, truth: [String], model: [String])
  case unequalStems(song: String, what: String)
  case noFourierTransform(Int)
  case noFilters(String)
  case noOpenBLAS
  case badGolden(path: String, reason: String)
  /// There is a file where the folder of a golden record should be.
  case recordIsFile(String)
  /// `reason` is why a `golden.json` that would be replaced is no record.
  case notOurs(path: String, reason: String)
  /// `reason` ends without a full stop.
  case unwritable(path: String, reason: String)

  /// `.unwritable` for an error of Foundation's, in the system's words if it has any.
  public static func unwritable(path: String, error: any Error) -> EvaluationError {
    func code(_ error: NSError) -> Int32? {
      if error.domain == NSPOSIXErrorDomain { return Int32(exactly: error.code) }
      return (error.userInfo[NSUnderlyingErrorKey] as? any Error).flatMap { code($0 as NSError) }
    }
    let error = error as NSError
    let reason = code(error).map { String(cString: strerror($0)) } ?? error.localizedDescription
    return .unwritable(path: path, reason: reason.hasSuffix(".") ? String(reason.dropLast()) : reason)
  }

  public var description: String {
    switch self {
    case .notFound(let path): "\(path): no such file or folder. Check the path."
    case .unreadableFolder(let path): "\(path): the folder cannot be read. Check its permissions."
    case .ambiguous(let stem, let paths):
      "\(paths.joined(separator: " and ")) would both be the stem '\(stem)'. Keep one of them."
    case .fileAgainstFolder(let file, let folder):
      "\(file) is a file and \(folder) a folder. Give two files, or two folders."
    case .noStems(let path):
      "\(path): holds no stems. Give a folder with files such as drums.wav, or a folder of such folders."
    case .isFile(let path): "\(path): is a file. Give a folder of stems such as drums.wav."
    case .noEstimates(let song, let folder, let instead):
      "\(song): there are no estimates of its stems in \(folder). They are looked for in \(folder)/\(song), "
        + "or, of a single song, in \(folder) itself."
        + (instead.map { " There are some in \($0)/\(song): give \($0)." } ?? "")
    case .noCommonStems(let song, let truth, let model):
      "\(song): the model has none of its stems: these are \(truth.joined(separator: ", ")), the model's "
        + "\(model.joined(separator: ", ")). Name the files as the model does."
    case .unequalStems(let song, let what):
      "\(song): its stems do not go together: \(what). Convert them to one."
    case .noFourierTransform(let size): "FFTW has no plan for \(size) samples."
    case .noFilters(let song):
      "\(song): the filters of BSSEval have no solution. Leave them out."
    case .noOpenBLAS:
      "The filters of BSSEval need OpenBLAS, which cannot be loaded. Install it (libopenblas0 in Debian), "
        + "or leave --filters out."
    case .badGolden(let path, let reason):
      "\(path): is no usable golden record: \(reason). Record it again with demucs-cli golden record."
    case .recordIsFile(let path): "\(path): is a file. Give the folder of a golden record."
    case .notOurs(let path, let reason):
      "\(path): would be replaced, but is no golden record: \(reason). Move it away, or record in another folder."
    case .unwritable(let path, let reason):
      "\(path): cannot be written: \(reason). Check the disk and the permissions."
    }
  }
}
