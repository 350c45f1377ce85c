import Tensors

/// The kinds of operations that a device may store, or compute, in formats of their own.
public enum OperationClass: String, Codable, CaseIterable, Sendable {
  /// Conv1d and Conv2d.
  case convolution
  /// ConvTranspose1d and ConvTranspose2d.
  case transposedConvolution = "transposed-convolution"
  /// Linear layers, projections of an attention among them.
  case linear
  /// GELU, ReLU and gated linear units.
  case activation
  /// The learned scale of a residual branch.
  case layerScale = "layer-scale"
  /// Group and layer norm: sums, mean, variance, square root, division, weight and bias.
  case norm
  /// Exponentials, their sum, and the division by it.
  case softmax
  /// Queries by keys, and weights by values.
  case attentionProduct = "attention.matmul"
  /// Sums with a residual, a skip connection or an embedding.
  case addition = "add"
  /// Tables of positions and frequencies.
  case embedding
  /// Recurrent layers: weights, gates, state.
  case recurrence = "lstm"
  /// Taking mean and deviation out of the input and putting them back.
  case standardisation
  /// The Fourier transforms at both ends.
  case stft

  /// Whether `compute` says what sums run in. The others only have a result, which is rounded when it is stored.
  public var hasSums: Bool { isProduct || self == .norm || self == .softmax }

  /// Whether the operation is a sum of products, as the matrix units of devices compute them.
  public var isProduct: Bool {
    switch self {
    case .convolution, .transposedConvolution, .linear, .attentionProduct: true
    default: false
    }
  }

  /// The operation in a narrow format, as devices have it: matrix units add up in fp32, norms and softmax have no such unit.
  public func narrowed(to format: NumberFormat) -> OperationPrecision {
    OperationPrecision(storage: format, compute: isProduct || !hasSums ? .fp32 : format)
  }

  /// All names, for messages.
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
