import CKernels
import Layers
import Tensors

/// What lets a residual branch look around: `demucs.demucs.LocalState` with `heads=4, ndecay=4`.
///
/// Attention over time without any positions but distance. Of four slopes, 1 to 4 over two, each query mixes its own decay.
package struct LocalState {
  let name: String
  private let channels: Int
  private let attention: DistanceAttention
  private let content: Convolution
  private let query: Convolution
  private let key: Convolution
  private let queryDecay: Convolution
  private let projection: Convolution
  /// What the sigmoids of the decays, and the sum at the end, are stored in.
  private let decayStorage: NumberFormat
  private let sumStorage: NumberFormat

  static let heads = 4
  private static let decays = 4

  package init(_ parameters: Parameters, _ name: String, channels: Int) throws {
    guard channels % Self.heads == 0 else {
      throw ConfigurationError.inconsistent(
        "the \(Self.heads) heads of \(name) do not divide its \(channels) channels (dconv_comp, dconv_attn)")
    }
    self.name = name
    self.channels = channels
    attention = DistanceAttention(
      heads: Self.heads, headWidth: channels / Self.heads, selfScore: -100,
      precision: parameters.attention(name, depth: channels / Self.heads))
    decayStorage = parameters.storage(.activation, name)
    sumStorage = parameters.storage(.addition, name)
    func convolution(_ suffix: String, _ outputs: Int, next: NumberFormat? = nil) throws -> Convolution {
      try parameters.convolution("\(name).\(suffix)", inputs: channels, outputs: outputs, next: next)
    }
    content = try convolution("content", channels)
    query = try convolution("query", channels)
    key = try convolution("key", channels)
    queryDecay = try convolution("query_decay", Self.heads * Self.decays, next: decayStorage)
    projection = try convolution("proj", channels)
  }

  /// Updates `x`, `[rows, channels, columns]`, in place: x + proj(attention(x)). Rows know nothing of each other.
  package func callAsFunction(_ x: FeatureMap, workspace: Workspace) {
    let mark = workspace.arena.mark
    workspace.measure("local attention") { run(x, workspace) }
    workspace.taps?.record(.batch(name, rows: x.rows, channels: channels, columns: x.columns), x)
    workspace.arena.rewind(to: mark)
  }

  private func run(_ x: FeatureMap, _ workspace: Workspace) {
    let queries = project(x, query, ".query", workspace)
    let keys = project(x, key, ".key", workspace)
    let values = project(x, content, ".content", workspace)
    let decay = mix(project(x, queryDecay, ".query_decay", workspace), workspace)
    let attended = FeatureMap(in: workspace.arena, rows: x.rows, channels: channels, columns: x.columns, margin: 0)
    attention(queries: queries, keys: keys, values: values, decay: decay, into: attended, workspace: workspace)
    let added = project(attended, projection, ".proj", workspace)
    workspace.forEach(x.rows) { row, _ in
      kernel_add(x.row(row), x.stride, added.row(row), added.stride, channels, x.columns)
      sumStorage.round(x.row(row), stride: x.stride, lines: channels, columns: x.columns)
    }
  }

  /// A 1x1 convolution with its bias.
  private func project(
    _ x: FeatureMap, _ convolution: Convolution, _ suffix: String, _ workspace: Workspace
  ) -> FeatureMap {
    let outputs = convolution.outputChannels
    let output = FeatureMap(in: workspace.arena, rows: x.rows, channels: outputs, columns: x.columns, margin: 0)
    let tiles = Tile.tiles(rows: x.rows, columns: x.columns, channels: channels + outputs)
    workspace.forEach(tiles) { _, tile, scratch in
      let out = output.row(tile.row) + tile.start
      convolution.apply(
        x, row: tile.row, column: tile.start, columns: tile.count, into: out, output.stride, scratch: scratch)
      kernel_affine(
        out, output.stride, out, output.stride, outputs, tile.count, nil, convolution.remainingBias, kernel_identity,
        nil, 0
      )
    }
    workspace.taps?.record(
      .batch(name + suffix, rows: x.rows, channels: outputs, columns: x.columns), output)
    return output
  }

  /// The decay of each query: the sum of the slopes k / sqrt(4), each times sigmoid(x) / 2.
  /// - Parameter x: `[rows, heads x slopes, columns]`; written over.
  /// - Returns: `[rows, heads, columns]`.
  private func mix(_ x: FeatureMap, _ workspace: Workspace) -> FeatureMap {
    let output = FeatureMap(in: workspace.arena, rows: x.rows, channels: Self.heads, columns: x.columns, margin: 0)
    let root = Float(Self.decays).squareRoot()
    workspace.forEach(x.rows) { row, _ in
      for head in 0..<Self.heads {
        let out = output.line(row: row, channel: head)
        out.update(repeating: 0, count: x.columns)
        for decay in 0..<Self.decays {
          let line = x.line(row: row, channel: head * Self.decays + decay)
          kernel_sigmoid(line, x.columns)
          decayStorage.round(line, count: x.columns)
          let slope = Float(decay + 1) / root / 2
          for column in 0..<x.columns { out[column] += slope * line[column] }
        }
      }
    }
    return output
  }
}
