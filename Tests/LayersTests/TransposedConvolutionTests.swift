import GoldenSupport
import Layers
import Tensors
import Testing

/// `torch.nn.ConvTranspose1d` and `torch.nn.ConvTranspose2d` with a kernel of one column.
struct TransposedConvolutionTests {
  private func convolution(_ layer: LayerCase) throws -> TransposedConvolution {
    let stride = try #require(layer["stride"]?.intValue ?? layer["stride"]?.arrayValue?.first?.intValue)
    return TransposedConvolution(
      weight: try layer.weight("conv_tr.weight"), bias: try layer.weight("conv_tr.bias"), stride: stride)
  }

  @Test(arguments: LayerCase.names("conv_transpose1d"), [1 << 20, 3])
  func alongColumns(name: String, tile: Int) throws {
    let layer = try LayerCase(name)
    let convolution = try convolution(layer)
    let input = try layer.input()
    let length = convolution.outputLength(input.shape[2])
    let groups = convolution.groupCount(input.shape[2])
    let (step, channels) = (convolution.stride, convolution.outputChannels)
    let items = (0..<input.shape[0]).map { index -> Tensor in
      let arena = Arena()
      let map = FeatureMap(input.item(index), in: arena, margin: convolution.groups - 1)
      let result = Tensor(shape: [channels, length])
      for (first, count) in ConvolutionTests.pieces(groups, tile) {
        let phases = Tensor(shape: [step, channels, count])
        convolution.applyAlongColumns(map, first: first, count: count, into: phases.data, count)
        for phase in 0..<step {
          for channel in 0..<channels {
            for group in 0..<count where (first + group) * step + phase < length {
              result.data[channel * length + (first + group) * step + phase] =
                phases.data[(phase * channels + channel) * count + group] + convolution.bias.data[channel]
            }
          }
        }
      }
      return result
    }
    let deviation = try layer.deviation(Tensor(items: items))
    #expect(deviation.relativeError < 5e-7, "\(deviation)")
  }

  @Test(arguments: LayerCase.names("conv_transpose2d"))
  func alongRows(name: String) throws {
    let layer = try LayerCase(name)
    let convolution = try convolution(layer)
    let arena = Arena()
    let map = FeatureMap(try layer.input().item(0), in: arena, margin: 0)
    let (step, channels, columns) = (convolution.stride, convolution.outputChannels, map.columns)
    let rows = convolution.outputLength(map.rows)
    let result = Tensor(shape: [1, channels, rows, columns])
    for group in 0..<convolution.groupCount(map.rows) {
      let phases = Tensor(shape: [step, channels, columns])
      convolution.applyAlongRows(map, group: group, into: phases.data, columns)
      for phase in 0..<step where group * step + phase < rows {
        for channel in 0..<channels {
          for column in 0..<columns {
            result.data[(channel * rows + group * step + phase) * columns + column] =
              phases.data[(phase * channels + channel) * columns + column] + convolution.bias.data[channel]
          }
        }
      }
    }
    let deviation = try layer.deviation(result)
    #expect(deviation.relativeError < 5e-7, "\(deviation)")
  }
}
