import CKernels
import Foundation
import Layers
import Tensors

/// The transformer between encoder and decoder: `demucs.transformer.CrossTransformerEncoder`.
///
/// Two branches of tokens, one for each frequency and frame, one for each step of the waveform; layers that look at their
/// own branch alternate with layers that look at the other.
package final class CrossTransformerEncoder {
  private let configuration: TransformerConfiguration
  private let normIn: TokenNorm
  private let normInTime: TokenNorm
  private let layers: [TransformerLayer]
  private let timeLayers: [TransformerLayer]
  /// `[positions, width]` of the learned embedding, as stored; nil for sinusoids.
  private let learned: Tensor?
  private let embeddingStorage: NumberFormat
  private let sumStorage: NumberFormat
  /// `boost` of `demucs.transformer.ScaledEmbedding`.
  private static let learnedBoost: Float = 3

  private let lock = NSLock()
  private var imageEmbedding: (rows: Int, columns: Int, tensor: Tensor)?
  private var sequenceEmbedding: Tensor?

  private static let name = "crosstransformer"

  package init(_ parameters: Parameters, _ configuration: TransformerConfiguration) throws {
    self.configuration = configuration
    let name = Self.name
    embeddingStorage = parameters.storage(.embedding, name)
    sumStorage = parameters.storage(.addition, name)
    func norm(_ suffix: String) throws -> TokenNorm {
      guard configuration.normIn || configuration.normInGroups > 0 else { return .identity }
      return try parameters.tokenNorm(
        name + suffix, groups: configuration.normIn ? 0 : configuration.normInGroups, width: configuration.width)
    }
    normIn = try norm(".norm_in")
    normInTime = try norm(".norm_in_t")
    func branch(_ suffix: String) throws -> [TransformerLayer] {
      try (0..<configuration.layers).map {
        try TransformerLayer(
          parameters, "\(name)\(suffix).\($0)", configuration,
          isCross: ($0 % 2 == 0) == configuration.crossFirst)
      }
    }
    layers = try branch(".layers")
    timeLayers = try branch(".layers_t")
    if case .learned(let positions) = configuration.embedding {
      learned = try parameters.tensor(
        name + ".position_embeddings.embedding.weight", [positions, configuration.width])
    } else {
      learned = nil
    }
  }

  /// - Parameters:
  ///   - x: `[rows, width, columns]` of the frequency branch.
  ///   - time: `[1, width, steps]` of the time branch.
  ///   - output, timeOutput: maps of the same shapes, written; may be `x` and `time`.
  /// - Throws: `ConfigurationError` if a learned embedding is too short for the steps.
  package func callAsFunction(
    _ x: FeatureMap, _ time: FeatureMap, into output: FeatureMap, _ timeOutput: FeatureMap, workspace: Workspace
  ) throws {
    try workspace.measure("tokens in and out") { try run(x, time, into: output, timeOutput, workspace) }
  }

  private func run(
    _ x: FeatureMap, _ time: FeatureMap, into output: FeatureMap, _ timeOutput: FeatureMap, _ workspace: Workspace
  ) throws {
    let arena = workspace.arena
    let mark = arena.mark
    let tokens = Tokens(in: arena, count: x.rows * x.columns, width: x.channels)
    let timeTokens = Tokens(in: arena, count: time.columns, width: time.channels)
    // Token t * rows + f holds frequency f of frame t.
    workspace.forEach(x.rows) { row, _ in
      kernel_transpose(
        tokens.data + row * x.channels, x.rows * x.channels, x.row(row), x.stride, x.channels, x.columns)
    }
    kernel_transpose(timeTokens.data, time.channels, time.data, time.stride, time.channels, time.columns)

    normaliseTokens(tokens, normIn, Self.name + ".norm_in", workspace)
    addEmbedding(image(rows: x.rows, columns: x.columns), to: tokens, workspace)
    normaliseTokens(timeTokens, normInTime, Self.name + ".norm_in_t", workspace)
    let sequence = try sequence(length: time.columns)
    if learned != nil { tapLearned(sequence, workspace.taps) }
    addEmbedding(sequence, to: timeTokens, workspace)

    let old = Tokens(in: arena, count: tokens.count, width: tokens.width)
    for (layer, timeLayer) in zip(layers, timeLayers) {
      guard layer.isCross else {
        layer(tokens, workspace: workspace)
        timeLayer(timeTokens, workspace: workspace)
        continue
      }
      // The time branch looks at the frequency branch as it was before this layer.
      old.data.update(from: tokens.data, count: tokens.count * tokens.width)
      layer(tokens, memory: timeTokens, workspace: workspace)
      timeLayer(timeTokens, memory: old, workspace: workspace)
    }

    workspace.forEach(x.rows) { row, _ in
      kernel_transpose(
        output.row(row), output.stride, tokens.data + row * x.channels, x.rows * x.channels, x.columns, x.channels)
    }
    kernel_transpose(
      timeOutput.data, timeOutput.stride, timeTokens.data, time.channels, time.columns, time.channels)
    workspace.taps?.record(
      .image(Self.name, rows: x.rows, channels: x.channels, columns: x.columns), output)
    workspace.taps?.record(
      .batch(Self.name + "#1", rows: 1, channels: time.channels, columns: time.columns), timeOutput)
    arena.rewind(to: mark)
  }

  private func addEmbedding(_ embedding: Tensor, to tokens: Tokens, _ workspace: Workspace) {
    let weight = configuration.embeddingWeight
    workspace.forEach(tokens.tiles) { _, tile, _ in
      let offset = tile.start * tokens.width
      for i in offset..<offset + tile.count * tokens.width {
        tokens.data[i] += weight * embedding.data[i]
      }
      sumStorage.round(tokens.data + offset, count: tile.count * tokens.width)
    }
  }

  private func tapLearned(_ sequence: Tensor, _ taps: TapRecorder?) {
    guard let taps, let learned else { return }
    let name = Self.name + ".position_embeddings"
    taps.record(
      name + ".embedding", Tensor(shape: sequence.shape, values: learned.elements.prefix(sequence.count)))
    taps.record(name, sequence)
  }

  private func image(rows: Int, columns: Int) -> Tensor {
    lock.lock()
    defer { lock.unlock() }
    if let known = imageEmbedding, known.rows == rows, known.columns == columns { return known.tensor }
    let tensor = embeddingStorage.rounded(
      PositionalEmbedding.image(
        rows: rows, columns: columns, width: configuration.width, maximumPeriod: configuration.maximumPeriod))
    imageEmbedding = (rows, columns, tensor)
    return tensor
  }

  private func sequence(length: Int) throws -> Tensor {
    lock.lock()
    defer { lock.unlock() }
    if let known = sequenceEmbedding, known.shape[0] == length { return known }
    if let learned {
      guard learned.shape[0] >= length else {
        throw ConfigurationError.inconsistent(
          "the segment has \(length) steps, but t_max_positions is \(learned.shape[0])")
      }
      let width = configuration.width
      let tensor = embeddingStorage.rounded(
        Tensor(
          shape: [length, width], values: learned.elements.prefix(length * width).map { $0 * Self.learnedBoost }))
      sequenceEmbedding = tensor
      return tensor
    }
    var offset: Float = 0
    if case .cape(meanNormalised: true) = configuration.embedding { offset = Float(length - 1) / 2 }
    let tensor = embeddingStorage.rounded(
      PositionalEmbedding.sequence(
        length: length, width: configuration.width, maximumPeriod: configuration.maximumPeriod, offset: offset))
    sequenceEmbedding = tensor
    return tensor
  }
}
