import CKernels
import GoldenSupport
import Layers
import Tensors
import Testing

/// `torch.nn.GroupNorm`, `torch.nn.LayerNorm` and `demucs.transformer.MyGroupNorm`.
struct NormTests {
  @Test(arguments: LayerCase.names("group_norm"), [1 << 20, 11])
  func overChannels(name: String, tile: Int) throws {
    let layer = try LayerCase(name)
    let norm = GroupNorm(
      groups: try layer.integer("groups"), weight: try layer.weight("weight"), bias: try layer.weight("bias"))
    let input = try layer.input()
    let channels = input.shape[1]
    let positions = input.shape.dropFirst(2).reduce(1, *)
    // As after a convolution: a bias is still to be added to every channel.
    let added = CounterGenerator.tensor("added", [channels])
    for bias in [nil, added] {
      let items = (0..<input.shape[0]).map { index -> Tensor in
        let item = input.item(index)
        if let bias {
          for channel in 0..<channels {
            for position in 0..<positions { item.data[channel * positions + position] -= bias.data[channel] }
          }
        }
        var sums = [Double](repeating: 0, count: 2 * norm.groups)
        for (start, count) in ConvolutionTests.pieces(positions, tile) {
          norm.gather(item.data + start, stride: positions, columns: count, shift: bias?.data, into: &sums)
        }
        let (scale, shift) = (Tensor(shape: [channels]), Tensor(shape: [channels]))
        norm.affine(sums: sums, positions: positions, added: bias?.data, scale: scale.data, shift: shift.data)
        kernel_affine(
          item.data, positions, item.data, positions, channels, positions, scale.data, shift.data,
          kernel_identity,
          nil, 0)
        return item
      }
      let deviation = try layer.deviation(Tensor(items: items))
      // The bias of the test itself rounds the input once, and what is constant or tiny amplifies that.
      let delicate = ["group_norm/tiny", "group_norm/constant"].contains(name)
      if bias == nil || !delicate { #expect(deviation.relativeError < 1.5e-6, "\(deviation)") }
    }
  }

  /// Runs a norm over each item `[tokens, width]`, applied in parts.
  private func run(_ norm: TokenNorm, _ input: Tensor, inPlace: Bool) -> Tensor {
    let workspace = Workspace(pool: WorkerPool(threadCount: 1))
    let (tokens, width) = (input.shape[1], input.shape[2])
    return Tensor(
      items: (0..<input.shape[0]).map { index in
        let item = input.item(index)
        let out = inPlace ? item : Tensor(shape: item.shape)
        let prepared = norm.prepare(item.data, tokens: tokens, width: width, workspace: workspace)
        for (start, count) in ConvolutionTests.pieces(tokens, 4) {
          prepared.apply(
            item.data + start * width, tokens: count, width: width, into: out.data + start * width)
        }
        return out
      })
  }

  @Test(arguments: LayerCase.names("layer_norm"), [false, true])
  func overFeatures(name: String, inPlace: Bool) throws {
    let layer = try LayerCase(name)
    let norm = TokenNorm.layer(
      weight: try layer.weight("weight"), bias: try layer.weight("bias"), epsilon: 1e-5)
    let deviation = try layer.deviation(run(norm, try layer.input(), inPlace: inPlace))
    #expect(deviation.relativeError < 1e-6, "\(deviation)")
  }

  @Test(arguments: LayerCase.names("my_group_norm"), [false, true])
  func overTokensAndFeatures(name: String, inPlace: Bool) throws {
    let layer = try LayerCase(name)
    let norm = TokenNorm.group(
      GroupNorm(
        groups: try layer.integer("groups"), weight: try layer.weight("weight"),
        bias: try layer.weight("bias")))
    let deviation = try layer.deviation(run(norm, try layer.input(), inPlace: inPlace))
    #expect(deviation.relativeError < 5e-7, "\(deviation)")
  }

  @Test func identityCopies() {
    let input = CounterGenerator.tensor("identity", [2, 9, 5])
    #expect(run(.identity, input, inPlace: false).values == input.values)
    #expect(run(.identity, input, inPlace: true).values == input.values)
  }
}
