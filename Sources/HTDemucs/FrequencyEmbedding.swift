import CKernels
import Layers
import Tensors

/// A learned vector for each frequency, added after the first encoder layer, since convolutions alone cannot tell a bass
/// from a treble: `demucs.hdemucs.ScaledEmbedding`, times `freq_emb`.
package struct FrequencyEmbedding {
  /// `[frequencies, channels]`: what the module returns.
  private let embedding: Tensor
  private let table: Tensor
  private let weight: Float
  private let sumStorage: NumberFormat

  /// - Returns: nil if the configuration has no such embedding.
  package init?(_ parameters: Parameters, _ configuration: Configuration) throws {
    guard configuration.frequencyEmbeddingWeight != 0, let first = configuration.layers.first else { return nil }
    let storage = parameters.plan.precision(
      .embedding, "freq_emb", parameters: first.outputRows * first.outputChannels
    ).storage
    table = storage.rounded(
      try parameters.tensor("freq_emb.embedding.weight", [first.outputRows, first.outputChannels]))
    embedding = storage.rounded(
      Tensor(shape: table.shape, values: table.elements.map { $0 * configuration.embeddingScale }))
    sumStorage = parameters.storage(.addition, "freq_emb")
    weight = configuration.frequencyEmbeddingWeight
  }

  /// - Parameter map: `[frequencies, channels, frames]`.
  package func add(to map: FeatureMap, workspace: Workspace) {
    workspace.taps?.record("freq_emb.embedding", table)
    workspace.taps?.record("freq_emb", embedding)
    workspace.forEach(map.rows) { row, scratch in
      let shift = scratch.allocate(map.channels)
      for channel in 0..<map.channels { shift[channel] = weight * embedding.data[row * map.channels + channel] }
      kernel_affine(
        map.row(row), map.stride, map.row(row), map.stride, map.channels, map.columns, nil, shift, kernel_identity,
        nil, 0)
      sumStorage.round(map.row(row), stride: map.stride, lines: map.channels, columns: map.columns)
    }
  }
}
