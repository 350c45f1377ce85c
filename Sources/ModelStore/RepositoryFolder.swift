import Foundation

/// A folder of models as `demucs --repo` takes it: networks in `SIGNATURE-CHECKSUM.th` or `SIGNATURE.th`, bags of them in
/// `NAME.yaml` (`LocalRepo` and `BagOnlyRepo` of `demucs.repo`), and `SIGNATURE.safetensors` beside.
struct RepositoryFolder {
  private let path: String
  /// File of each signature.
  private let networks: [String: String]
  private let bags: [String: String]

  /// - Throws: `ModelStoreError.unreadable`; `.duplicate` where two files have one signature.
  init(path: String) throws {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
      throw ModelStoreError.unreadable(path: path, reason: "its files cannot be listed")
    }
    var networks: [String: String] = [:]
    var bags: [String: String] = [:]
    for name in names where isFile("\(path)/\(name)") {
      if name.hasSuffix(".yaml") {
        bags[String(name.dropLast(5))] = name
      } else if name.hasSuffix(".th") {
        let signature = name.dropLast(3 + (Checksum.prefix(inNameOf: name).map { $0.count + 1 } ?? 0))
        if let other = networks.updateValue(name, forKey: String(signature)) {
          throw ModelStoreError.duplicate(folder: path, signature: String(signature), files: [other, name])
        }
      }
    }
    for name in names where name.hasSuffix(".safetensors") && isFile("\(path)/\(name)") {
      let signature = String(name.dropLast(".safetensors".count))
      if networks[signature] == nil { networks[signature] = name }
    }
    self.path = path
    self.networks = networks
    self.bags = bags
  }

  /// Names of the bags and signatures of the networks, sorted.
  var names: (bags: [String], networks: [String]) { (bags.keys.sorted(), networks.keys.sorted()) }

  /// A network by its signature, else a bag by its name. A checksum that is part of a file's name is verified.
  func locate(_ name: String) throws -> ModelLocation {
    if let file = networks[name] { return ModelLocation(name: name, path: try verified(file)) }
    guard let file = bags[name] else {
      throw ModelStoreError.notInRepository(
        name: name, folder: path, available: (Array(networks.keys) + bags.keys).sorted())
    }
    let bag = try BagDefinition(yaml: "\(path)/\(file)")
    let missing = bag.models.filter { networks[$0] == nil }
    guard missing.isEmpty else {
      throw ModelStoreError.missingNetworks(bag: "\(path)/\(file)", missing: missing, searched: [path])
    }
    var members: [String: String] = [:]
    for signature in Set(bag.models) { members[signature] = try networks[signature].map(verified) }
    return ModelLocation(
      name: name, path: "\(path)/\(file)", members: bag.models.compactMap { members[$0] }, weights: bag.weights,
      segment: bag.segment)
  }

  private func verified(_ file: String) throws -> String {
    let path = "\(path)/\(file)"
    if let expected = Checksum.prefix(inNameOf: file) {
      let found = try Checksum.sha256(of: path)
      guard found.hasPrefix(expected) else {
        throw ModelStoreError.wrongChecksum(path: path, expected: expected, found: found)
      }
    }
    return path
  }
}
