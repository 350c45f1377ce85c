import Checkpoints
import Foundation
import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// Sinusoidal positions and the learned vectors of frequencies.
///
/// The goldens hold PyTorch's float32 arithmetic, whose phases are up to 1e-5 from the exact formula: whoever follows the
/// order of operations is far closer.
struct EmbeddingTests {
  /// PyTorch's power is an ulp off for these.
  static let loose: Set = ["sin_embedding/1344x512.10000"]

  @Test(arguments: LayerCase.names("sin_embedding") + LayerCase.names("cape_embedding"))
  func sequenceEqualsPyTorch(name: String) throws {
    let layer = try LayerCase(name)
    let length = try layer.integer("length")
    let embedding = PositionalEmbedding.sequence(
      length: length, width: try layer.integer("width"),
      maximumPeriod: try #require(layer["max_period"]?.doubleValue),
      offset: layer.flag("centred", false) ? Float(length - 1) / 2 : 0)
    // PyTorch has the batch second (`[length, 1, width]`).
    let deviation = try layer.deviation(
      Tensor(shape: [length, 1, embedding.shape[1]], values: embedding.values))
    #expect(deviation.relativeError < (Self.loose.contains(name) ? 5e-6 : 5e-7), "\(deviation)")
  }

  @Test(arguments: LayerCase.names("sin_embedding_2d"))
  func imageEqualsPyTorch(name: String) throws {
    let layer = try LayerCase(name)
    let (rows, frames) = (try layer.integer("rows"), try layer.integer("frames"))
    let width = try layer.integer("width")
    let embedding = PositionalEmbedding.image(
      rows: rows, columns: frames, width: width, maximumPeriod: try #require(layer["max_period"]?.doubleValue)
    )
    #expect(embedding.shape == [frames * rows, width])
    // Ours are tokens, frame by frame; PyTorch's is `[1, width, rows, frames]`.
    let image = Tensor(shape: [1, width, rows, frames])
    for frame in 0..<frames {
      for row in 0..<rows {
        for feature in 0..<width {
          image.data[(feature * rows + row) * frames + frame] =
            embedding.data[(frame * rows + row) * width + feature]
        }
      }
    }
    let deviation = try layer.deviation(image)
    #expect(deviation.relativeError < 1e-6, "\(deviation)")
  }

  /// Every feature of a position is a cosine or a sine: their squares add up to half the width.
  @Test(arguments: [4, 6, 32, 384], [1.5, 100, 10000])
  func everyPositionHasOneNorm(width: Int, period: Double) {
    func squares(_ tensor: Tensor) -> [Double] {
      (0..<tensor.shape[0]).map { row in
        (0..<width).reduce(0.0) { $0 + pow(Double(tensor.data[row * width + $1]), 2) }
      }
    }
    let half = Double(width) / 2
    let sequence = PositionalEmbedding.sequence(length: 77, width: width, maximumPeriod: period)
    #expect(squares(sequence).allSatisfy { abs($0 - half) < 1e-5 * half })
    guard width % 4 == 0 else { return }
    let image = PositionalEmbedding.image(rows: 3, columns: 20, width: width, maximumPeriod: period)
    #expect(squares(image).allSatisfy { abs($0 - half) < 1e-5 * half })
  }

  /// `demucs.hdemucs.ScaledEmbedding`; that of the transformer is tested with it (`transformer/scaled`).
  @Test func frequenciesEqualPyTorch() throws {
    let layer = try LayerCase("scaled_embedding/hdemucs")
    let configuration = try LayerConfiguration.make([
      "channels": .integer(try layer.integer("channels")), "emb_scale": .number(10), "freq_emb": .number(1),
    ])
    let parameters = Parameters { name, shape in
      try layer.weight(String(name.dropFirst("freq_emb.".count)), shape)
    }
    let embedding = try #require(try FrequencyEmbedding(parameters, configuration))
    let workspace = Workspace(pool: WorkerPool(threadCount: 2))
    let ones = Tensor(shape: [6, 16, 5], values: [Float](repeating: 1, count: 480))
    let map = FeatureMap(ones, in: workspace.arena)
    embedding.add(to: map, workspace: workspace)
    for column in 0..<5 {
      let result = Tensor(shape: [16, 6])
      for row in 0..<16 {
        for channel in 0..<6 {
          result.data[row * 6 + channel] = map.line(row: row, channel: channel)[column] - 1
        }
      }
      let deviation = try layer.deviation(result)
      #expect(deviation.relativeError < 1e-6, "\(deviation)")
    }
  }
}
