import Checkpoints
import Layers
import Tensors

/// Hands tensors to the layers that ask for them by name and shape.
package struct Parameters {
  private let provide: (_ name: String, _ shape: [Int]) throws -> Tensor

  package init(_ provide: @escaping (_ name: String, _ shape: [Int]) throws -> Tensor) { self.provide = provide }

  func tensor(_ name: String, _ shape: [Int]) throws -> Tensor { try provide(name, shape) }

  func convolution(
    _ name: String, inputs: Int, outputs: Int, rowKernel: Int? = nil, columnKernel: Int = 1, rowStride: Int = 1,
    rowPadding: Int = 0, columnPadding: Int = 0, columnDilation: Int = 1
  ) throws -> Convolution {
    let kernel = rowKernel.map { [$0, columnKernel] } ?? [columnKernel]
    return Convolution(
      weight: try tensor(name + ".weight", [outputs, inputs] + kernel), bias: try tensor(name + ".bias", [outputs]),
      rowStride: rowStride, rowPadding: rowPadding, columnPadding: columnPadding, columnDilation: columnDilation)
  }

  func groupNorm(_ name: String, groups: Int, channels: Int) throws -> GroupNorm {
    guard channels % groups == 0 else {
      throw ConfigurationError.inconsistent("\(groups) norm groups do not divide the \(channels) channels of \(name)")
    }
    return GroupNorm(
      groups: groups, weight: try tensor(name + ".weight", [channels]), bias: try tensor(name + ".bias", [channels]))
  }

  func linear(_ name: String, inputs: Int, outputs: Int) throws -> Linear {
    Linear(
      weight: try tensor(name + ".weight", [outputs, inputs]), bias: try tensor(name + ".bias", [outputs]))
  }
}
