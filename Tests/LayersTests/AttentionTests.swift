import GoldenSupport
import Layers
import Tensors
import Testing

/// `torch.nn.MultiheadAttention`: projections by `Linear`, the rest by `Attention`.
struct AttentionTests {
  /// `x weight^T + bias` for rows `[count, in]`; `outputs` is the part of the features to make.
  private func project(_ linear: Linear, _ x: Tensor, _ outputs: Range<Int>) -> Tensor {
    let result = Tensor(shape: [x.shape[0], outputs.count])
    linear.apply(x.data, x.shape[1], tokens: x.shape[0], outputs: outputs, into: result.data, outputs.count)
    for row in 0..<x.shape[0] {
      for (column, output) in outputs.enumerated() {
        result.data[row * outputs.count + column] += linear.bias.data[output]
      }
    }
    return result
  }

  @Test(arguments: LayerCase.names("attention"), [1, 2])
  func equalsPyTorch(name: String, threads: Int) throws {
    let layer = try LayerCase(name)
    let (width, heads) = (try layer.integer("width"), try layer.integer("heads"))
    let inward = Linear(weight: try layer.weight("in_proj_weight"), bias: try layer.weight("in_proj_bias"))
    let outward = Linear(weight: try layer.weight("out_proj.weight"), bias: try layer.weight("out_proj.bias"))
    let (queries, keys) = (try layer.input("query"), try layer.input("key"))
    let workspace = Workspace(pool: WorkerPool(threadCount: threads))
    let attention = Attention(heads: heads, headWidth: width / heads)
    let items = (0..<queries.shape[0]).map { index -> Tensor in
      let q = project(inward, queries.item(index), 0..<width)
      let pairs = project(inward, keys.item(index), width..<3 * width)
      let attended = Tensor(shape: q.shape, values: [Float](repeating: .nan, count: q.count))
      attention(
        queries: .init(q.data, stride: width, count: q.shape[0]),
        keys: .init(pairs.data, stride: 2 * width, count: pairs.shape[0]),
        values: .init(pairs.data + width, stride: 2 * width, count: pairs.shape[0]), into: attended.data,
        width,
        workspace: workspace)
      return project(outward, attended, 0..<width)
    }
    let deviation = try layer.deviation(Tensor(items: items))
    #expect(deviation.relativeError < 2e-6, "\(deviation)")
  }

  /// Logits far beyond what exp can take in one piece, the largest in the last tile of keys: nothing overflows.
  @Test func hugeLogitsPickTheirKey() {
    let (width, count) = (4, 1025)
    let workspace = Workspace(pool: WorkerPool(threadCount: 1))
    let queries = Tensor(shape: [1, width], values: [1000, 0, 0, 0])
    let keys = Tensor(shape: [count, width])
    let values = CounterGenerator.tensor("values", [count, width])
    for key in 0..<count { keys.data[key * width] = key == count - 1 ? 100 : Float(-key) }
    let out = Tensor(shape: [1, width])
    Attention(heads: 1, headWidth: width)(
      queries: .init(queries.data, stride: width, count: 1),
      keys: .init(keys.data, stride: width, count: count),
      values: .init(values.data, stride: width, count: count), into: out.data, width, workspace: workspace)
    #expect(out.values == Array(values.values.suffix(width)))
  }

  /// Equal logits take the mean of the values, over tiles of keys of unequal size.
  @Test(arguments: [1, 479, 480, 481, 1100])
  func flatLogitsTakeTheMean(count: Int) {
    let workspace = Workspace(pool: WorkerPool(threadCount: 2))
    let zero = Tensor(shape: [max(count, 300), 8])
    let values = CounterGenerator.tensor("values", [count, 8])
    let out = Tensor(shape: [300, 8])
    Attention(heads: 2, headWidth: 4)(
      queries: .init(zero.data, stride: 8, count: 300), keys: .init(zero.data, stride: 8, count: count),
      values: .init(values.data, stride: 8, count: count), into: out.data, 8, workspace: workspace)
    for feature in 0..<8 {
      let mean = (0..<count).reduce(0.0) { $0 + Double(values.data[$1 * 8 + feature]) } / Double(count)
      for query in [0, 63, 64, 299] {
        #expect(abs(Double(out.data[query * 8 + feature]) - mean) < 1e-6)
      }
    }
  }
}
