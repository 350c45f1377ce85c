/// Why there is no model; every message says what was looked for, where, and what to do.
public enum ModelStoreError: Error, Equatable, Sendable {
  /// What to do about a model that is not there.
  public enum Hint: Equatable, Sendable {
    case none
    /// The registry says where to fetch it.
    case download(needsLicence: Bool)
    /// It is known, and why it cannot be run.
    case unsupported(String)
  }

  /// A model's name is the empty string.
  case emptyName
  /// No place has a model of that name; `available` are the names of those that there are.
  case notFound(name: String, files: [String], searched: [String], available: [String], hint: Hint)
  /// The folder given as a repository has neither a network nor a bag of that name.
  case notInRepository(name: String, folder: String, available: [String])
  /// Two files of a repository's folder have one signature.
  case duplicate(folder: String, signature: String, files: [String])
  /// A bag is there, but not all of its networks.
  case missingNetworks(bag: String, missing: [String], searched: [String])
  /// A path leads nowhere.
  case noFile(path: String)
  /// A path leads to a folder.
  case folder(path: String)
  /// A folder that the caller names is none.
  case noFolder(path: String)
  /// A file cannot be read.
  case unreadable(path: String, reason: String)
  /// A bag's file does not say what it should.
  case badBag(path: String, reason: String)
  /// The registry does not say what it should.
  case badRegistry(path: String, reason: String)
  /// A file is not what its name or the list of checksums says.
  case wrongChecksum(path: String, expected: String, found: String)
}

extension ModelStoreError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .emptyName:
      "the model's name is empty. Give a name, such as \(ModelStore.defaultModelName), or the path of a model file."
    case .notFound(let name, let files, let searched, let available, let hint):
      "no model \"\(name)\": looked for \(files.joined(separator: ", ")) in \(searched.joined(separator: ", ")). "
        + text(hint, name) + listing(available)
    case .notInRepository(let name, let folder, let available):
      "no model \"\(name)\": looked for \(name)-CHECKSUM.th, \(name).th, \(name).safetensors and \(name).yaml in "
        + "\(folder) alone, as --repo asks for. Check the name." + listing(available)
    case .duplicate(let folder, let signature, let files):
      "\(folder): \(files.joined(separator: " and ")) both are the model \(signature). Delete all but one."
    case .missingNetworks(let bag, let missing, let searched):
      "\(bag): its networks \(missing.joined(separator: ", ")) are missing: looked for SIGNATURE.safetensors, "
        + "SIGNATURE-CHECKSUM.th and SIGNATURE.th in \(searched.joined(separator: ", ")). Put them beside the bag."
    case .noFile(let path):
      "\(path): no such model file. Check the path; a name without / and extension is looked for in the "
        + "folders of models."
    case .folder(let path):
      "\(path): is a folder, not a model file. Give the path of a file in it."
    case .noFolder(let path):
      "\(path): no such folder of models. Check the path."
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason). Check the path and its permissions."
    case .badBag(let path, let reason):
      "\(path): not a bag of models: \(reason). It should read like \"models: ['955717e8', 'f7e0c4bc']\", with "
        + "weights and segment as in demucs."
    case .badRegistry(let path, let reason):
      "\(path): not a registry of models: \(reason). Mend or remove the file."
    case .wrongChecksum(let path, let expected, let found):
      "\(path): its SHA-256 is \(found.prefix(max(expected.count, 8))) where \(expected) was expected, so it is damaged "
        + "or not that file. Fetch it again."
    }
  }

  private func text(_ hint: Hint, _ name: String) -> String {
    switch hint {
    case .download(let needsLicence):
      "Fetch it with: demucs-cli models download \(name)" + (needsLicence ? " --accept-license" : "") + "."
    case .unsupported(let reason): "It is \(reason)."
    case .none: "Check the name, put the file into one of these folders, or give the path of a model file."
    }
  }

  private func listing(_ available: [String]) -> String {
    available.isEmpty ? "" : " Models found: \(available.joined(separator: ", "))."
  }
}
