import Foundation
import GoldenSupport
import Layers
import Tensors
import Testing

/// Attention that fades with distance, against its formula in double precision.
struct DistanceAttentionTests {
  struct Shape: CustomTestStringConvertible, Sendable {
    let heads: Int
    let headWidth: Int
    let rows: Int
    let columns: Int
    /// Largest decay of a query: 0 looks at all keys alike, 50 at the neighbours alone.
    let decay: Float
    var testDescription: String { "\(heads)x\(headWidth), \(rows)x\(columns), decay \(decay)" }
  }

  static let shapes = [
    Shape(heads: 1, headWidth: 1, rows: 1, columns: 1, decay: 1),
    Shape(heads: 2, headWidth: 3, rows: 2, columns: 2, decay: 1),
    Shape(heads: 4, headWidth: 5, rows: 3, columns: 65, decay: 0.5),
    // Several tiles of queries and of keys, all of which count.
    Shape(heads: 2, headWidth: 16, rows: 1, columns: 1100, decay: 0.01),
    Shape(heads: 1, headWidth: 17, rows: 2, columns: 961, decay: 0),
    Shape(heads: 1, headWidth: 4, rows: 1, columns: 1000, decay: 50),
  ]

  @Test(arguments: shapes, [1, 3]) func equalsItsFormula(_ shape: Shape, threads: Int) {
    let channels = shape.heads * shape.headWidth
    let workspace = Workspace(pool: WorkerPool(threadCount: threads))
    func tensor(_ name: String, _ channels: Int, scale: Float, offset: Float = 0) -> Tensor {
      CounterGenerator.tensor(name, [channels, shape.rows, shape.columns], scale: scale, offset: offset)
    }
    let (q, k, v) = (tensor("q", channels, scale: 2), tensor("k", channels, scale: 2), tensor("v", channels, scale: 1))
    let decay = tensor("decay", shape.heads, scale: shape.decay / 2, offset: shape.decay / 2)
    let output = FeatureMap(
      in: workspace.arena, rows: shape.rows, channels: channels, columns: shape.columns, margin: 0)
    DistanceAttention(heads: shape.heads, headWidth: shape.headWidth, selfScore: -100)(
      queries: FeatureMap(q, in: workspace.arena), keys: FeatureMap(k, in: workspace.arena),
      values: FeatureMap(v, in: workspace.arena), decay: FeatureMap(decay, in: workspace.arena), into: output,
      workspace: workspace)
    #expect(output.hasCleanMargins)
    let found = output.image
    var (squares, total) = (0.0, 0.0)
    for row in 0..<shape.rows {
      for head in 0..<shape.heads {
        for query in stride(from: 0, to: shape.columns, by: shape.columns > 100 ? 37 : 1) {
          func at(_ tensor: Tensor, _ channel: Int, _ column: Int) -> Double {
            Double(tensor.data[(channel * shape.rows + row) * shape.columns + column])
          }
          let scores = (0..<shape.columns).map { key -> Double in
            guard key != query else { return -100 }
            let product = (0..<shape.headWidth).reduce(0.0) {
              $0 + at(q, head * shape.headWidth + $1, query) * at(k, head * shape.headWidth + $1, key)
            }
            return product / Double(shape.headWidth).squareRoot() - at(decay, head, query) * Double(abs(query - key))
          }
          let peak = scores.max() ?? 0
          let weights = scores.map { exp($0 - peak) }
          let sum = weights.reduce(0, +)
          for channel in head * shape.headWidth..<(head + 1) * shape.headWidth {
            let expected = weights.enumerated().reduce(0.0) { $0 + $1.element * at(v, channel, $1.offset) } / sum
            let difference = at(found, channel, query) - expected
            squares += difference.isNaN ? .infinity : difference * difference
            total += expected * expected
          }
        }
      }
    }
    #expect((squares / total).squareRoot() < 2e-6, "relative RMS error \((squares / total).squareRoot())")
  }
}
