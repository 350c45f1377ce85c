import Foundation
import Tensors

extension PrecisionPolicy {
  /// Rules of a list such as `softmax,norm@encoder.*,tdecoder.3*`: classes, modules by pattern, or both as CLASS@PATTERN.
  /// - Parameter format: what they are to be in; sums as `OperationClass.narrowed` has them.
  /// - Throws: `PolicyError` for a word that is neither.
  public static func rules(_ list: String, in format: NumberFormat) throws -> [Rule] {
    let words = list.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    return try words.flatMap { word -> [Rule] in
      guard !word.isEmpty else { throw PolicyError.emptyWord(list: list) }
      let parts = word.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      if parts.count == 2 {
        guard let operation = OperationClass(rawValue: parts[0]) else { throw PolicyError.unknownOperation(parts[0]) }
        guard !parts[1].isEmpty else { throw PolicyError.emptyWord(list: list) }
        return [rule(operation, parts[1], format)]
      }
      if let operation = OperationClass(rawValue: word) { return [rule(operation, nil, format)] }
      guard word.contains(where: { ".*?[_0123456789".contains($0) }) else { throw PolicyError.unknownOperation(word) }
      return OperationClass.allCases.map { rule($0, word, format) }
    }
  }

  private static func rule(_ operation: OperationClass, _ modules: String?, _ format: NumberFormat) -> Rule {
    let precision = operation.narrowed(to: format)
    return Rule(operation, modules: modules, storage: precision.storage, compute: precision.compute)
  }

  /// Reads a policy from a file.
  /// - Throws: `PolicyError`, with the file's name and what is wrong with it.
  public init(contentsOf path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw PolicyError.file(path, "it cannot be read; give the path of a JSON file")
    }
    guard data.count <= 1 << 20 else { throw PolicyError.file(path, "it is larger than a policy can be (1 MiB)") }
    do {
      self = try JSONDecoder().decode(PrecisionPolicy.self, from: data)
    } catch let error as DecodingError {
      throw PolicyError.file(path, error.sentence)
    }
  }

  /// The policy as JSON that `init(contentsOf:)` reads.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}

extension PrecisionPolicy: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case preset, rules
  }

  public init(from decoder: any Decoder) throws {
    try decoder.refuseKeys(beyond: CodingKeys.allCases.map(\.rawValue))
    let container = try decoder.container(keyedBy: CodingKeys.self)
    preset = try container.decodeChoice(.preset) ?? .fp32
    rules = try container.decodeIfPresent([Rule].self, forKey: .rules) ?? []
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(preset, forKey: .preset)
    try container.encode(rules, forKey: .rules)
  }
}

extension PrecisionPolicy.Rule: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case operation, modules, storage, compute
  }

  public init(from decoder: any Decoder) throws {
    try decoder.refuseKeys(beyond: CodingKeys.allCases.map(\.rawValue))
    let container = try decoder.container(keyedBy: CodingKeys.self)
    operation = try container.decodeChoice(.operation)
    modules = try container.decodeIfPresent(String.self, forKey: .modules)
    storage = try container.decodeChoice(.storage)
    compute = try container.decodeChoice(.compute)
    guard storage != nil || compute != nil else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "the rule has neither 'storage' nor 'compute'"))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(operation, forKey: .operation)
    try container.encodeIfPresent(modules, forKey: .modules)
    try container.encodeIfPresent(storage, forKey: .storage)
    try container.encodeIfPresent(compute, forKey: .compute)
  }
}

/// Why a policy cannot be used.
public enum PolicyError: Error, CustomStringConvertible, Sendable, Equatable {
  case unknownOperation(String)
  case emptyWord(list: String)
  case file(String, String)
  /// A rule that no operation of the network fits.
  case unused(rule: String, modules: String)

  public var description: String {
    switch self {
    case .unknownOperation(let name):
      "'\(name)' is no class of operations and no pattern of modules. Classes are \(OperationClass.names);"
        + " a pattern names modules of PyTorch, such as 'encoder.0*'."
    case .emptyWord(let list): "'\(list)' has an empty entry; give classes or modules, separated by commas."
    case .file(let path, let reason): "\(path): not a precision policy: \(reason)."
    case .unused(let rule, let modules):
      "The precision rule '\(rule)' fits nothing in this network, whose modules are \(modules)."
    }
  }
}

extension DecodingError {
  /// What is wrong, and where in the document.
  fileprivate var sentence: String {
    let context: Context
    switch self {
    case .typeMismatch(_, let it), .valueNotFound(_, let it), .keyNotFound(_, let it), .dataCorrupted(let it):
      context = it
    @unknown default: return "\(self)"
    }
    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
    var text = context.debugDescription
    while text.hasSuffix(".") { text.removeLast() }
    return path.isEmpty ? text : "\(text), at \(path)"
  }
}

private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Decoder {
  /// A misspelt key would be a rule that does nothing.
  fileprivate func refuseKeys(beyond known: [String]) throws {
    for key in try container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath,
          debugDescription: "'\(key.stringValue)' is unknown; there are \(known.joined(separator: ", "))"))
    }
  }
}

extension KeyedDecodingContainer {
  /// One of the values of an enumeration, or nil if the key is missing.
  fileprivate func decodeChoice<Choice: RawRepresentable & CaseIterable>(_ key: Key) throws -> Choice?
  where Choice.RawValue == String {
    guard let text = try decodeIfPresent(String.self, forKey: key) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw DecodingError.dataCorrupted(
        .init(codingPath: codingPath + [key], debugDescription: "'\(text)' is none of \(choices)"))
    }
    return choice
  }
}
