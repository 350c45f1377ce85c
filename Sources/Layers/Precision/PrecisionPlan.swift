import Foundation
import Tensors

/// What a policy means for the operations of one network.
///
/// The network asks for each operation once, while it is built; the plan answers and keeps the list.
public final class PrecisionPlan: @unchecked Sendable {
  /// One operation of a network.
  public struct Operation: Hashable, Sendable {
    public let operation: OperationClass
    /// The PyTorch module that carries it out.
    public let module: String
    public let precision: OperationPrecision
    /// Weights and biases.
    public let parameters: Int
    /// Products that are added up for one value of the result, 0 where there are none.
    public let depth: Int
  }

  public let policy: PrecisionPolicy
  private let lock = NSLock()
  private var list: [Operation] = []

  public init(_ policy: PrecisionPolicy = PrecisionPolicy(.fp32)) { self.policy = policy }

  /// The operations in the order in which the network was built.
  public var operations: [Operation] { lock.withLock { list } }

  /// How an operation is to be carried out.
  /// - Parameters:
  ///   - parameters: its weights and biases.
  ///   - depth: products that are added up for one value of its result.
  public func precision(
    _ operation: OperationClass, _ module: String, parameters: Int = 0, depth: Int = 0
  ) -> OperationPrecision {
    let precision = policy.precision(of: operation, module: module)
    lock.withLock {
      list.append(
        Operation(operation: operation, module: module, precision: precision, parameters: parameters, depth: depth))
    }
    return precision
  }

  /// - Throws: `PolicyError` for a pattern that fits no module: it was misspelt, or meant for another network.
  public func check() throws {
    let operations = operations
    for pattern in Set(policy.rules.compactMap(\.modules)).sorted() {
      let rules = policy.rules.filter { $0.modules == pattern }
      let isUsed = operations.contains { entry in rules.contains { $0.fits(entry.operation, entry.module) } }
      guard !isUsed else { continue }
      let roots = operations.map { String($0.module.prefix { $0 != "." }) }
      let known = roots.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
      let only = rules.count == 1 ? rules[0].operation : nil
      throw PolicyError.unused(
        rule: (only.map { $0.rawValue + "@" } ?? "") + pattern,
        modules: known.joined(separator: ", "))
    }
  }
}
