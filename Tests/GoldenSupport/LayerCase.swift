import Checkpoints
import Tensors

/// One case of the golden file `layers`: a layer alone, with generated inputs and weights.
public struct LayerCase: Sendable {
  public let name: String
  private let fact: JSONValue
  private let golden: Golden

  /// Names of the cases of a family, such as `conv1d`: what stands before the slash.
  public static func names(_ family: String) -> [String] {
    all.filter { $0.hasPrefix(family + "/") }
  }

  /// Names of all cases; empty if there is no golden file, which every test that asks for a case reports.
  public static let all: [String] = (try? shared().cases.compactMap { $0["name"]?.stringValue }) ?? []

  private static let file = Result { try Golden("layers") }

  private static func shared() throws -> Golden { try file.get() }

  public init(_ name: String) throws {
    self.name = name
    golden = try Self.shared()
    guard let fact = golden.cases.first(where: { $0["name"]?.stringValue == name }) else {
      throw Golden.Failure(description: "\(name): no such case")
    }
    self.fact = fact
  }

  /// A value that describes the case, or a parameter of the layer.
  public subscript(key: String) -> JSONValue? { fact["parameters"]?[key] ?? fact[key] }

  public func integer(_ key: String) throws -> Int {
    guard let value = self[key]?.intValue else {
      throw Golden.Failure(description: "\(name): no number '\(key)'")
    }
    return value
  }

  /// Whether a parameter of the layer is set; `missing` where the case does not say.
  public func flag(_ key: String, _ missing: Bool) -> Bool { self[key]?.boolValue ?? missing }

  /// The generated input of that name, batch first.
  public func input(_ key: String = "input") throws -> Tensor {
    guard let shape = fact["inputs"]?[key]?.arrayValue?.compactMap(\.intValue) else {
      throw Golden.Failure(description: "\(name): no input '\(key)'")
    }
    return CounterGenerator.tensor(
      "\(name).\(key)", shape, scale: Float(fact["input_scale"]?.doubleValue ?? 1),
      offset: Float(fact["input_offset"]?.doubleValue ?? 0))
  }

  /// The generated parameter of that name.
  /// - Throws: `Golden.Failure` if the layer has none of the name, or none of the shape asked for.
  public func weight(_ suffix: String, _ expected: [Int]? = nil) throws -> Tensor {
    let key = suffix.hasPrefix(name) ? suffix : "\(name).\(suffix)"
    guard let shape = fact["weights"]?[key]?.arrayValue?.compactMap(\.intValue) else {
      throw Golden.Failure(description: "\(name): the oracle's layer has no parameter '\(suffix)'")
    }
    guard expected == nil || expected == shape else {
      throw Golden.Failure(description: "\(key): shape \(expected ?? []), oracle \(shape)")
    }
    return CounterGenerator.parameter(key, shape)
  }

  /// Number of parameters of the oracle's layer.
  public var weightCount: Int { fact["weights"]?.objectValue?.count ?? 0 }

  /// The golden output; `#1` is the second one.
  public func deviation(_ output: Tensor, suffix: String = "") throws -> Golden.Deviation {
    try golden.deviation(name + suffix, output)
  }

  /// A tensor that the file keeps whole.
  public func tensor(_ key: String) throws -> Tensor { try golden.tensor(key) }
}

extension Tensor {
  /// One item of the first axis, as a tensor without it.
  public func item(_ index: Int) -> Tensor {
    let size = shape.dropFirst().reduce(1, *)
    return Tensor(
      shape: Array(shape.dropFirst()), values: UnsafeBufferPointer(start: data + index * size, count: size))
  }

  /// Tensors of one shape put together along a new first axis.
  public convenience init(items: [Tensor]) {
    self.init(shape: [items.count] + (items.first?.shape ?? []), values: items.flatMap(\.values))
  }
}
