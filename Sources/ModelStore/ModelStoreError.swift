/// Why there is no model; every message says what was looked for, where, and what to do.
public enum ModelStoreError: Error, Equatable, Sendable {
  /// A model's name is the empty string.
  case emptyName
  /// No folder has a model of that name; `available` are the names of those that there are.
  case notFound(name: String, searched: [String], available: [String])
  /// A path leads nowhere.
  case noFile(path: String)
  /// A path leads to a folder.
  case folder(path: String)
  /// The folder of models that the caller names is none.
  case noFolder(path: String)
  /// A file is there, but not of a format that this version reads.
  case unsupported(path: String, suffix: String)
}

extension ModelStoreError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .emptyName:
      "the model's name is empty. Give a name, such as \(ModelStore.defaultModelName), or the path of a "
        + ".safetensors file."
    case .notFound(let name, let searched, let available):
      "no model \"\(name)\": looked for \(name).safetensors in \(searched.joined(separator: ", ")). "
        + hint(name) + listing(available)
    case .noFile(let path):
      "\(path): no such model file. Check the path; a name without / and extension is looked for in the "
        + "folders of models."
    case .folder(let path):
      "\(path): is a folder, not a model file. Give the path of a .safetensors file in it."
    case .noFolder(let path):
      "\(path): no such folder of models. Check the path."
    case .unsupported(let path, let suffix):
      "\(path): " + reason(suffix)
        + " Give a .safetensors or .th file of demucs, with klass, args and kwargs."
    }
  }

  private func hint(_ name: String) -> String {
    switch OfficialModel(name) {
    case .network:
      "It is one of Meta's models, which this version does not download yet: give the path of its "
        + ".safetensors file instead."
    case .bag:
      "It is one of Meta's bags of several networks, which this version neither downloads nor combines yet: "
        + "give the path of the .safetensors file of one of them instead."
    case .otherNetwork:
      "It is one of Meta's older models, whose networks are not HTDemucs and which this version does not run."
    case nil:
      "Check the name, put the file into one of these folders, or give the path of a .safetensors file."
    }
  }

  private func listing(_ available: [String]) -> String {
    available.isEmpty ? "" : " Models found: \(available.joined(separator: ", "))."
  }

  private func reason(_ suffix: String) -> String {
    switch suffix {
    case "yaml", "yml": "bags of models (.\(suffix)) are not supported yet."
    case "": "a model file without an extension is not supported."
    default: "model files of type .\(suffix) are not supported."
    }
  }
}

/// What the names of the PyTorch package (`demucs/remote/*.yaml`) stand for.
private enum OfficialModel {
  /// One HTDemucs.
  case network
  /// Several HTDemucs.
  case bag
  /// Demucs and hybrid Demucs of versions 2 and 3.
  case otherNetwork

  init?(_ name: String) {
    switch name {
    case "htdemucs", "htdemucs_6s": self = .network
    case "htdemucs_ft": self = .bag
    case "hdemucs_mmi", "mdx", "mdx_q", "mdx_extra", "mdx_extra_q", "repro_mdx_a", "repro_mdx_a_hybrid_only",
      "repro_mdx_a_time_only":
      self = .otherNetwork
    default: return nil
    }
  }
}
