import Foundation
import Tensors

/// Collects intermediate tensors under the names of the PyTorch modules that produce them.
///
/// Layers hand over tiles as they compute them; the recorder assembles each tensor in the shape that a forward hook on
/// the module would see. A module that returns a tuple gives its first element under its own name and the
/// second under the name with `#1` appended.
public final class TapRecorder: @unchecked Sendable {
  private let lock = NSLock()
  private let keeps: (String) -> Bool
  private let watchedFormat: NumberFormat?
  private var tensors: [String: Tensor] = [:]
  private var facts: [String: TapStatistics] = [:]
  /// Names in the order in which their first tile came.
  public private(set) var names: [String] = []

  /// - Parameters:
  ///   - keeping: which tensors to keep, by name.
  ///   - watching: format by which every value is judged; nil judges none.
  public init(keeping: @escaping (String) -> Bool = { _ in true }, watching: NumberFormat? = nil) {
    keeps = keeping
    watchedFormat = watching
  }

  /// What was seen of each tensor, in the order of `names`; empty without a format to judge by.
  public var statistics: [(name: String, values: TapStatistics)] {
    lock.withLock { names.compactMap { name in facts[name].map { (name, $0) } } }
  }

  /// The first tensor that held an infinity or a NaN.
  public var firstNotFinite: String? { statistics.first { $0.values.notFinite > 0 }?.name }

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
    watch(target.name) { statistics in
      for c in 0..<channels {
        statistics.add(tile + c * stride, count: columns, scale: scale?[c] ?? 1, shift: shift?[c] ?? 0)
      }
    }
    guard keeps(target.name) else { return }
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
    watch(name) { statistics in
      for t in 0..<tokens {
        for i in 0..<width { statistics.add(tile[t * stride + i] * (scale?[i] ?? 1) + (shift?[i] ?? 0)) }
      }
    }
    guard keeps(name) else { return }
    let out = tensor(.tokens(name, count: count, width: width)).data + first * width
    for t in 0..<tokens {
      for i in 0..<width {
        out[t * width + i] = tile[t * stride + i] * (scale?[i] ?? 1) + (shift?[i] ?? 0)
      }
    }
  }

  /// The tensor of a target, to be written by the caller and then handed to `record`.
  public func tensor(_ target: Target) -> Tensor {
    lock.lock()
    defer { lock.unlock() }
    if let known = tensors[target.name] { return known }
    let new = Tensor(shape: target.shape)
    tensors[target.name] = new
    note(target.name)
    return new
  }

  /// Stores a tensor of any shape.
  public func record(_ name: String, _ tensor: Tensor) {
    watch(name) { $0.add(tensor.data, count: tensor.count) }
    lock.lock()
    defer { lock.unlock() }
    note(name)
    tensors[name] = keeps(name) ? tensor : nil
  }

  private func note(_ name: String) {
    if !names.contains(name) { names.append(name) }
  }

  private func watch(_ name: String, _ count: (inout TapStatistics) -> Void) {
    guard let watchedFormat else { return }
    var part = TapStatistics(format: watchedFormat)
    count(&part)
    lock.lock()
    defer { lock.unlock() }
    if facts[name] == nil { note(name) }
    facts[name, default: TapStatistics(format: watchedFormat)].add(part)
  }
}
