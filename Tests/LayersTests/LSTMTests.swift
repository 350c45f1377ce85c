import GoldenSupport
import Layers
import Tensors
import Testing

/// `torch.nn.LSTM(bidirectional=True)`.
struct LSTMTests {
  private func weights(_ layer: LayerCase, _ index: Int, _ suffix: String) throws -> BidirectionalLSTM.Weights {
    func weight(_ kind: String) throws -> Tensor { try layer.weight("\(kind)_l\(index)\(suffix)") }
    return .init(
      input: try weight("weight_ih"), recurrent: try weight("weight_hh"), inputBias: try weight("bias_ih"),
      recurrentBias: try weight("bias_hh"))
  }

  @Test(arguments: LayerCase.names("lstm"), [1, 2, 3]) func equalsPyTorch(name: String, threads: Int) throws {
    let layer = try LayerCase(name)
    let hidden = try layer.integer("hidden_size")
    let lstm = BidirectionalLSTM(
      layers: try (0..<layer.integer("num_layers")).map {
        (try weights(layer, $0, ""), try weights(layer, $0, "_reverse"))
      })
    #expect(lstm.hiddenWidth == hidden)
    let input = try layer.input()
    let (steps, sequences) = (input.shape[0], input.shape[1])
    let output = Tensor(
      shape: [steps, sequences, 2 * hidden], values: [Float](repeating: .nan, count: steps * sequences * 2 * hidden))
    lstm(
      input.data, steps: steps, sequences: sequences, into: output.data,
      workspace: Workspace(pool: WorkerPool(threadCount: threads)))
    let deviation = try layer.deviation(output)
    #expect(deviation.relativeError < 1e-6, "\(deviation)")
  }
}
