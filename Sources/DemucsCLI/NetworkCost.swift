import Checkpoints
import HTDemucs

/// What a segment costs a network, worked out from the shapes of its weights: an estimate, as all convolutions are taken for
/// direct ones.
struct NetworkCost {
  /// Additions and multiplications of a segment's matrix products and convolutions.
  private(set) var operations = 0.0
  /// Bytes of weights and activations in float32 while a segment is separated.
  var bytes: Double { 4 * floats }
  /// Seconds of a segment.
  let seconds: Double

  private var floats = 0.0
  private let image: [(rows: Int, columns: Int)]
  private let time: [Int]

  /// Nil for a network of another class, or a configuration that is not implemented.
  init?(_ checkpoint: Checkpoint) {
    guard let description = try? checkpoint.modelDescription(), let configuration = try? Configuration(description)
    else { return nil }
    seconds = Double(configuration.segmentLength) / Double(configuration.sampleRate)
    (image, time) = configuration.shapes(configuration.segmentLength)
    for name in checkpoint.names {
      guard let shape = checkpoint.shape(of: name), !shape.isEmpty else { continue }
      let count = shape.reduce(1.0) { $0 * Double($1) }
      floats += count
      let parts = name.split(separator: ".").map(String.init)
      // Of norms there is nothing to count.
      guard shape.count >= 2, parts.count >= 2 else { continue }
      add(parts, shape, count)
    }
    let signals = Double(configuration.sources.count)
    floats += signals * Double(configuration.spectrogramChannels * image[0].rows) * Double(image[0].columns)
    floats += 2 * signals * Double(configuration.audioChannels) * Double(time[0])
  }

  /// Counts the work of one weight.
  /// - Parameters:
  ///   - parts: its name, cut at the dots.
  ///   - count: its elements.
  private mutating func add(_ parts: [String], _ shape: [Int], _ count: Double) {
    let layer = Int(parts[1]) ?? 0
    let imageTokens = Double(image[image.count - 1].rows * image[image.count - 1].columns)
    let timeTokens = Double(time[time.count - 1])
    switch parts[0] {
    case "encoder" where layer < image.count - 1: add(parts, shape, count, at: image[layer + 1])
    case "tencoder" where layer < time.count - 1: add(parts, shape, count, at: (1, time[layer + 1]))
    case "decoder" where layer < image.count - 1: add(parts, shape, count, at: image[image.count - 1 - layer])
    case "tdecoder" where layer < time.count - 1: add(parts, shape, count, at: (1, time[time.count - 1 - layer]))
    case "channel_upsampler", "channel_downsampler": operations += 2 * count * imageTokens
    case "channel_upsampler_t", "channel_downsampler_t": operations += 2 * count * timeTokens
    case "crosstransformer":
      let (own, other) = parts[1] == "layers" ? (imageTokens, timeTokens) : (timeTokens, imageTokens)
      if parts.last == "in_proj_weight" {
        let keys = parts.contains("cross_attn") ? other : own
        operations += 2 * count / 3 * (own + 2 * keys) + 4 * own * keys * Double(shape[1])
      } else if parts.last == "weight" {
        operations += 2 * count * own
      }
    default: break
    }
  }

  /// Counts a weight inside a layer of encoder or decoder that works on maps of that size.
  private mutating func add(
    _ parts: [String], _ shape: [Int], _ count: Double, at map: (rows: Int, columns: Int)
  ) {
    let (rows, columns) = (Double(map.rows), Double(map.columns))
    if parts.contains("lstm") || parts.contains("linear") {
      operations += 2 * count * rows * Double(BLSTM.steps(columns: map.columns))
    } else {
      operations += 2 * count * rows * columns
    }
    // Scores and values of the local attention.
    if parts.contains("content") { operations += 4 * Double(shape[0]) * rows * columns * columns }
    if parts[0].hasSuffix("encoder"), parts[2] == "conv" { floats += 2 * Double(shape[0]) * rows * columns }
  }
}
