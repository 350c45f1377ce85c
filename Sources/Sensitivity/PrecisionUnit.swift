import Layers
import Tensors

/// Operations of a network whose precision is looked at together.
public struct PrecisionUnit: Hashable, Sendable {
  /// A part of a network.
  enum Scope: Hashable, Sendable {
    case network
    /// A layer and all that is inside it.
    case layer(String)
    /// A module, without what is inside it.
    case module(String)

    var name: String? {
      switch self {
      case .network: nil
      case .layer(let name), .module(let name): name
      }
    }

    func contains(_ module: String) -> Bool {
      switch self {
      case .network: true
      case .layer(let name): PrecisionUnit.layer(of: module) == name
      case .module(let name): module == name
      }
    }
  }

  /// The class; nil for all classes.
  public let operation: OperationClass?
  let scope: Scope
  /// Patterns that fit exactly the modules of the scope; none for the whole network.
  let patterns: [String]

  public var name: String {
    switch (operation, scope.name) {
    case (let operation?, let place?): "\(operation.rawValue)@\(place)"
    case (let operation?, nil): operation.rawValue
    case (nil, let place?): place
    case (nil, nil): "everything"
    }
  }

  init(_ operation: OperationClass?, _ scope: Scope, _ operations: [PrecisionPlan.Operation]) {
    self.operation = operation
    self.scope = scope
    switch scope {
    case .network: patterns = []
    case .module(let name): patterns = [name]
    case .layer(let name):
      let own = operations.filter {
        (operation == nil || $0.operation == operation) && scope.contains($0.module)
      }
      patterns =
        (own.contains { $0.module == name } ? [name] : [])
        + (own.contains { $0.module != name } ? [name + ".*"] : [])
    }
  }

  /// The layer that a module is part of: `encoder.0`, `crosstransformer.layers_t.2`, `freq_emb`.
  static func layer(of module: String) -> String {
    let parts = module.split(separator: ".")
    let isTransformer = parts.first == "crosstransformer"
    // The transformer's norms at the entrance stand beside its layers.
    let depth = isTransformer ? (parts.count > 2 ? 3 : parts.count) : 2
    return parts.prefix(depth).joined(separator: ".")
  }

  static func classes(_ operations: [PrecisionPlan.Operation]) -> [PrecisionUnit] {
    OperationClass.allCases.filter { kind in operations.contains { $0.operation == kind } }
      .map { PrecisionUnit($0, .network, operations) }
  }

  /// Layers, in the order in which the network was built.
  static func layers(_ operations: [PrecisionPlan.Operation]) -> [PrecisionUnit] {
    unique(operations.map { layer(of: $0.module) }).map { PrecisionUnit(nil, .layer($0), operations) }
  }

  /// Modules that have operations of their own, in the same order.
  static func modules(_ operations: [PrecisionPlan.Operation]) -> [PrecisionUnit] {
    unique(operations.map(\.module)).map { PrecisionUnit(nil, .module($0), operations) }
  }

  /// Each class in each layer.
  package static func parts(_ operations: [PrecisionPlan.Operation]) -> [PrecisionUnit] {
    layers(operations).flatMap { layer in
      OperationClass.allCases.filter { kind in operations.contains { $0.operation == kind && layer.contains($0) } }
        .map { PrecisionUnit($0, layer.scope, operations) }
    }
  }

  private static func unique(_ names: [String]) -> [String] {
    var seen = Set<String>()
    return names.filter { seen.insert($0).inserted }
  }

  func contains(_ entry: PrecisionPlan.Operation) -> Bool {
    (operation == nil || entry.operation == operation) && scope.contains(entry.module)
  }

  /// Rules that put the unit into a precision.
  func rules(_ precision: OperationPrecision) -> [PrecisionPolicy.Rule] {
    (scope == .network ? [nil] : patterns.map(Optional.some)).map {
      PrecisionPolicy.Rule(operation, modules: $0, storage: precision.storage, compute: precision.compute)
    }
  }

  /// Rules that put it into float32.
  var full: [PrecisionPolicy.Rule] { rules(.full) }

  /// Rules that put what a policy rounds of it, and only that, into the policy's precision.
  func rules(as operations: [PrecisionPlan.Operation]) -> [PrecisionPolicy.Rule] {
    var kinds: [OperationClass: OperationPrecision] = [:]
    for entry in operations where contains(entry) && !entry.precision.isFull {
      kinds[entry.operation] = entry.precision
    }
    return kinds.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { kind, precision in
      PrecisionUnit(kind, scope, operations).rules(precision)
    }
  }
}

extension PrecisionUnit {
  /// The unit in the words of `--fp32-ops`.
  var words: [String] {
    guard scope != .network else { return [name] }
    return patterns.map { pattern in (operation.map { $0.rawValue + "@" } ?? "") + pattern }
  }

  /// Whether the plan rounds any of it.
  func isRounded(_ operations: [PrecisionPlan.Operation]) -> Bool {
    operations.contains { contains($0) && !$0.precision.isFull }
  }

  /// Classes in layers, in the words of `--fp32-ops`; a layer of which all that is rounded is among them is named once.
  package static func words(_ members: [PrecisionUnit], _ operations: [PrecisionPlan.Operation]) -> [String] {
    layers(operations).flatMap { layer -> [String] in
      let own = members.filter { $0.scope == layer.scope }
      let all = parts(operations).filter { $0.scope == layer.scope && $0.isRounded(operations) }
      // A name such as `output` alone would be taken for a class.
      let isNameable = layer.words.allSatisfy { (try? PrecisionPolicy.rules($0, in: .fp32)) != nil }
      return !own.isEmpty && own.count == all.count && isNameable ? layer.words : own.flatMap(\.words)
    }
  }
}
