import CKernels
import Tensors

/// A norm over a sequence of tokens `[tokens, width]`.
public enum TokenNorm: @unchecked Sendable {
  /// `torch.nn.Identity`.
  case identity
  /// `torch.nn.LayerNorm(width)`: over the features of each token.
  case layer(weight: Tensor, bias: Tensor, epsilon: Float, precision: OperationPrecision = .full)
  /// `torch.nn.GroupNorm` with features as channels: over all tokens and the features of a group.
  case group(GroupNorm)

  /// The norm of one sequence, ready to be applied to any part of it.
  public enum Prepared {
    case identity
    case layer(
      weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, epsilon: Float, precision: OperationPrecision)
    case affine(scale: UnsafePointer<Float>, shift: UnsafePointer<Float>, storage: NumberFormat)

    /// out = norm(x) for `tokens` consecutive rows; `out` may be `x`.
    public func apply(
      _ x: UnsafePointer<Float>, tokens: Int, width: Int, into out: UnsafeMutablePointer<Float>
    ) {
      switch self {
      case .layer(let weight, let bias, let epsilon, let precision):
        if precision.compute.isNarrow {
          narrowLayerNorm(x, tokens, width, weight, bias, epsilon, into: out, precision.compute)
        } else {
          kernel_layer_norm(out, x, tokens, width, weight, bias, epsilon)
        }
        precision.storage.round(out, count: tokens * width)
      case .identity:
        if UnsafePointer(out) != x { out.update(from: x, count: tokens * width) }
      case .affine(let scale, let shift, let storage):
        if UnsafePointer(out) != x { out.update(from: x, count: tokens * width) }
        kernel_token_affine(out, tokens, width, width, scale, shift, kernel_identity)
        storage.round(out, count: tokens * width)
      }
    }
  }

  /// Gathers what the norm needs to know of the whole sequence.
  /// - Parameters:
  ///   - x: `[tokens, width]`.
  ///   - arena: where scales and shifts live for as long as the result is used.
  public func prepare(
    _ x: UnsafePointer<Float>, tokens: Int, width: Int, workspace: Workspace
  ) -> Prepared {
    switch self {
    case .identity: return .identity
    case .layer(let weight, let bias, let epsilon, let precision):
      return .layer(weight: weight.data, bias: bias.data, epsilon: epsilon, precision: precision)
    case .group(let norm):
      let scale = workspace.arena.allocate(width)
      let shift = workspace.arena.allocate(width)
      let tiles = Tile.tiles(rows: 1, columns: tokens, channels: width)
      var parts = [Double](repeating: 0, count: tiles.count * norm.groups * 2)
      let size = width / norm.groups
      parts.withUnsafeMutableBufferPointer { buffer in
        nonisolated(unsafe) let base = buffer.baseAddress!
        workspace.forEach(tiles) { index, tile, _ in
          for group in 0..<norm.groups {
            kernel_moments(
              x + tile.start * width + group * size, tile.count, size, width, nil,
              base + 2 * (index * norm.groups + group))
          }
        }
      }
      let sums = sumOfParts(parts, length: 2 * norm.groups)
      norm.affine(sums: sums, positions: tokens, added: nil, scale: scale, shift: shift)
      return .affine(scale: scale, shift: shift, storage: norm.precision.storage)
    }
  }
}

/// A layer norm whose every step is rounded.
private func narrowLayerNorm(
  _ x: UnsafePointer<Float>, _ tokens: Int, _ width: Int, _ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
  _ epsilon: Float, into out: UnsafeMutablePointer<Float>, _ format: NumberFormat
) {
  for token in 0..<tokens {
    let (row, target) = (x + token * width, out + token * width)
    var sums = [0.0, 0.0]
    kernel_moments(row, 1, width, width, nil, &sums)
    let statistics = NarrowStatistics(
      sum: sums[0], squares: sums[1], count: Double(width), epsilon: epsilon, format: format)
    for i in 0..<width { target[i] = (row[i] - statistics.mean) * statistics.gain }
    format.round(target, count: width)
    for i in 0..<width { target[i] = target[i] * weight[i] + bias[i] }
  }
}

/// Adds up consecutive vectors of `length` numbers, in order.
public func sumOfParts(_ parts: [Double], length: Int) -> [Double] {
  var sums = [Double](repeating: 0, count: length)
  for (index, part) in parts.enumerated() { sums[index % length] += part }
  return sums
}
