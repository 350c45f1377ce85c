import Foundation

/// Looks for models by name in all places, in order.
struct ModelSearch {
  let folders: ModelFolders

  /// Files that hold one network under its own name, in order of preference.
  private static let extensions = ["safetensors", "th", "pt"]

  /// Finds a model by its name.
  ///
  /// A folder has a model as a file of that name, as a bag's YAML, under the signature of its network, or, if the
  /// registry knows it, as the files of all its networks. PyTorch's checkpoints and the hub's cache come after the
  /// folders, then networks of one bag in different places.
  /// - Throws: `ModelStoreError`.
  func locate(name: String) throws -> ModelLocation {
    // A registry that cannot be read keeps nobody from a model that is there.
    let registry = Result { try Registry(folders) }
    if let found = try find(name: name, (try? registry.get())?[name]) { return found }
    throw try notFound(name, in: registry.get())
  }

  /// All models that are there and whole.
  func available() -> [ModelLocation] {
    let registry = (try? Registry(folders)) ?? (try? Registry.embedded.get())
    return names(registry).sorted().compactMap { try? find(name: $0, registry?[$0]) }
  }

  private func find(name: String, _ entry: Registry.Entry?) throws -> ModelLocation? {
    for folder in folders.paths {
      if let found = try locate(name: name, entry, in: folder) { return found }
    }
    if let folder = folders.torchCheckpoints {
      if let found = ModelSearch.network(name, in: folder) { return ModelLocation(name: name, path: found) }
      if let bag = entry?.bag, let found = ModelSearch.location(name, bag, in: folder) { return found }
    }
    for snapshot in HubCache(folders.hubCache).snapshots(of: name, entry) {
      if let found = try locate(name: name, entry, in: snapshot) { return found }
    }
    if let bag = entry?.bag, case let members = bag.models.compactMap(member), members.count == bag.models.count {
      return ModelLocation(
        name: name, path: members[0], members: members, weights: bag.weights, segment: bag.segment)
    }
    return nil
  }

  /// The model in one folder; nil if it is not there.
  private func locate(name: String, _ entry: Registry.Entry?, in folder: String) throws -> ModelLocation? {
    for suffix in ModelSearch.extensions {
      let path = "\(folder)/\(name).\(suffix)"
      if isFile(path) { return ModelLocation(name: name, path: path) }
    }
    for suffix in ["yaml", "yml"] {
      let path = "\(folder)/\(name).\(suffix)"
      guard isFile(path) else { continue }
      do {
        return try bag(name: name, yaml: path)
      } catch ModelStoreError.missingNetworks where entry?.models != nil {
        // A cache that holds half of a model; the rest of the places may have all, and the registry knows the way.
        continue
      }
    }
    if let path = ModelSearch.network(name, in: folder) { return ModelLocation(name: name, path: path) }
    return entry?.bag.flatMap { ModelSearch.location(name, $0, in: folder) }
  }

  /// The bag of a YAML file; its networks lie beside it, or in any of the places.
  func bag(name: String, yaml path: String) throws -> ModelLocation {
    let bag = try BagDefinition(yaml: path)
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let members = bag.models.map { ModelSearch.network($0, in: folder) ?? member($0) }
    let missing = zip(bag.models, members).filter { $0.1 == nil }.map(\.0)
    guard missing.isEmpty else {
      throw ModelStoreError.missingNetworks(bag: path, missing: missing, searched: [folder] + folders.all)
    }
    return ModelLocation(
      name: name, path: path, members: members.compactMap(\.self), weights: bag.weights, segment: bag.segment)
  }

  /// A bag whose networks all lie in one folder.
  private static func location(_ name: String, _ bag: BagDefinition, in folder: String) -> ModelLocation? {
    let members = bag.models.compactMap { network($0, in: folder) }
    guard members.count == bag.models.count else { return nil }
    return ModelLocation(name: name, path: members[0], members: members, weights: bag.weights, segment: bag.segment)
  }

  /// The file of a network by its signature, wherever it is.
  private func member(_ signature: String) -> String? {
    let places = folders.paths + [folders.torchCheckpoints].compactMap(\.self) + HubCache(folders.hubCache).all
    return places.lazy.compactMap { ModelSearch.network(signature, in: $0) }.first
  }

  /// The file of a network by its signature in one folder: `SIG.safetensors`, `SIG-CHECKSUM.th` or `SIG.th`.
  static func network(_ signature: String, in folder: String) -> String? {
    let plain = "\(folder)/\(signature)"
    if isFile(plain + ".safetensors") { return plain + ".safetensors" }
    if let names = try? FileManager.default.contentsOfDirectory(atPath: folder) {
      let found = names.filter {
        $0.hasPrefix(signature + "-") && Checksum.prefix(inNameOf: $0) != nil
          && $0.utf8.count <= signature.utf8.count + 68 && !$0.dropFirst(signature.count + 1).contains("-")
      }
      if let name = found.sorted().first(where: { isFile("\(folder)/\($0)") }) { return "\(folder)/\(name)" }
    }
    return isFile(plain + ".th") ? plain + ".th" : nil
  }

  /// Names under which models can be found; files that are parts of bags have none of their own.
  private func names(_ registry: Registry?) -> Set<String> {
    let registered = registry?.entries ?? []
    var names = Set(registered.map(\.name))
    var parts = Set(registered.flatMap { $0.models ?? [] })
    for folder in folders.paths {
      for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
        let suffix = ModelStore.pathExtension(file)
        guard let stem = file.split(separator: ".").dropLast().first.map({ _ in file.dropLast(suffix.count + 1) }),
          !stem.isEmpty, isFile(folder + "/" + file)
        else { continue }
        if ["yaml", "yml"].contains(suffix) {
          guard let bag = try? BagDefinition(yaml: folder + "/" + file) else { continue }
          parts.formUnion(bag.models)
        } else if !ModelSearch.extensions.contains(suffix) {
          continue
        }
        let signature = Checksum.prefix(inNameOf: file).map { stem.dropLast($0.count + 1) }
        names.insert(String(signature ?? stem))
      }
    }
    return names.subtracting(parts)
  }

  private func notFound(_ name: String, in registry: Registry) -> ModelStoreError {
    let entry = registry[name]
    var files = (ModelSearch.extensions + ["yaml"]).map { "\(name).\($0)" }
    for signature in Set(entry?.models ?? []).sorted() {
      files.append(signature + ".safetensors")
      if let path = entry?.legacyPath(of: signature) { files.append(fileName(path)) }
    }
    let hint: ModelStoreError.Hint =
      if let reason = entry?.unsupported {
        .unsupported(reason)
      } else if let entry, entry.models != nil {
        .download(needsLicence: entry.licence != nil)
      } else {
        .none
      }
    let available = available().map(\.name)
    return .notFound(name: name, files: files, searched: folders.all, available: available, hint: hint)
  }
}
