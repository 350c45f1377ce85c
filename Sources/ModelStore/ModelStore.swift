import Foundation

/// Where models come from.
public enum ModelStore {
  /// The model that ships with the program.
  public static let defaultModelName = "open_6s"

  /// Finds a model by its name or by the path of its file.
  ///
  /// Whatever contains a `/` or ends in the extension of a model file is a path, of a network's file or of a bag's YAML;
  /// anything else is a name, and is looked for in the places of `ModelFolders`.
  /// - Parameters:
  ///   - nameOrPath: such as `open_6s`, or `models/my.safetensors`.
  ///   - modelsDirectory: a folder to look in before all others; it must exist.
  ///   - repository: a folder of models in the layout of demucs' `--repo`. A name is looked for there alone then.
  /// - Throws: `ModelStoreError`.
  public static func locate(
    _ nameOrPath: String = defaultModelName, modelsDirectory: String? = nil, repository: String? = nil
  ) throws -> ModelLocation {
    try checkFolders([modelsDirectory, repository])
    if let repository, !isPath(nameOrPath) {
      guard !nameOrPath.isEmpty else { throw ModelStoreError.emptyName }
      return try RepositoryFolder(path: repository).locate(nameOrPath)
    }
    return try locate(nameOrPath, in: ModelFolders(modelsDirectory: modelsDirectory))
  }

  /// Finds a model by its name in `folders`, or by the path of its file.
  /// - Throws: `ModelStoreError`.
  public static func locate(_ nameOrPath: String, in folders: ModelFolders) throws -> ModelLocation {
    guard !nameOrPath.isEmpty else { throw ModelStoreError.emptyName }
    let search = ModelSearch(folders: folders)
    return isPath(nameOrPath) ? try locate(path: nameOrPath, search) : try search.locate(name: nameOrPath)
  }

  /// All models that are there, each name once, sorted; where two places have one of the same name, the first.
  public static func available(in folders: ModelFolders = ModelFolders()) -> [ModelLocation] {
    ModelSearch(folders: folders).available()
  }

  /// What the results of a model are called, without looking whether it is there.
  public static func displayName(_ nameOrPath: String) -> String {
    guard isPath(nameOrPath) else { return nameOrPath }
    let file = fileName(nameOrPath)
    let suffix = pathExtension(file)
    guard modelExtensions.contains(suffix) else { return file.isEmpty ? "model" : file }
    // A file called just `.safetensors` still needs a folder for its results.
    return file.utf8.count > suffix.utf8.count + 1 ? String(file.dropLast(suffix.count + 1)) : "model"
  }

  /// Extensions that mark a path. What is in a file decides how it is read, but for a bag.
  public static let modelExtensions: Set = ["safetensors", "th", "pt", "pth", "ckpt", "yaml", "yml"]

  /// Makes sure that folders that were named, nil for none, are there.
  /// - Throws: `ModelStoreError.noFolder`.
  public static func checkFolders(_ folders: [String?]) throws {
    for folder in folders.compactMap(\.self) where !isFolder(folder) {
      throw ModelStoreError.noFolder(path: folder)
    }
  }

  /// Whether a model is meant by its path, not by its name: there is a slash in it, or it ends as a file of a model does.
  public static func isPath(_ nameOrPath: String) -> Bool {
    nameOrPath.contains("/") || modelExtensions.contains(pathExtension(nameOrPath))
  }

  private static func locate(path: String, _ search: ModelSearch) throws -> ModelLocation {
    if isFolder(path) { throw ModelStoreError.folder(path: path) }
    guard isFile(path) else { throw ModelStoreError.noFile(path: path) }
    let name = displayName(path)
    guard ["yaml", "yml"].contains(pathExtension(path)) else { return ModelLocation(name: name, path: path) }
    return try search.bag(name: name, yaml: path)
  }

  /// What follows the last dot of the last component, in lower case; empty without a dot.
  static func pathExtension(_ path: String) -> String {
    let file = path.split(separator: "/").last ?? ""
    guard let dot = file.lastIndex(of: ".") else { return "" }
    return file[file.index(after: dot)...].lowercased()
  }
}
