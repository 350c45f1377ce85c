import Checkpoints
import Layers
import Tensors

/// Hands tensors to the layers that ask for them by name and shape, and says in which precision they are to work.
package struct Parameters {
  private let provide: (_ name: String, _ shape: [Int]) throws -> Tensor
  let plan: PrecisionPlan

  package init(
    plan: PrecisionPlan = PrecisionPlan(), _ provide: @escaping (_ name: String, _ shape: [Int]) throws -> Tensor
  ) {
    self.plan = plan
    self.provide = provide
  }

  func tensor(_ name: String, _ shape: [Int]) throws -> Tensor { try provide(name, shape) }

  /// What the results of an operation without weights are stored in.
  func storage(_ operation: OperationClass, _ module: String) -> NumberFormat {
    plan.precision(operation, module).storage
  }

  /// - Parameter next: what a pointwise operation that comes directly after stores; here and below.
  func convolution(
    _ name: String, inputs: Int, outputs: Int, rowKernel: Int? = nil, columnKernel: Int = 1, rowStride: Int = 1,
    rowPadding: Int = 0, columnPadding: Int = 0, columnDilation: Int = 1, next: NumberFormat? = nil
  ) throws -> Convolution {
    let kernel = rowKernel.map { [$0, columnKernel] } ?? [columnKernel]
    let depth = kernel.reduce(inputs, *)
    return Convolution(
      weight: try tensor(name + ".weight", [outputs, inputs] + kernel), bias: try tensor(name + ".bias", [outputs]),
      rowStride: rowStride, rowPadding: rowPadding, columnPadding: columnPadding, columnDilation: columnDilation,
      precision: plan.precision(.convolution, name, parameters: outputs * (depth + 1), depth: depth), next: next)
  }

  func stridedConvolution(
    _ name: String, inputs: Int, outputs: Int, kernel: Int, stride: Int, padding: Int, next: NumberFormat? = nil
  ) throws -> StridedConvolution {
    StridedConvolution(
      weight: try tensor(name + ".weight", [outputs, inputs, kernel]), bias: try tensor(name + ".bias", [outputs]),
      stride: stride, padding: padding,
      precision: plan.precision(
        .convolution, name, parameters: outputs * (inputs * kernel + 1), depth: inputs * kernel), next: next)
  }

  /// - Parameter isImage: whether the kernel runs along the rows of a Conv2d.
  func transposedConvolution(
    _ name: String, inputs: Int, outputs: Int, kernel: Int, stride: Int, isImage: Bool, next: NumberFormat? = nil
  ) throws -> TransposedConvolution {
    TransposedConvolution(
      weight: try tensor(name + ".weight", [inputs, outputs, kernel] + (isImage ? [1] : [])),
      bias: try tensor(name + ".bias", [outputs]), stride: stride,
      precision: plan.precision(
        .transposedConvolution, name, parameters: outputs * (inputs * kernel + 1), depth: inputs * kernel / stride),
      next: next)
  }

  func groupNorm(_ name: String, groups: Int, channels: Int) throws -> GroupNorm {
    guard channels % groups == 0 else {
      throw ConfigurationError.inconsistent("\(groups) norm groups do not divide the \(channels) channels of \(name)")
    }
    return GroupNorm(
      groups: groups, weight: try tensor(name + ".weight", [channels]), bias: try tensor(name + ".bias", [channels]),
      precision: plan.precision(.norm, name, parameters: 2 * channels))
  }

  /// A linear layer under its own name, or as a part of a module with names of its own.
  /// - Parameter parameterNames: of weight and bias, if they are not `NAME.weight` and `NAME.bias`.
  func linear(
    _ name: String, inputs: Int, outputs: Int, parameterNames: (weight: String, bias: String)? = nil,
    next: NumberFormat? = nil
  ) throws -> Linear {
    let names = parameterNames ?? (name + ".weight", name + ".bias")
    return Linear(
      weight: try tensor(names.weight, [outputs, inputs]), bias: try tensor(names.bias, [outputs]),
      precision: plan.precision(.linear, name, parameters: outputs * (inputs + 1), depth: inputs), next: next)
  }

  /// A scale for each channel or feature, and what its results are stored in.
  func layerScale(_ name: String, _ channels: Int) throws -> (scale: Tensor, storage: NumberFormat) {
    let storage = plan.precision(.layerScale, name, parameters: channels).storage
    return (storage.rounded(try tensor(name + ".scale", [channels])), storage)
  }

  func attention(_ name: String, depth: Int) -> AttentionPrecision {
    AttentionPrecision(
      product: plan.precision(.attentionProduct, name, depth: depth), softmax: plan.precision(.softmax, name))
  }
}
