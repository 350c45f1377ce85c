import Foundation

/// The stems below a path, by name.
public struct StemFiles: Sendable, Equatable {
  /// Paths by the name of the stem: the file's name without its extension, after the names of its folders.
  public let paths: [String: String]

  /// Extensions of files that are stems; what else is in a folder is passed over.
  private static let extensions: Set<String> = [
    "wav", "flac", "mp3", "ogg", "oga", "opus", "aif", "aiff", "aifc", "au", "caf", "w64", "rf64",
  ]

  /// Looks for stems in a folder and, if `recursive`, in those in it. Hidden files are none.
  /// - Parameter tensors: whether `.npy` files are stems too.
  /// - Throws: `EvaluationError.unreadableFolder`, `.ambiguous`.
  public init(in folder: String, recursive: Bool, tensors: Bool = false) throws {
    let manager = FileManager.default
    let contents =
      try? recursive ? manager.subpathsOfDirectory(atPath: folder) : manager.contentsOfDirectory(atPath: folder)
    guard let contents else { throw EvaluationError.unreadableFolder(folder) }
    var paths: [String: String] = [:]
    for name in contents.sorted() where !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
      let suffix = PathParts.fileExtension(name).lowercased()
      guard Self.extensions.contains(suffix) || tensors && suffix == "npy" else { continue }
      let path = PathParts.join(folder, name)
      let stem = PathParts.withoutExtension(name)
      if let other = paths.updateValue(path, forKey: stem) {
        throw EvaluationError.ambiguous(stem: stem, paths: [other, path])
      }
    }
    self.paths = paths
  }

  private init(paths: [String: String]) { self.paths = paths }

  /// The same files, those of demucs' stems and `mixture` in small letters: `Drums.wav` is `drums` too.
  /// - Throws: `EvaluationError.ambiguous`.
  func withPlainNames() throws -> StemFiles {
    var plain: [String: String] = [:]
    for (name, path) in paths.sorted(by: { $0.key < $1.key }) {
      let small = name.lowercased()
      let stem = Self.order.contains(small) || small == "mixture" ? small : name
      if let other = plain.updateValue(path, forKey: stem) {
        throw EvaluationError.ambiguous(stem: stem, paths: [other, path])
      }
    }
    return StemFiles(paths: plain)
  }

  /// Names in the order of the stems of demucs, others after them by the alphabet.
  public var names: [String] { paths.keys.sorted(by: StemFiles.precedes) }

  /// The stems of demucs.
  static let order = ["drums", "bass", "other", "vocals", "guitar", "piano"]

  static func precedes(_ a: String, _ b: String) -> Bool {
    func key(_ name: String) -> (String, Int, String) {
      let last = PathParts.file(name)
      return (PathParts.folder(name), order.firstIndex(of: last) ?? order.count, last)
    }
    return key(a) < key(b)
  }

  /// Whether there is a folder at a path; nil if there is nothing.
  package static func isFolder(_ path: String) -> Bool? {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) ? isFolder.boolValue : nil
  }
}
