import Layers
import Tensors

extension FeatureMap {
  /// Copies `[channels, rows, columns]` (an image) or `[channels, columns]` (a line of time).
  /// - Parameter margin: columns of zeros that a kernel may read beyond either end.
  public init(_ tensor: Tensor, in arena: Arena, margin: Int = 16) {
    let isImage = tensor.shape.count == 3
    let columns = tensor.shape[tensor.shape.count - 1]
    self.init(
      in: arena, rows: isImage ? tensor.shape[1] : 1, channels: tensor.shape[0], columns: columns,
      margin: margin)
    for channel in 0..<channels {
      for row in 0..<rows {
        line(row: row, channel: channel).update(
          from: tensor.data + (channel * rows + row) * columns, count: columns)
      }
    }
  }

  /// A copy as `[channels, rows, columns]`.
  public var image: Tensor {
    let result = Tensor(shape: [channels, rows, columns])
    for channel in 0..<channels {
      for row in 0..<rows {
        (result.data + (channel * rows + row) * columns).update(
          from: line(row: row, channel: channel), count: columns)
      }
    }
    return result
  }

  /// A copy of a map of one row as `[channels, columns]`.
  public var wave: Tensor {
    precondition(rows == 1)
    return Tensor(shape: [channels, columns], values: image.values)
  }

  /// Whether every line is followed by zeros as far as the next begins: what convolutions rely on.
  public var hasCleanMargins: Bool {
    (0..<rows * channels).allSatisfy { index in
      (columns..<stride).allSatisfy { data[index * stride + $0] == 0 }
    }
  }
}
