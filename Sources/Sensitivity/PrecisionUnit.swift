import Layers
import Tensors

/// Operations of a network whose precision is looked at together.
public struct PrecisionUnit: Hashable, Sendable {
  /// The class; nil for all classes.
  public let operation: OperationClass?
  /// A module and all that is inside it; nil for the whole network.
  public let group: String?
  /// Patterns that fit exactly the modules of the group.
  let patterns: [String]

  public var name: String {
    switch (operation, group) {
    case (let operation?, let group?): "\(operation.rawValue)@\(group)"
    case (let operation?, nil): operation.rawValue
    case (nil, let group?): group
    case (nil, nil): "everything"
    }
  }

  init(_ operation: OperationClass?, _ group: String?, _ operations: [PrecisionPlan.Operation]) {
    self.operation = operation
    self.group = group
    guard let group else {
      patterns = []
      return
    }
    let own = operations.filter {
      (operation == nil || $0.operation == operation) && Self.group(of: $0.module) == group
    }
    patterns =
      (own.contains { $0.module == group } ? [group] : [])
      + (own.contains { $0.module != group } ? [group + ".*"] : [])
  }

  /// The layer that a module is part of: `encoder.0`, `crosstransformer.layers_t.2`, `freq_emb`.
  static func group(of module: String) -> String {
    let parts = module.split(separator: ".")
    let isTransformer = parts.first == "crosstransformer"
    // The transformer's norms at the entrance stand beside its layers.
    let depth = isTransformer ? (parts.count > 2 ? 3 : parts.count) : 2
    return parts.prefix(depth).joined(separator: ".")
  }

  static func classes(_ operations: [PrecisionPlan.Operation]) -> [PrecisionUnit] {
    OperationClass.allCases.filter { kind in operations.contains { $0.operation == kind } }
      .map { PrecisionUnit($0, nil, operations) }
  }

  /// Layers, in the order in which the network was built.
  static func groups(_ operations: [PrecisionPlan.Operation]) -> [PrecisionUnit] {
    groupNames(operations).map { PrecisionUnit(nil, $0, operations) }
  }

  /// Each class in each layer.
  static func parts(_ operations: [PrecisionPlan.Operation]) -> [PrecisionUnit] {
    groupNames(operations).flatMap { name in
      OperationClass.allCases.filter { kind in
        operations.contains { $0.operation == kind && group(of: $0.module) == name }
      }
      .map { PrecisionUnit($0, name, operations) }
    }
  }

  private static func groupNames(_ operations: [PrecisionPlan.Operation]) -> [String] {
    var seen = Set<String>()
    return operations.map { group(of: $0.module) }.filter { seen.insert($0).inserted }
  }

  func contains(_ entry: PrecisionPlan.Operation) -> Bool {
    (operation == nil || entry.operation == operation) && (group == nil || Self.group(of: entry.module) == group)
  }

  /// Rules that put the unit into a precision.
  func rules(_ precision: OperationPrecision) -> [PrecisionPolicy.Rule] {
    (group == nil ? [nil] : patterns.map(Optional.some)).map {
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
      PrecisionUnit(kind, group, operations).rules(precision)
    }
  }
}

extension PrecisionUnit {
  /// The unit in the words of `--fp32-ops`.
  var words: [String] {
    guard group != nil else { return [name] }
    return patterns.map { pattern in (operation.map { $0.rawValue + "@" } ?? "") + pattern }
  }
}
