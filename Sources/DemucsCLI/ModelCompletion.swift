import ArgumentParser
import Foundation
import ModelStore

extension CompletionKind {
  /// The models that are there, by name, and files where the word is a path.
  static var model: CompletionKind {
    .custom { _, _, word in ModelStore.available().map(\.name) + paths(beginning: word) }
  }

  /// The models that can be fetched.
  static var fetchableModel: CompletionKind {
    .custom { _, _, _ in
      let entries = (try? Registry(ModelFolders()))?.entries ?? []
      return entries.filter { $0.models != nil && $0.unsupported == nil }.map(\.name)
    }
  }

  /// What is in the folder that `word` leads to: `models/open_6s.safetensors` for `models/o`. Folders end in a slash.
  private static func paths(beginning word: String) -> [String] {
    let folder = word.lastIndex(of: "/").map { word[...$0] } ?? ""
    let place = folder.isEmpty ? "." : String(folder)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    return names.sorted().compactMap { name in
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: "\(place)/\(name)", isDirectory: &isFolder) else { return nil }
      if isFolder.boolValue { return "\(folder)\(name)/" }
      return ModelStore.modelExtensions.contains { name.lowercased().hasSuffix(".\($0)") } ? folder + name : nil
    }
  }
}
