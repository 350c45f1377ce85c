import Foundation

/// A model that was found.
public struct ModelLocation: Sendable, Equatable {
  /// What the model is called, and the folder of its results: the file's name without extension.
  public let name: String
  /// Its file, of safetensors or of PyTorch.
  public let path: String

  public init(name: String, path: String) {
    self.name = name
    self.path = path
  }
}

/// Where models come from.
public enum ModelStore {
  /// The model that ships with the program.
  public static let defaultModelName = "open_6s"

  /// Finds a model by its name or by the path of its file.
  ///
  /// Whatever contains a `/` or ends in the extension of a model file is a path; anything else is a name, and
  /// `NAME.safetensors` is looked for in the folders of `ModelFolders`.
  /// - Parameters:
  ///   - nameOrPath: such as `open_6s`, or `models/my.safetensors`.
  ///   - modelsDirectory: a folder to look in before all others; it must exist.
  /// - Throws: `ModelStoreError`.
  public static func locate(
    _ nameOrPath: String = defaultModelName, modelsDirectory: String? = nil
  ) throws -> ModelLocation {
    if let modelsDirectory, !isFolder(modelsDirectory) {
      throw ModelStoreError.noFolder(path: modelsDirectory)
    }
    return try locate(nameOrPath, in: ModelFolders(modelsDirectory: modelsDirectory))
  }

  /// Finds a model by its name in `folders`, or by the path of its file.
  /// - Throws: `ModelStoreError`.
  public static func locate(_ nameOrPath: String, in folders: ModelFolders) throws -> ModelLocation {
    guard !nameOrPath.isEmpty else { throw ModelStoreError.emptyName }
    let suffix = pathExtension(nameOrPath)
    if nameOrPath.contains("/") || modelExtensions.contains(suffix) {
      return try locate(path: nameOrPath, suffix: suffix)
    }
    let path = folders.paths.lazy.map { $0 + "/\(nameOrPath).safetensors" }.first(where: isFile)
    guard let path else {
      throw ModelStoreError.notFound(
        name: nameOrPath, searched: folders.paths, available: available(in: folders).map(\.name))
    }
    return ModelLocation(name: nameOrPath, path: path)
  }

  /// All models in `folders`, each name once, sorted; where two folders have one of the same name, the first.
  public static func available(in folders: ModelFolders = ModelFolders()) -> [ModelLocation] {
    var paths: [String: String] = [:]
    for folder in folders.paths {
      for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        guard file.hasSuffix(".safetensors"), file != ".safetensors", isFile(folder + "/" + file) else {
          continue
        }
        let name = String(file.dropLast(".safetensors".count))
        if paths[name] == nil { paths[name] = folder + "/" + file }
      }
    }
    return paths.sorted { $0.key < $1.key }.map { ModelLocation(name: $0.key, path: $0.value) }
  }

  /// Extensions of model files. What a file is, its content tells.
  private static let readExtensions: Set = ["safetensors", "th", "pt", "pth", "ckpt"]
  /// Extensions that mark a path.
  private static let modelExtensions = readExtensions.union(["yaml", "yml"])

  private static func locate(path: String, suffix: String) throws -> ModelLocation {
    if isFolder(path) { throw ModelStoreError.folder(path: path) }
    guard isFile(path) else { throw ModelStoreError.noFile(path: path) }
    guard readExtensions.contains(suffix) else { throw ModelStoreError.unsupported(path: path, suffix: suffix) }
    let file = path.split(separator: "/").last.map(String.init) ?? path
    let name = String(file.dropLast(suffix.count + 1))
    // A file called just `.safetensors` still needs a folder for its results.
    return ModelLocation(name: name.isEmpty ? "model" : name, path: path)
  }

  /// What follows the last dot of the last component, in lower case; empty without a dot.
  private static func pathExtension(_ path: String) -> String {
    let file = path.split(separator: "/").last ?? ""
    guard let dot = file.lastIndex(of: ".") else { return "" }
    return file[file.index(after: dot)...].lowercased()
  }
}
