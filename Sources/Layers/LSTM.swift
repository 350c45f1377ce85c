import CKernels
import Tensors

/// Stacked bidirectional LSTM layers: `torch.nn.LSTM(bidirectional=True)` on many sequences of one length.
///
/// What the input contributes to the gates is one product for all steps; then the steps follow one another, all sequences of
/// a group at once. The two directions and the groups are independent and shared out among threads.
public struct BidirectionalLSTM: @unchecked Sendable {
  /// The parameters of one direction of one layer, as PyTorch names them; gates in the order input, forget, cell, output.
  public struct Weights {
    let input: Tensor
    let recurrent: Tensor
    let inputBias: Tensor
    let recurrentBias: Tensor

    /// - Parameters:
    ///   - input: `weight_ih`, `[4 x hidden, inputs]`.
    ///   - recurrent: `weight_hh`, `[4 x hidden, hidden]`.
    ///   - inputBias, recurrentBias: `bias_ih` and `bias_hh`, `[4 x hidden]`.
    public init(input: Tensor, recurrent: Tensor, inputBias: Tensor, recurrentBias: Tensor) {
      self.input = input
      self.recurrent = recurrent
      self.inputBias = inputBias
      self.recurrentBias = recurrentBias
    }

    func rounded(to format: NumberFormat) -> Weights {
      Weights(
        input: format.rounded(input), recurrent: format.rounded(recurrent), inputBias: format.rounded(inputBias),
        recurrentBias: format.rounded(recurrentBias))
    }
  }

  private struct Layer {
    /// `[inputs] -> [2 directions x gates]`, with both biases.
    let input: Linear
    /// For each direction blocks of `blockWidth` gates, `[block, hidden, blockWidth]`, so that a step reads straight on.
    let recurrent: [Tensor]
  }

  public let hiddenWidth: Int
  /// Weights, gates and states are rounded to its storage.
  public let precision: OperationPrecision
  private let layers: [Layer]
  /// Gates of one direction: four for each unit, filled up to whole groups of 16 units.
  private let gateCount: Int

  /// Units whose gates lie together, as `kernel_lstm_step` wants them.
  private static let lanes = 16
  /// Three vectors of `kernel_multiply`.
  private static let blockWidth = 48
  /// Sequences that one worker carries through the steps: enough that weights are not read for nothing.
  private static let groupSize = 16

  /// - Parameter layers: from the input on; the first takes any width, the others both directions of the one before.
  public init(layers: [(forward: Weights, backward: Weights)], precision: OperationPrecision = .full) {
    self.precision = precision
    let layers = layers.map { ($0.forward.rounded(to: precision.storage), $0.backward.rounded(to: precision.storage)) }
    let hidden = layers.first.map { $0.0.recurrent.shape[1] } ?? 0
    hiddenWidth = hidden
    let gates = 4 * ((hidden + Self.lanes - 1) / Self.lanes) * Self.lanes
    gateCount = gates
    self.layers = layers.map { forward, backward in
      let directions = [forward, backward]
      let inputs = forward.input.shape[1]
      let weight = Tensor(shape: [2 * gates, inputs])
      let bias = Tensor(shape: [2 * gates])
      for (index, direction) in directions.enumerated() {
        for gate in 0..<4 {
          for unit in 0..<hidden {
            let row = index * gates + Self.place(gate: gate, unit: unit)
            let source = gate * hidden + unit
            (weight.data + row * inputs).update(from: direction.input.data + source * inputs, count: inputs)
            bias.data[row] = direction.inputBias.data[source] + direction.recurrentBias.data[source]
          }
        }
      }
      return Layer(
        input: Linear(weight: weight, bias: bias),
        recurrent: directions.map { Self.pack($0.recurrent, hidden: hidden, gates: gates) })
    }
  }

  /// Where a gate lies among those of its direction.
  private static func place(gate: Int, unit: Int) -> Int {
    (unit / lanes * 4 + gate) * lanes + unit % lanes
  }

  private static func pack(_ weight: Tensor, hidden: Int, gates: Int) -> Tensor {
    let blocks = (gates + blockWidth - 1) / blockWidth
    let packed = Tensor(shape: [blocks, hidden, blockWidth])
    for gate in 0..<4 {
      for unit in 0..<hidden {
        let (block, column) = place(gate: gate, unit: unit).quotientAndRemainder(dividingBy: blockWidth)
        let row = weight.data + (gate * hidden + unit) * hidden
        for k in 0..<hidden { packed.data[(block * hidden + k) * blockWidth + column] = row[k] }
      }
    }
    return packed
  }

  /// Floats of memory that a step of a sequence takes while a layer runs.
  public var floatsPerStep: Int { 2 * gateCount + 4 * hiddenWidth }

  /// Runs all layers, from a state of zeros.
  /// - Parameters:
  ///   - input: `[steps, sequences, inputs]`.
  ///   - output: `[steps, sequences, 2 x hiddenWidth]`, written: the forward direction, then the backward one.
  public func callAsFunction(
    _ input: UnsafePointer<Float>, steps: Int, sequences: Int, into output: UnsafeMutablePointer<Float>,
    workspace: Workspace
  ) {
    let mark = workspace.arena.mark
    let width = 2 * hiddenWidth
    let tokens = steps * sequences
    let gates = workspace.arena.allocate(tokens * 2 * gateCount)
    let between = layers.count > 1 ? workspace.arena.allocate(tokens * width) : output
    for (index, layer) in layers.enumerated() {
      // The last layer writes the output; those before it write to the one place and then to the other.
      let target = (layers.count - 1 - index) % 2 == 0 ? output : between
      let source = index == 0 ? input : UnsafePointer(target == output ? between : output)
      project(source, layer.input, tokens: tokens, into: gates, workspace)
      recur(gates, layer, steps: steps, sequences: sequences, into: target, workspace)
    }
    workspace.arena.rewind(to: mark)
  }

  /// gates = input weight^T + bias, for all steps of all sequences.
  private func project(
    _ input: UnsafePointer<Float>, _ linear: Linear, tokens: Int, into gates: UnsafeMutablePointer<Float>,
    _ workspace: Workspace
  ) {
    let size = max(16, min(512, (tokens + 7) / 8))
    workspace.forEach((tokens + size - 1) / size) { tile, _ in
      let count = min(size, tokens - tile * size)
      let out = gates + tile * size * 2 * gateCount
      linear.apply(
        input + tile * size * linear.inputWidth, linear.inputWidth, tokens: count, into: out, 2 * gateCount)
      kernel_token_affine(out, count, 2 * gateCount, 2 * gateCount, nil, linear.remainingBias, kernel_identity)
    }
  }

  /// The steps of one layer: each adds what the step before it contributes to the gates.
  private func recur(
    _ gates: UnsafeMutablePointer<Float>, _ layer: Layer, steps: Int, sequences: Int,
    into output: UnsafeMutablePointer<Float>, _ workspace: Workspace
  ) {
    let groups = (sequences + Self.groupSize - 1) / Self.groupSize
    let size = (sequences + groups - 1) / groups
    let width = 2 * hiddenWidth
    workspace.forEach(2 * groups) { unit, scratch in
      let (group, direction) = unit.quotientAndRemainder(dividingBy: 2)
      let first = group * size
      let count = min(size, sequences - first)
      guard count > 0 else { return }
      let cell = scratch.allocate(count * gateCount / 4)
      cell.update(repeating: 0, count: count * gateCount / 4)
      let weight = layer.recurrent[direction]
      var last: UnsafePointer<Float>?
      for step in 0..<steps {
        let token = (direction == 0 ? step : steps - 1 - step) * sequences + first
        let gate = gates + token * 2 * gateCount + direction * gateCount
        let out = output + token * width + direction * hiddenWidth
        if let last {
          for block in stride(from: 0, to: gateCount, by: Self.blockWidth) {
            MatrixMultiply.multiply(
              rows: count, columns: min(Self.blockWidth, gateCount - block), depth: hiddenWidth, last, width,
              weight.data + block * hiddenWidth, Self.blockWidth, into: gate + block, 2 * gateCount, accumulate: true)
          }
        }
        precision.storage.round(gate, stride: 2 * gateCount, lines: count, columns: gateCount)
        kernel_lstm_step(out, width, cell, gate, 2 * gateCount, count, hiddenWidth)
        precision.storage.round(cell, count: count * gateCount / 4)
        precision.storage.round(out, stride: width, lines: count, columns: hiddenWidth)
        last = UnsafePointer(out)
      }
    }
  }
}
