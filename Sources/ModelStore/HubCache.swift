import Foundation

/// The cache of the Hugging Face hub, as its Python library lays it out:
/// `models--NAMESPACE--NAME/refs/main` names a revision, `models--NAMESPACE--NAME/snapshots/REVISION/FILE` are its files.
struct HubCache {
  private let path: String?

  init(_ path: String?) { self.path = path }

  /// Folders of the snapshots that may hold a model, that of `main` first.
  func snapshots(of name: String, _ entry: Registry.Entry?) -> [String] {
    snapshots(repository: entry?.hub ?? HubCache.repository(of: name))
  }

  /// Folders of all snapshots of all repositories of demucs' models.
  var all: [String] {
    guard let path, let folders = try? FileManager.default.contentsOfDirectory(atPath: path) else { return [] }
    return folders.sorted().filter { $0.hasPrefix("models--adefossez--") }.flatMap { snapshots(folder: $0) }
  }

  /// The repository of a model's name: `hf_repo_name` of `demucs.hf`.
  static func repository(of name: String) -> String {
    if name == "htdemucs" { return "adefossez/HTDemucs" }
    if name.hasPrefix("htdemucs_") { return "adefossez/HTDemucs-" + name.dropFirst("htdemucs_".count) }
    return "adefossez/Demucs-" + name
  }

  private func snapshots(repository: String) -> [String] {
    snapshots(folder: "models--" + repository.replacing("/", with: "--"))
  }

  private func snapshots(folder: String) -> [String] {
    guard let path else { return [] }
    let root = "\(path)/\(folder)"
    let revisions = (try? FileManager.default.contentsOfDirectory(atPath: root + "/snapshots")) ?? []
    let main = (try? String(contentsOfFile: root + "/refs/main", encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
    return (revisions.filter { $0 == main } + revisions.filter { $0 != main }.sorted())
      .map { "\(root)/snapshots/\($0)" }
  }
}
