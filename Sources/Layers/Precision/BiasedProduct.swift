import CKernels
import Tensors

/// A convolution or a linear layer: a product whose bias is added along with what follows, while the numbers are at hand.
///
/// Where results are stored in less than float, they are rounded with their bias before anything else is done to them.
protocol BiasedProduct {
  var bias: Tensor { get }
  /// As many zeros as the bias has numbers.
  var noBias: Tensor { get }
  /// What results are rounded to: float if an operation that comes next does that.
  var resultStorage: NumberFormat { get }
}

extension BiasedProduct {
  var biasToAdd: UnsafePointer<Float> {
    UnsafePointer(resultStorage.isNarrow ? noBias.data : bias.data)
  }

  /// Stores fresh results as the precision has it, in `sets` sets of one line a channel.
  @inline(__always)
  func store(_ result: UnsafeMutablePointer<Float>, stride: Int, columns: Int, sets: Int = 1) {
    guard resultStorage.isNarrow else { return }
    let channels = bias.count
    for index in 0..<sets {
      let part = result + index * channels * stride
      kernel_affine(part, stride, part, stride, channels, columns, nil, bias.data, kernel_identity, nil, 0)
    }
    resultStorage.round(result, stride: stride, lines: sets * channels, columns: columns)
  }
}

extension Convolution: BiasedProduct {
  /// What is still to be added to results of `apply`, `[out]`: the bias, or zeros where they were stored with it.
  public var remainingBias: UnsafePointer<Float> { biasToAdd }
}

extension StridedConvolution: BiasedProduct {
  /// What is still to be added to results of `apply`, `[out]`: the bias, or zeros where they were stored with it.
  public var remainingBias: UnsafePointer<Float> { biasToAdd }
}

extension TransposedConvolution: BiasedProduct {
  /// What is still to be added to results, `[out]`: the bias, or zeros where they were stored with it.
  public var remainingBias: UnsafePointer<Float> { biasToAdd }
}

extension Linear: BiasedProduct {
  /// What is still to be added to results of `apply`, `[out]`: the bias, or zeros where they were stored with it.
  public var remainingBias: UnsafePointer<Float> { biasToAdd }
}
