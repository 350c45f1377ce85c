import Glibc
import Tensors

/// How one operation is carried out.
public struct OperationPrecision: Hashable, Codable, Sendable {
  /// What weights, biases and results are rounded to.
  public var storage: NumberFormat
  /// What sums run in, where the operation has any.
  public var compute: NumberFormat

  public init(storage: NumberFormat, compute: NumberFormat = .fp32) {
    self.storage = storage
    self.compute = compute
  }

  /// Whether a pointwise operation that comes next is carried out before the result is stored, as devices do where both are
  /// in the same format.
  public func isFused(with next: NumberFormat?) -> Bool { storage.isNarrow && storage == next }

  public static let full = OperationPrecision(storage: .fp32)

  /// Whether nothing is rounded.
  public var isFull: Bool { self == .full }
}

/// Which operations of a network a device carries out in which format.
///
/// A policy is a preset and rules that change it; of several rules that fit an operation the last one counts. An operation
/// reads its operands as they were stored, and its result is rounded once, when it is stored (docs/precision.md).
public struct PrecisionPolicy: Hashable, Sendable {
  public enum Preset: String, Codable, CaseIterable, Sendable {
    /// Nothing is rounded.
    case fp32
    /// The published selection: convolutions, linear layers, activations and layer scales in half precision; norms, softmax,
    /// attention products and sums in single precision.
    case mixed
    /// Everything in half precision, sums among them: a warning of what that does.
    case half
    /// The selection of `mixed` in bfloat16.
    case bf16

    func precision(of operation: OperationClass) -> OperationPrecision {
      switch self {
      case .fp32: .full
      case .half: OperationPrecision(storage: .fp16, compute: .fp16)
      case .mixed: Self.selection.contains(operation) ? operation.narrowed(to: .fp16) : .full
      case .bf16: Self.selection.contains(operation) ? operation.narrowed(to: .bf16) : .full
      }
    }

    private static let selection: Set<OperationClass> = [
      .convolution, .transposedConvolution, .linear, .activation, .layerScale,
    ]
  }

  /// A change for some operations.
  public struct Rule: Hashable, Sendable {
    /// The class that it is about; nil for every class.
    public var operation: OperationClass?
    /// Modules that it is about, by the names of PyTorch; `*` stands for anything, dots among it. Nil for every module.
    public var modules: String?
    /// What changes; nil leaves it as it is.
    public var storage: NumberFormat?
    public var compute: NumberFormat?

    public init(
      _ operation: OperationClass? = nil, modules: String? = nil, storage: NumberFormat? = nil,
      compute: NumberFormat? = nil
    ) {
      self.operation = operation
      self.modules = modules
      self.storage = storage
      self.compute = compute
    }

    func fits(_ operation: OperationClass, _ module: String) -> Bool {
      if let own = self.operation, own != operation { return false }
      guard let modules else { return true }
      return fnmatch(modules, module, 0) == 0
    }
  }

  public var preset: Preset
  public var rules: [Rule]

  public init(_ preset: Preset, rules: [Rule] = []) {
    self.preset = preset
    self.rules = rules
  }

  /// The policy in a few words: `mixed`, or `mixed with rules`.
  public var summary: String { preset.rawValue + (rules.isEmpty ? "" : " with rules") }

  /// How the policy wants one operation.
  /// - Parameter module: the PyTorch module that it belongs to.
  public func precision(of operation: OperationClass, module: String) -> OperationPrecision {
    var result = preset.precision(of: operation)
    for rule in rules where rule.fits(operation, module) {
      if let storage = rule.storage { result.storage = storage }
      if let compute = rule.compute { result.compute = compute }
    }
    if !operation.hasSums { result.compute = .fp32 }
    return result
  }
}
