import CKernels
import Layers
import Tensors

/// What lets a residual branch remember: `demucs.demucs.BLSTM` with `layers=2, max_steps=200, skip=True`.
///
/// A line longer than `maximumSteps` is cut into frames that overlap by half. Each is a sequence of its own, and of its result
/// the middle half counts, which has seen the most on both sides; at the ends of the line the outer quarter too.
package struct BLSTM {
  let name: String
  private let channels: Int
  private let lstm: BidirectionalLSTM
  private let linear: Linear
  private let sumStorage: NumberFormat

  private static let maximumSteps = 200
  private static let layerCount = 2
  /// Floats of gates and the like that are in work at the same time: sequences beyond wait, so that memory is bounded.
  private static let floatsAtOnce = 1 << 24

  package init(_ parameters: Parameters, _ name: String, channels: Int) throws {
    self.name = name
    self.channels = channels
    func weights(_ layer: Int, _ suffix: String) throws -> BidirectionalLSTM.Weights {
      func tensor(_ kind: String, _ columns: Int?) throws -> Tensor {
        try parameters.tensor("\(name).lstm.\(kind)_l\(layer)\(suffix)", [4 * channels] + (columns.map { [$0] } ?? []))
      }
      return .init(
        input: try tensor("weight_ih", layer == 0 ? channels : 2 * channels),
        recurrent: try tensor("weight_hh", channels), inputBias: try tensor("bias_ih", nil),
        recurrentBias: try tensor("bias_hh", nil))
    }
    lstm = BidirectionalLSTM(
      layers: try (0..<Self.layerCount).map { (try weights($0, ""), try weights($0, "_reverse")) },
      precision: parameters.plan.precision(
        .recurrence, name + ".lstm", parameters: 2 * 4 * channels * (5 * channels + 4), depth: 5 * channels))
    sumStorage = parameters.storage(.addition, name)
    linear = try parameters.linear(name + ".linear", inputs: 2 * channels, outputs: channels)
  }

  /// One stretch of a row that the LSTM sees as a sequence of its own.
  private struct Frame {
    let row: Int
    /// Column of its first step, and how many of its steps lie on the line; zeros follow.
    let start: Int
    let filled: Int
    /// Columns of the line that are taken from it.
    let kept: Range<Int>
  }

  /// Steps of each frame, and the frames in PyTorch's order.
  private static func frames(rows: Int, columns: Int) -> (steps: Int, frames: [Frame]) {
    guard columns > maximumSteps else {
      return (columns, (0..<rows).map { Frame(row: $0, start: 0, filled: columns, kept: 0..<columns) })
    }
    let stride = maximumSteps / 2
    let margin = stride / 2
    let count = (columns + stride - 1) / stride
    let frames = (0..<rows).flatMap { row in
      (0..<count).map { index in
        let start = index * stride
        let from = index == 0 ? 0 : min(columns, start + margin)
        let to = index == count - 1 ? columns : min(columns, start + maximumSteps - margin)
        return Frame(row: row, start: start, filled: min(maximumSteps, columns - start), kept: from..<to)
      }
    }
    return (maximumSteps, frames)
  }

  /// Steps that a line of that many columns takes, those counted twice in which frames overlap.
  package static func steps(columns: Int) -> Int {
    let (steps, frames) = frames(rows: 1, columns: columns)
    return steps * frames.count
  }

  /// - Parameter x: `[rows, channels, columns]`; rows are sequences that know nothing of each other.
  /// - Returns: x + linear(lstm(x)), a new map in `workspace.arena`.
  package func callAsFunction(_ x: FeatureMap, workspace: Workspace) -> FeatureMap {
    let output = FeatureMap(in: workspace.arena, rows: x.rows, channels: channels, columns: x.columns, margin: 0)
    workspace.measure("LSTM") { run(x, into: output, workspace) }
    return output
  }

  private func run(_ x: FeatureMap, into output: FeatureMap, _ workspace: Workspace) {
    workspace.forEach(x.rows) { row, _ in
      for channel in 0..<channels {
        output.line(row: row, channel: channel).update(from: x.line(row: row, channel: channel), count: x.columns)
      }
    }
    let (steps, frames) = Self.frames(rows: x.rows, columns: x.columns)
    let most = max(8, Self.floatsAtOnce / (steps * (lstm.floatsPerStep + 4 * channels)))
    let rounds = (frames.count + most - 1) / most
    let size = (frames.count + rounds - 1) / rounds
    for first in stride(from: 0, to: frames.count, by: size) {
      let mark = workspace.arena.mark
      run(x, Array(frames[first..<min(frames.count, first + size)]), first, of: frames.count, steps, output, workspace)
      workspace.arena.rewind(to: mark)
    }
    workspace.taps?.record(
      .batch(name, rows: x.rows, channels: channels, columns: x.columns), output)
  }

  /// Some of the frames, at the same time.
  private func run(
    _ x: FeatureMap, _ frames: [Frame], _ firstFrame: Int, of frameCount: Int, _ steps: Int, _ output: FeatureMap,
    _ workspace: Workspace
  ) {
    let arena = workspace.arena
    let count = frames.count
    let input = arena.allocate(steps * count * channels)
    let hidden = arena.allocate(steps * count * 2 * channels)
    workspace.forEach(count) { index, _ in
      let frame = frames[index]
      kernel_transpose(
        input + index * channels, count * channels, x.row(frame.row) + frame.start, x.stride, channels, frame.filled)
      for step in frame.filled..<steps {
        (input + (step * count + index) * channels).update(repeating: 0, count: channels)
      }
    }
    lstm(input, steps: steps, sequences: count, into: hidden, workspace: workspace)
    // The input has been used: its place takes the result.
    let size = max(1, 512 / count)
    workspace.forEach((steps + size - 1) / size) { tile, _ in
      let step = tile * size
      let tokens = min(size, steps - step) * count
      let out = input + step * count * channels
      linear.apply(hidden + step * count * 2 * channels, 2 * channels, tokens: tokens, into: out, channels)
      kernel_token_affine(out, tokens, channels, channels, nil, linear.remainingBias, kernel_identity)
    }
    workspace.forEach(count) { index, scratch in
      let frame = frames[index]
      guard !frame.kept.isEmpty else { return }
      let turned = scratch.allocate(channels * frame.kept.count)
      let from = input + ((frame.kept.lowerBound - frame.start) * count + index) * channels
      kernel_transpose(turned, frame.kept.count, from, count * channels, frame.kept.count, channels)
      kernel_add(
        output.row(frame.row) + frame.kept.lowerBound, output.stride, turned, frame.kept.count, channels,
        frame.kept.count)
      sumStorage.round(
        output.row(frame.row) + frame.kept.lowerBound, stride: output.stride, lines: channels,
        columns: frame.kept.count)
    }
    guard let taps = workspace.taps else { return }
    for (suffix, data, width) in [(".lstm", hidden, 2 * channels), (".linear", input, channels)] {
      let tensor = taps.tensor(.batch(name + suffix, rows: steps, channels: frameCount, columns: width))
      for step in 0..<steps {
        (tensor.data + (step * frameCount + firstFrame) * width).update(
          from: data + step * count * width, count: count * width)
      }
      if firstFrame + count == frameCount { taps.record(name + suffix, tensor) }
    }
  }
}
