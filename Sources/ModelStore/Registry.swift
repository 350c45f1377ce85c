import Foundation

/// The models that are known by name: what they consist of, and where their files can be fetched.
///
/// It is data: `models/registry.json`, of which every executable has a copy. A `registry.json` in one of the folders of
/// models goes before that copy, row by row.
public struct Registry: Sendable, Equatable {
  /// One model.
  public struct Entry: Sendable, Equatable, Codable {
    public let name: String
    /// One sentence for a person.
    public let summary: String?
    /// What a person should know before fetching it.
    public let caveat: String?
    /// The class of its networks, such as `HTDemucs`; absent where that is not known.
    public let network: String?
    public let sources: [String]?
    /// Signatures of its networks, in order; one may occur twice.
    public let models: [String]?
    /// The weight of each network for each source, as in a bag's file.
    public let weights: [[Double]]?
    /// Seconds of a segment where the bag does not leave that to its networks.
    public let segment: Double?
    /// The repository of the Hugging Face hub that has `SIGNATURE.safetensors` of each network.
    public let hub: String?
    /// Paths below the root of the legacy host, each `FOLDER/SIGNATURE-CHECKSUM.th`.
    public let legacy: [String]?
    /// Key into the registry's `licences`; absent where there is nothing to accept.
    public let licence: String?
    /// Whether it is part of the program.
    public let embedded: Bool?
    /// Why the model cannot be run; it is not fetched either.
    public let unsupported: String?
  }

  private struct File: Codable {
    let version: Int
    let sources: [String: String]?
    let licences: [String: String]?
    let models: [Entry]
  }

  /// In the order of the file.
  public private(set) var entries: [Entry] = []
  /// Roots of URLs, by `hub` and `legacy`.
  private(set) var roots: [String: String] = [:]
  private(set) var licences: [String: String] = [:]

  /// The registry that is part of the executable.
  public static let embedded = Result { try Registry(Data(PackageResources.registry_json), path: "registry.json") }

  /// The registries of all folders, then the embedded one; of two rows with one name the first counts.
  /// - Throws: `ModelStoreError.badRegistry`, which names the file.
  public init(_ folders: ModelFolders) throws {
    for folder in folders.paths {
      let path = folder + "/registry.json"
      guard let data = FileManager.default.contents(atPath: path) else { continue }
      add(try Registry(data, path: path))
    }
    add(try Registry.embedded.get())
  }

  /// - Parameter path: what errors call it.
  init(_ data: Data, path: String) throws {
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: data)
    } catch {
      throw ModelStoreError.badRegistry(path: path, reason: Registry.reason(error))
    }
    guard file.version == 1 else {
      throw ModelStoreError.badRegistry(path: path, reason: "it is of version \(file.version); this program reads 1")
    }
    for entry in file.models {
      guard entry.isSound else {
        throw ModelStoreError.badRegistry(path: path, reason: "the row of \"\(entry.name)\" contradicts itself")
      }
    }
    entries = file.models
    roots = file.sources ?? [:]
    licences = file.licences ?? [:]
  }

  /// The row of a name.
  public subscript(name: String) -> Entry? { entries.first { $0.name == name } }

  /// What is to be accepted before a model is fetched; nil if nothing.
  public func licence(of entry: Entry) -> String? { entry.licence.map { licences[$0] ?? $0 } }

  private mutating func add(_ other: Registry) {
    entries += other.entries.filter { self[$0.name] == nil }
    roots.merge(other.roots) { first, _ in first }
    licences.merge(other.licences) { first, _ in first }
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    switch error {
    case .keyNotFound(let key, let context):
      return "\"\(key.stringValue)\" is missing\(place(context))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "a value has the wrong type\(place(context))"
    default: return "it is not JSON"
    }
  }

  private static func place(_ context: DecodingError.Context) -> String {
    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    return path.isEmpty ? "" : " in \(path)"
  }
}

extension Registry.Entry {
  /// The model as a bag, which a single network is too; nil if it has none to fetch.
  var bag: BagDefinition? { models.map { BagDefinition(models: $0, weights: weights, segment: segment) } }

  /// The legacy file of a signature: `FOLDER/SIGNATURE-CHECKSUM.th`.
  func legacyPath(of signature: String) -> String? {
    legacy?.first { fileName($0).hasPrefix(signature + "-") }
  }

  /// Names become parts of paths and URLs; the numbers must fit each other.
  fileprivate var isSound: Bool {
    guard BagDefinition.isFileName(name) else { return false }
    guard let bag else { return true }
    guard legacy?.allSatisfy({ Checksum.prefix(inNameOf: $0) != nil && !$0.contains("..") }) ?? true else {
      return false
    }
    return bag.fault == nil && !(hub?.contains("..") ?? false)
  }
}
