import Foundation
import Yams

/// A bag of models as demucs writes it in YAML: `models`, `weights`, `segment`.
public struct BagDefinition: Sendable, Equatable {
  /// Signatures of the networks, in order; at least one.
  public let models: [String]
  /// For each network the weight of each source in the average; nil weighs all alike.
  public let weights: [[Double]]?
  /// Seconds of a segment, in place of what the networks were trained on.
  public let segment: Double?

  public init(models: [String], weights: [[Double]]? = nil, segment: Double? = nil) {
    self.models = models
    self.weights = weights
    self.segment = segment
  }

  /// More than any bag has, and what a list of names of a hostile file may cost.
  private static let mostModels = 64
  private static let largestFile = 1 << 16

  /// Reads a bag's file.
  ///
  /// Signatures are taken as they are written: `12345678` is one, though YAML would make it a number.
  /// - Throws: `ModelStoreError.unreadable`, `.badBag`, with the file's name and what is wrong.
  public init(yaml path: String) throws {
    func fail(_ reason: String) -> ModelStoreError { .badBag(path: path, reason: reason) }
    guard isFile(path), let file = FileHandle(forReadingAtPath: path) else {
      throw ModelStoreError.unreadable(path: path, reason: isFolder(path) ? "it is a folder" : systemReason())
    }
    defer { try? file.close() }
    guard let data = try? file.read(upToCount: BagDefinition.largestFile + 1), !data.isEmpty else {
      throw fail("it is empty")
    }
    guard data.count <= BagDefinition.largestFile else { throw fail("it is far larger than any bag") }
    guard let text = String(data: data, encoding: .utf8) else { throw fail("it is not text") }
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      throw fail("it is not YAML: \(BagDefinition.oneLine("\(error)"))")
    }
    guard let mapping = root?.mapping else { throw fail("it is not a mapping with an entry \"models\"") }
    guard let list = mapping["models"]?.sequence else { throw fail("\"models\" is not a list") }
    guard list.count <= BagDefinition.mostModels else { throw fail("\"models\" has \(list.count) entries") }
    models = try list.map { node in
      guard let text = node.scalar?.string else { throw fail("\"models\" has an entry that is not a name") }
      return text
    }
    weights = try BagDefinition.present(mapping["weights"]).map { node in
      guard let rows = node.sequence, rows.count <= BagDefinition.mostModels else {
        throw fail("\"weights\" is not a list of lists")
      }
      return try rows.map { row in
        guard let row = row.sequence, row.count <= 1024 else { throw fail("\"weights\" is not a list of lists") }
        return try row.map { number in
          guard let value = BagDefinition.number(number) else {
            throw fail("\"weights\" holds \(BagDefinition.shown(number)), which is not a number")
          }
          return value
        }
      }
    }
    segment = try BagDefinition.present(mapping["segment"]).map { node in
      guard let value = BagDefinition.number(node) else {
        throw fail("\"segment\" is \(BagDefinition.shown(node)), which is not a number")
      }
      return value
    }
    if let fault { throw fail(fault) }
  }

  /// What contradicts itself, in words; nil if nothing does.
  var fault: String? {
    if models.isEmpty { return "\"models\" is empty" }
    for model in models where !BagDefinition.isFileName(model) {
      return "\"models\" has the entry \(model.debugDescription), which cannot be part of a file's name"
    }
    if let segment, !(segment > 0 && segment.isFinite) { return "\"segment\" is \(segment); it must be more than 0" }
    guard let weights else { return nil }
    if weights.count != models.count {
      return "\"weights\" has \(weights.count) rows for \(models.count) models"
    }
    for row in weights {
      if row.count != weights[0].count || row.isEmpty { return "the rows of \"weights\" differ in length" }
      if let bad = row.first(where: { !$0.isFinite }) { return "\"weights\" holds \(bad)" }
    }
    for source in weights[0].indices {
      let total = weights.reduce(0) { $0 + $1[source] }
      if total == 0 || !total.isFinite || Float(total) == 0 || !Float(total).isFinite {
        return "the weights of source \(source + 1) add up to \(total)"
      }
    }
    return nil
  }

  /// Whether `text` can be a file's name as it is, and no path.
  static func isFileName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 200 && !text.hasPrefix(".")
      && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "/" && $0 != "\\" }
  }

  /// A node, or nil for one that says `null` or nothing, as `bag.get` of Python.
  private static func present(_ node: Node?) -> Node? {
    guard let text = node?.scalar else { return node }
    return text.style == .plain && ["", "~", "null", "Null", "NULL"].contains(text.string) ? nil : node
  }

  private static func number(_ node: Node) -> Double? {
    guard let scalar = node.scalar, scalar.style == .plain else { return nil }
    return Double(scalar.string)
  }

  private static func shown(_ node: Node) -> String {
    node.scalar.map { String($0.string.prefix(40)).debugDescription } ?? "a list or mapping"
  }

  private static func oneLine(_ text: String) -> String {
    String(text.prefix(200)).split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
