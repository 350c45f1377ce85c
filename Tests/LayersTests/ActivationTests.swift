import CKernels
import GoldenSupport
import Layers
import Tensors
import Testing

/// GLU, GELU and LayerScale, which no layer has on its own: they end other steps.
struct ActivationTests {
  @Test func gatedLinearUnit() throws {
    let layer = try LayerCase("glu/channels")
    let input = try layer.input()
    let (channels, columns) = (input.shape[1] / 2, input.shape[2])
    let zero = [Float](repeating: 0, count: 2 * channels)
    let items = (0..<input.shape[0]).map { index -> Tensor in
      let item = input.item(index)
      let out = Tensor(shape: [channels, columns])
      kernel_affine_glu(out.data, columns, item.data, columns, channels, columns, nil, zero, nil)
      return out
    }
    let deviation = try layer.deviation(Tensor(items: items))
    #expect(deviation.relativeError < 2e-7, "\(deviation)")
  }

  /// From -12 to 12, far beyond, and around zero down to denormals. Where PyTorch's own float32 is exact, a sum of squares
  /// says nothing about the small values: each is judged by itself, to 3 parts in 10^7 or 2^-149.
  @Test func gaussianErrorLinearUnit() throws {
    let layer = try LayerCase("gelu/output")
    let values = try layer.tensor("gelu/input")
    let expected = try layer.tensor("gelu/output").values
    let inputs = values.values
    kernel_gelu(values.data, values.count)
    let deviation = try layer.deviation(values)
    #expect(deviation.relativeError < 1e-7, "\(deviation)")
    for ((x, ours), golden) in zip(zip(inputs, values.values), expected) where x >= -1 {
      #expect(abs(ours - golden) <= 3e-7 * abs(golden) + 0x1p-149, "gelu(\(x)) is \(ours), not \(golden)")
    }
  }

  @Test func layerScaleOfChannels() throws {
    let layer = try LayerCase("layer_scale/channel_first")
    let scale = try layer.weight("scale")
    let input = try layer.input()
    let (channels, columns) = (input.shape[1], input.shape[2])
    let items = (0..<input.shape[0]).map { index -> Tensor in
      // A gate that is wide open, and nothing to add to.
      let both = Tensor(shape: [2 * channels, columns])
      let item = input.item(index)
      both.data.update(from: item.data, count: item.count)
      let shift = (0..<2 * channels).map { $0 < channels ? Float(0) : 100 }
      let out = Tensor(shape: [channels, columns])
      kernel_affine_glu(out.data, columns, both.data, columns, channels, columns, nil, shift, scale.data)
      return out
    }
    let deviation = try layer.deviation(Tensor(items: items))
    #expect(deviation.relativeError < 1e-7, "\(deviation)")
  }

  @Test func layerScaleOfFeatures() throws {
    let layer = try LayerCase("layer_scale/channel_last")
    let scale = try layer.weight("scale")
    let input = try layer.input()
    let (tokens, width) = (input.shape[1], input.shape[2])
    let zero = [Float](repeating: 0, count: width)
    let items = (0..<input.shape[0]).map { index -> Tensor in
      let out = Tensor(shape: [tokens, width])
      let item = input.item(index)
      kernel_token_residual(out.data, width, item.data, width, tokens, width, scale.data, zero)
      return out
    }
    let deviation = try layer.deviation(Tensor(items: items))
    #expect(deviation.relativeError < 1e-7, "\(deviation)")
  }
}
