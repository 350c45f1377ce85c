import Foundation
import Tensors

/// Collects intermediate tensors under the names of the PyTorch modules that produce them.
///
/// Layers hand over tiles as they compute them; the recorder assembles each tensor in the shape that a forward hook on
/// the module would see. A module that returns a tuple gives its first element under its own name and the
/// second under the name with `#1` appended.
public final class TapRecorder: @unchecked Sendable {
  private let lock = NSLock()
  private var tensors: [String: Tensor] = [:]
  /// Names in the order in which their first tile came.
  public private(set) var names: [String] = []

  public init() {}

  public subscript(name: String) -> Tensor? {
    lock.lock()
    defer { lock.unlock() }
    return tensors[name]
  }

  /// Where one tap lies in its tensor, as strides of the row, the channel and the column.
  public struct Target {
    let name: String
    let shape: [Int]
    let rowStride: Int
    let channelStride: Int
    let columnStride: Int

    /// `[1, channels, rows, columns]`: a Conv2d and what surrounds it.
    public static func image(_ name: String, rows: Int, channels: Int, columns: Int) -> Target {
      Target(
        name: name, shape: [1, channels, rows, columns], rowStride: columns, channelStride: rows * columns,
        columnStride: 1)
    }

    /// `[rows, channels, columns]`: rows as the batch of a Conv1d; one row is a plain Conv1d.
    public static func batch(_ name: String, rows: Int, channels: Int, columns: Int) -> Target {
      Target(
        name: name, shape: [rows, channels, columns], rowStride: channels * columns, channelStride: columns,
        columnStride: 1)
    }

    /// `[1, channels, rows x columns]`: an image flattened for a Conv1d.
    public static func flattened(_ name: String, rows: Int, channels: Int, columns: Int) -> Target {
      Target(
        name: name, shape: [1, channels, rows * columns], rowStride: columns, channelStride: rows * columns,
        columnStride: 1)
    }

    /// `[1, tokens, width]`: a sequence; here tokens are channels and features columns.
    public static func tokens(_ name: String, count: Int, width: Int) -> Target {
      Target(name: name, shape: [1, count, width], rowStride: 0, channelStride: width, columnStride: 1)
    }
  }

  /// Stores a tile: `channels` lines of `columns` values, `stride` apart, times `scale` plus `shift` per channel.
  public func record(
    _ target: Target, row: Int = 0, channel: Int = 0, column: Int = 0, _ tile: UnsafePointer<Float>,
    stride: Int, channels: Int, columns: Int, scale: UnsafePointer<Float>? = nil,
    shift: UnsafePointer<Float>? = nil
  ) {
    let out = tensor(target).data + row * target.rowStride + column * target.columnStride
    for c in 0..<channels {
      let line = out + (channel + c) * target.channelStride
      let a = scale?[c] ?? 1
      let b = shift?[c] ?? 0
      for i in 0..<columns { line[i * target.columnStride] = tile[c * stride + i] * a + b }
    }
  }

  /// Stores a sequence tile: rows are tokens, `scale` and `shift` are per feature.
  public func recordTokens(
    _ name: String, count: Int, first: Int, _ tile: UnsafePointer<Float>, stride: Int, tokens: Int, width: Int,
    scale: UnsafePointer<Float>? = nil, shift: UnsafePointer<Float>? = nil
  ) {
    let out = tensor(.tokens(name, count: count, width: width)).data + first * width
    for t in 0..<tokens {
      for i in 0..<width {
        out[t * width + i] = tile[t * stride + i] * (scale?[i] ?? 1) + (shift?[i] ?? 0)
      }
    }
  }

  /// The tensor of a target, to be written by the caller.
  public func tensor(_ target: Target) -> Tensor {
    lock.lock()
    defer { lock.unlock() }
    if let known = tensors[target.name] { return known }
    let new = Tensor(shape: target.shape)
    tensors[target.name] = new
    names.append(target.name)
    return new
  }

  /// Stores a tensor of any shape.
  public func record(_ name: String, _ tensor: Tensor) {
    lock.lock()
    defer { lock.unlock() }
    if tensors.updateValue(tensor, forKey: name) == nil { names.append(name) }
  }
}
