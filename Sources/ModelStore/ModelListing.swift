/// The names that `demucs --list-models` shows: bags of networks, and networks by their signatures.
public struct ModelListing: Equatable, Sendable {
  public let bags: [String]
  public let networks: [String]

  /// What is known, whether it is here or has to be fetched; with a repository what is in that folder, and nothing else.
  /// - Parameters: as of `ModelStore.locate`.
  /// - Throws: `ModelStoreError`.
  public init(modelsDirectory: String? = nil, repository: String? = nil) throws {
    try ModelStore.checkFolders([modelsDirectory, repository])
    if let repository {
      (bags, networks) = try RepositoryFolder(path: repository).names
      return
    }
    let folders = ModelFolders(modelsDirectory: modelsDirectory)
    let entries = try Registry(folders).entries.filter { $0.unsupported == nil }
    bags = entries.filter { $0.models != nil }.map(\.name)
    var seen: Set<String> = Set(bags)
    let here = ModelStore.available(in: folders).map(\.name).sorted()
    networks = (entries.filter { $0.models == nil }.map(\.name) + entries.flatMap { $0.models ?? [] } + here)
      .filter { seen.insert($0).inserted }
  }
}
