import Foundation

/// As much of JSON Schema as docs/separate.schema.json uses; a keyword that is not known here is a fault.
struct JSONSchema {
  private let root: [String: Any]

  init(contentsOf url: URL) throws {
    root = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] ?? ["missing": true]
  }

  /// What is wrong with a text; empty if it fits.
  func faults(in line: String) -> [String] {
    guard let value = try? JSONSerialization.jsonObject(with: Data(line.utf8), options: .fragmentsAllowed) else {
      return ["no JSON: \(line)"]
    }
    return JSONSchema.faults(value, root, at: "$")
  }

  private static func faults(_ value: Any, _ schema: [String: Any], at place: String) -> [String] {
    schema.sorted { $0.key < $1.key }.flatMap { keyword, rule -> [String] in
      switch keyword {
      case "$schema", "title", "description": return []
      case "type": return isOfType(value, rule) ? [] : ["\(place) is no \(rule)"]
      case "const": return isEqual(value, rule) ? [] : ["\(place) is not \(rule)"]
      case "enum": return (rule as? [Any] ?? []).contains { isEqual(value, $0) } ? [] : ["\(place) is none of \(rule)"]
      case "pattern":
        guard let text = value as? String, let pattern = rule as? String else { return [] }
        return text.range(of: pattern, options: .regularExpression) != nil ? [] : ["\(place) is not like \(pattern)"]
      case "required":
        guard let object = value as? [String: Any] else { return [] }
        return (rule as? [String] ?? ["?"]).filter { object[$0] == nil }.map { "\(place) lacks \($0)" }
      case "properties":
        guard let object = value as? [String: Any], let properties = rule as? [String: [String: Any]] else { return [] }
        return properties.flatMap { name, schema in
          object[name].map { faults($0, schema, at: "\(place).\(name)") } ?? []
        }
      case "additionalProperties":
        guard let object = value as? [String: Any], let known = schema["properties"] as? [String: Any] else {
          return []
        }
        return object.keys.filter { known[$0] == nil }.map { "\(place) has \($0)" }
      case "items":
        guard let items = value as? [Any], let schema = rule as? [String: Any] else { return [] }
        return items.enumerated().flatMap { faults($0.element, schema, at: "\(place)[\($0.offset)]") }
      case "oneOf":
        let fits = (rule as? [[String: Any]] ?? []).filter { faults(value, $0, at: place).isEmpty }
        return fits.count == 1 ? [] : ["\(place) fits \(fits.count) of the schemas of oneOf"]
      default: return ["\(keyword) is not known here"]
      }
    }
  }

  private static func isOfType(_ value: Any, _ type: Any) -> Bool {
    switch type as? String {
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "string": value is String
    case "number": value is NSNumber
    case "integer": (value as? NSNumber).map { $0.doubleValue == $0.doubleValue.rounded() } ?? false
    default: false
    }
  }

  private static func isEqual(_ value: Any, _ other: Any) -> Bool {
    if let value = value as? String { return value == other as? String }
    return (value as? NSNumber).map { $0 == other as? NSNumber } ?? false
  }
}
