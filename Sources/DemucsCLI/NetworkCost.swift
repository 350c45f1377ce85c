import Checkpoints
import HTDemucs

/// What a segment costs an `HTDemucs`, worked out from the shapes of its weights: an estimate, as layers of unusual
/// strides are taken for usual ones, and all convolutions for direct ones.
struct NetworkCost {
  /// Additions and multiplications of a segment's matrix products and convolutions.
  let operations: Double
  /// Bytes of weights and activations in float32 while a segment is separated.
  let bytes: Double

  /// Nil for a network of another class, or a configuration that is not implemented.
  init?(_ checkpoint: Checkpoint) {
    guard let description = try? checkpoint.modelDescription(), let configuration = try? Configuration(description)
    else { return nil }
    let kwargs = description.kwargs
    let depth = kwargs["depth"]?.intValue ?? 4
    let stride = Double(max(1, kwargs["stride"]?.intValue ?? 4))
    let frames = Double(configuration.frames(configuration.segmentLength))
    // Rows of the spectrogram and samples of the waveform outside layer 0, between layers, and innermost.
    var rows = [Double(configuration.frequencies)]
    var samples = [Double(configuration.segmentLength)]
    for _ in 0..<depth {
      rows.append(max(1, (rows[rows.count - 1] / stride).rounded(.up)))
      samples.append((samples[samples.count - 1] / stride).rounded(.up))
    }
    let images = rows.map { $0 * frames }
    let (imageTokens, waveTokens) = (images[depth], samples[depth])

    var operations = 0.0
    var parameters = 0.0
    var floats = 0.0
    for name in checkpoint.names {
      guard let shape = checkpoint.shape(of: name), !shape.isEmpty else { continue }
      let count = shape.reduce(1.0) { $0 * Double($1) }
      parameters += count
      let parts = name.split(separator: ".").map(String.init)
      let isWeight = name.hasSuffix("weight") && shape.count >= 2
      guard isWeight, parts.count >= 2 else { continue }
      let layer = Int(parts[1]) ?? 0
      switch parts[0] {
      case "encoder", "tencoder":
        guard shape.count >= 3, layer < depth else { continue }
        let positions = (parts[0] == "encoder" ? images : samples)[layer + 1]
        operations += 2 * count * positions
        if parts.count > 2, parts[2] == "conv" { floats += 2 * Double(shape[0]) * positions }
      case "decoder", "tdecoder":
        guard shape.count >= 3, layer < depth else { continue }
        operations += 2 * count * (parts[0] == "decoder" ? images : samples)[depth - layer]
      case "channel_upsampler", "channel_downsampler": operations += 2 * count * imageTokens
      case "channel_upsampler_t", "channel_downsampler_t": operations += 2 * count * waveTokens
      case "crosstransformer":
        let isImage = parts[1] == "layers"
        let (own, other) = isImage ? (imageTokens, waveTokens) : (waveTokens, imageTokens)
        if parts.last == "in_proj_weight" {
          let keys = parts.contains("cross_attn") ? other : own
          operations += 2 * count / 3 * (own + 2 * keys) + 4 * own * keys * Double(shape[1])
        } else {
          operations += 2 * count * own
        }
      default: continue
      }
    }
    let signals = Double(configuration.sources.count)
    floats += signals * Double(configuration.spectrogramChannels) * images[0]
    floats += 2 * signals * Double(configuration.audioChannels) * samples[0]
    self.operations = operations
    bytes = 4 * (parameters + floats)
  }
}
