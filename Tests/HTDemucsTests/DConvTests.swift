import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// `demucs.demucs.DConv`, in the form for a row of frequencies and in the form for a line of time.
struct DConvTests {
  enum Form: CaseIterable { case row, sequence }

  /// What PyTorch's own float32 makes of a norm over a single number is no better.
  static let delicate: Set = ["dconv/8.compress8.depth2.1"]

  static func output(
    _ layer: LayerCase, _ form: Form, _ policy: PrecisionPolicy = PrecisionPolicy(.fp32)
  ) throws -> Tensor {
    let weights = LayerConfiguration.Weights(layer, policy: policy)
    let dconv = try DConv(
      weights.parameters, layer.name, channels: try layer.integer("channels"), depth: try layer.integer("depth"),
      compression: Double(try layer.integer("compress")))
    #expect(weights.count == layer.weightCount)
    let input = try layer.input()
    let workspace = Workspace(pool: WorkerPool(threadCount: 2))
    let items = (0..<input.shape[0]).map { index -> Tensor in
      let map = FeatureMap(input.item(index), in: workspace.arena)
      switch form {
      case .sequence: dconv.applyToSequence(map, workspace: workspace)
      case .row:
        dconv.applyToRow(
          map.data, stride: map.stride, columns: map.columns, index: 0, rows: 1,
          scratch: workspace.scratch[0],
          taps: nil)
      }
      #expect(map.hasCleanMargins)
      return map.wave
    }
    return Tensor(items: items)
  }

  @Test(arguments: LayerCase.names("dconv"), Form.allCases)
  func equalsPyTorch(name: String, form: Form) throws {
    let layer = try LayerCase(name)
    let deviation = try layer.deviation(try Self.output(layer, form))
    #expect(deviation.relativeError < (Self.delicate.contains(name) ? 5e-6 : 1e-6), "\(deviation)")
  }

  /// A line much longer than a tile: the norms are over all of it, and tiles leave no seams.
  @Test func bothFormsAgreeOnALongLine() throws {
    func provide(_ name: String, _ shape: [Int]) -> Tensor { CounterGenerator.parameter(name, shape) }
    let dconv = try DConv(Parameters(provide), "dconv", channels: 8, depth: 3, compression: 4)
    let input = CounterGenerator.tensor("line", [8, 3333])
    let workspace = Workspace(pool: WorkerPool(threadCount: 2))
    let (line, row) = (FeatureMap(input, in: workspace.arena), FeatureMap(input, in: workspace.arena))
    dconv.applyToSequence(line, workspace: workspace)
    dconv.applyToRow(
      row.data, stride: row.stride, columns: 3333, index: 0, rows: 1, scratch: workspace.scratch[0], taps: nil
    )
    let largest = zip(line.wave.values, row.wave.values).map { abs($0 - $1) }.max() ?? .infinity
    #expect(largest < 1e-5)
    #expect(line.wave.values != input.values)
  }
}
