import Checkpoints
import Foundation
import Tensors

/// One golden file: what the oracle found, whole or at sampled positions.
public final class Golden: Sendable {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) { self.description = description }
  }

  /// How far a tensor is from the golden one.
  public struct Deviation: CustomStringConvertible, Sendable {
    public let name: String
    /// Root mean square of the difference over the root mean square of the golden tensor.
    public let relativeError: Double
    public let largest: Double
    /// First values, ours and the oracle's.
    let sample: [(Float, Float)]

    public var description: String {
      let pairs = sample.map { "\($0.0)|\($0.1)" }.joined(separator: " ")
      return "\(name): relative RMS error \(relativeError), largest \(largest); ours|oracle \(pairs)"
    }
  }

  public let cases: [JSONValue]
  /// Keys in the order in which the oracle computed them.
  public let order: [String]
  public let metadata: [String: String]
  private let checkpoint: Checkpoint
  private let facts: JSONValue

  /// The folder `Fixtures` of the package.
  public static let fixtures = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  public init(_ subject: String) throws {
    checkpoint = try Checkpoint(
      safetensors: Self.fixtures.appendingPathComponent("goldens/\(subject).safetensors").path)
    metadata = checkpoint.metadata
    guard metadata["format_version"] == "1", metadata["generator"] == "fnv1a64-splitmix64/1" else {
      throw Failure(
        description: "\(subject): format '\(metadata["format_version"] ?? "none")', generator"
          + " '\(metadata["generator"] ?? "none")'. HINT: run scripts/make_goldens.py and update GoldenSupport"
      )
    }
    facts = try JSONValue(parsing: metadata["tensors"] ?? "{}")
    cases = try JSONValue(parsing: metadata["cases"] ?? "[]").arrayValue ?? []
    order = try JSONValue(parsing: metadata["order"] ?? "[]").arrayValue?.compactMap(\.stringValue) ?? []
  }

  /// A JSON document in the metadata.
  public func json(_ key: String) throws -> JSONValue { try JSONValue(parsing: metadata[key] ?? "null") }

  public func shape(_ key: String) -> [Int]? {
    facts[key]?["shape"]?.arrayValue?.compactMap(\.intValue)
  }

  public func tensor(_ key: String) throws -> Tensor { try checkpoint.tensor(key) }

  /// Flat positions of the values that the file holds of a tensor: all of them, or those that were sampled.
  /// - Throws: `Failure` if there is no such tensor.
  public func positions(_ key: String) throws -> [Int] {
    guard let shape = shape(key) else { throw Failure(description: "\(key): not in the golden file") }
    let size = shape.reduce(1, *)
    guard let count = facts[key]?["sampled"]?.intValue else { return Array(0..<size) }
    return CounterGenerator.positions(key, size: size, count: count)
  }

  /// Compares a tensor with the golden one of the same key.
  /// - Throws: `Failure` if there is none or the shapes differ.
  public func deviation(_ key: String, _ tensor: Tensor) throws -> Deviation {
    guard let shape = shape(key) else { throw Failure(description: "\(key): not in the golden file") }
    guard shape == tensor.shape else {
      throw Failure(description: "\(key): shape \(tensor.shape), oracle \(shape)")
    }
    let golden = try checkpoint.tensor(key)
    let positions = try positions(key)
    let norm = facts[key]?["norm"]?.doubleValue ?? .nan
    let scale = norm / Double(max(1, tensor.count)).squareRoot()
    var squares = 0.0
    var largest = 0.0
    for (index, position) in positions.enumerated() {
      let difference = abs(Double(tensor.data[position]) - Double(golden.data[index]))
      // A NaN must not slip through a comparison.
      largest = difference.isNaN ? .infinity : max(largest, difference)
      squares += difference.isNaN ? .infinity : difference * difference
    }
    let rms = (squares / Double(max(1, positions.count))).squareRoot()
    return Deviation(
      name: key, relativeError: scale > 0 ? rms / scale : rms, largest: largest,
      sample: positions.prefix(4).enumerated().map { (tensor.data[$0.element], golden.data[$0.offset]) })
  }
}
