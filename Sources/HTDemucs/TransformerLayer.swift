import CKernels
import Layers
import Tensors

/// A sequence of tokens, `[count, width]`, in an arena.
package struct Tokens {
  package let data: UnsafeMutablePointer<Float>
  let count: Int
  let width: Int

  package init(in arena: Arena, count: Int, width: Int) {
    data = arena.allocate(count * width)
    self.count = count
    self.width = width
  }

  /// What a worker takes at a time: few enough tokens for their hidden features to stay in cache, in a number of tiles
  /// that 2, 4 or 8 threads share evenly.
  var tiles: [Tile] {
    let rounds = max(1, (count + 8 * 192 - 1) / (8 * 192))
    let size = max(16, (count + 8 * rounds - 1) / (8 * rounds))
    return stride(from: 0, to: count, by: size).map {
      Tile(row: 0, start: $0, count: min(size, count - $0))
    }
  }
}

/// One layer of one branch of the transformer: `demucs.transformer.MyTransformerEncoderLayer` (attention to its own
/// sequence) or `CrossTransformerEncoderLayer` (attention to the other branch).
package struct TransformerLayer {
  let name: String
  let isCross: Bool
  private let width: Int
  private let attention: Attention
  private let inProjection: Linear
  private let outProjection: Linear
  private let linear1: Linear
  private let linear2: Linear
  /// Before the attention: of the queries, and in a cross layer of what they look at.
  private let norm1: TokenNorm
  private let memoryNorm: TokenNorm?
  /// Before the feed-forward block when norms come first; after it otherwise.
  private let norm2: TokenNorm
  private let norm2Name: String
  private let normOut: TokenNorm?
  private let gamma1: Tensor?
  private let gamma2: Tensor?
  private let normFirst: Bool
  private let activation: kernel_activation
  private let attentionName: String
  /// What the results of the activation, of the two layer scales and of the residual sums are stored in.
  private let storage: (activation: NumberFormat, gamma1: NumberFormat, gamma2: NumberFormat, sum: NumberFormat)

  package init(
    _ parameters: Parameters, _ name: String, _ configuration: TransformerConfiguration, isCross: Bool
  ) throws {
    self.name = name
    self.isCross = isCross
    let width = configuration.width
    self.width = width
    normFirst = configuration.normFirst
    attentionName = name + (isCross ? ".cross_attn" : ".self_attn")
    attention = Attention(
      heads: configuration.heads, headWidth: width / configuration.heads,
      precision: parameters.attention(attentionName, depth: width / configuration.heads))
    inProjection = try parameters.linear(
      attentionName, inputs: width, outputs: 3 * width,
      parameterNames: (attentionName + ".in_proj_weight", attentionName + ".in_proj_bias"))
    let scale1 = configuration.hasLayerScale ? try parameters.layerScale(name + ".gamma_1", width) : nil
    let scale2 = configuration.hasLayerScale ? try parameters.layerScale(name + ".gamma_2", width) : nil
    gamma1 = scale1?.scale
    gamma2 = scale2?.scale
    storage = (
      parameters.storage(.activation, name), scale1?.storage ?? .fp32, scale2?.storage ?? .fp32,
      parameters.storage(.addition, name)
    )
    outProjection = try parameters.linear(
      attentionName + ".out_proj", inputs: width, outputs: width, next: scale1?.storage)
    linear1 = try parameters.linear(
      name + ".linear1", inputs: width, outputs: configuration.hiddenWidth, next: storage.activation)
    linear2 = try parameters.linear(
      name + ".linear2", inputs: configuration.hiddenWidth, outputs: width, next: scale2?.storage)
    activation = configuration.usesGELU ? kernel_activation_gelu : kernel_activation_relu

    let groups = configuration.normGroups
    norm1 = try parameters.tokenNorm(name + ".norm1", groups: groups, width: width)
    let second = try parameters.tokenNorm(name + ".norm2", groups: groups, width: width)
    if isCross {
      let third = try parameters.tokenNorm(name + ".norm3", groups: groups, width: width)
      memoryNorm = second
      norm2 = configuration.normFirst ? third : second
      norm2Name = name + (configuration.normFirst ? ".norm3" : ".norm2")
    } else {
      memoryNorm = nil
      norm2 = second
      norm2Name = name + ".norm2"
    }
    normOut =
      configuration.normOutGroups > 0
      ? try parameters.tokenNorm(name + ".norm_out", groups: configuration.normOutGroups, width: width) : nil
  }

  /// Updates `x` in place.
  /// - Parameter memory: the other branch's tokens, in a cross layer; left as they are.
  package func callAsFunction(_ x: Tokens, memory: Tokens? = nil, workspace: Workspace) {
    let mark = workspace.arena.mark
    let attended = Tokens(in: workspace.arena, count: x.count, width: width)
    workspace.measure("attention, projections") {
      if let memory {
        attend(x, to: memory, into: attended, workspace)
      } else {
        attend(x, into: attended, workspace)
      }
      addAttention(attended, to: x, workspace)
    }
    if !normFirst { normalise(x, norm1, name + ".norm1", workspace) }
    workspace.measure("feed-forward") { feedForward(x, workspace) }
    if !normFirst { normalise(x, norm2, norm2Name, workspace) }
    if let normOut { normalise(x, normOut, name + ".norm_out", workspace) }
    workspace.taps?.recordTokens(
      name, count: x.count, first: 0, x.data, stride: width, tokens: x.count, width: width)
    workspace.arena.rewind(to: mark)
  }

  /// Projects (normed) tokens to some of the queries, keys and values.
  private func project(
    _ x: Tokens, _ norm: TokenNorm?, _ normName: String, _ outputs: Range<Int>, _ workspace: Workspace
  ) -> Tokens {
    let result = Tokens(in: workspace.arena, count: x.count, width: outputs.count)
    let prepared = norm?.prepare(x.data, tokens: x.count, width: width, workspace: workspace)
    workspace.forEach(x.tiles) { _, tile, scratch in
      var source = UnsafePointer(x.data + tile.start * width)
      if let prepared {
        let normed = scratch.allocate(tile.count * width)
        prepared.apply(source, tokens: tile.count, width: width, into: normed)
        source = UnsafePointer(normed)
        workspace.taps?.recordTokens(
          normName, count: x.count, first: tile.start, source, stride: width, tokens: tile.count, width: width)
      }
      let out = result.data + tile.start * outputs.count
      inProjection.apply(source, width, tokens: tile.count, outputs: outputs, into: out, outputs.count)
      kernel_token_affine(
        out, tile.count, outputs.count, outputs.count, nil, inProjection.remainingBias + outputs.lowerBound,
        kernel_identity)
    }
    return result
  }

  private func attend(_ x: Tokens, into out: Tokens, _ workspace: Workspace) {
    let all = project(x, normFirst ? norm1 : nil, name + ".norm1", 0..<3 * width, workspace)
    workspace.measure("attention") {
      attention(
        queries: .init(all.data, stride: 3 * width, count: x.count),
        keys: .init(all.data + width, stride: 3 * width, count: x.count),
        values: .init(all.data + 2 * width, stride: 3 * width, count: x.count), into: out.data, width,
        workspace: workspace)
    }
  }

  private func attend(_ x: Tokens, to memory: Tokens, into out: Tokens, _ workspace: Workspace) {
    let queries = project(x, normFirst ? norm1 : nil, name + ".norm1", 0..<width, workspace)
    let pairs = project(
      memory, normFirst ? memoryNorm : nil, name + ".norm2", width..<3 * width, workspace)
    workspace.measure("attention") {
      attention(
        queries: .init(queries.data, stride: width, count: x.count),
        keys: .init(pairs.data, stride: 2 * width, count: memory.count),
        values: .init(pairs.data + width, stride: 2 * width, count: memory.count), into: out.data, width,
        workspace: workspace)
    }
  }

  private func addAttention(_ attended: Tokens, to x: Tokens, _ workspace: Workspace) {
    workspace.forEach(x.tiles) { _, tile, scratch in
      let out = scratch.allocate(tile.count * width)
      outProjection.apply(
        attended.data + tile.start * width, width, tokens: tile.count, into: out, width)
      if let taps = workspace.taps {
        tapBranch(taps, [attentionName, name + ".dropout1"], out, outProjection.remainingBias, x, tile)
      }
      addBranch(
        out, outProjection.remainingBias, gamma1, storage.gamma1, name + ".gamma_1", to: x, tile, workspace.taps)
    }
  }

  private func feedForward(_ x: Tokens, _ workspace: Workspace) {
    let prepared = normFirst ? norm2.prepare(x.data, tokens: x.count, width: width, workspace: workspace) : nil
    let hiddenWidth = linear1.outputWidth
    workspace.forEach(x.tiles) { _, tile, scratch in
      let tokens = x.data + tile.start * width
      var source = UnsafePointer(tokens)
      let taps = workspace.taps
      if let prepared {
        let normed = scratch.allocate(tile.count * width)
        prepared.apply(source, tokens: tile.count, width: width, into: normed)
        source = UnsafePointer(normed)
        taps?.recordTokens(
          norm2Name, count: x.count, first: tile.start, source, stride: width, tokens: tile.count, width: width)
      }
      let hidden = scratch.allocate(tile.count * hiddenWidth)
      linear1.apply(source, width, tokens: tile.count, into: hidden, hiddenWidth)
      taps?.recordTokens(
        name + ".linear1", count: x.count, first: tile.start, hidden, stride: hiddenWidth, tokens: tile.count,
        width: hiddenWidth, shift: linear1.remainingBias)
      kernel_token_affine(
        hidden, tile.count, hiddenWidth, hiddenWidth, nil, linear1.remainingBias, activation)
      storage.activation.round(hidden, count: tile.count * hiddenWidth)
      taps?.recordTokens(
        name + ".dropout", count: x.count, first: tile.start, hidden, stride: hiddenWidth, tokens: tile.count,
        width: hiddenWidth)
      let out = scratch.allocate(tile.count * width)
      linear2.apply(hidden, hiddenWidth, tokens: tile.count, into: out, width)
      if let taps {
        tapBranch(taps, [name + ".linear2", name + ".dropout2"], out, linear2.remainingBias, x, tile)
      }
      addBranch(out, linear2.remainingBias, gamma2, storage.gamma2, name + ".gamma_2", to: x, tile, taps)
    }
  }

  private func normalise(_ x: Tokens, _ norm: TokenNorm, _ tap: String, _ workspace: Workspace) {
    normaliseTokens(x, norm, tap, workspace)
  }

  /// x += gamma (branch + bias).
  /// - Parameter branch: a tile; written over where its scaled values are stored in less than float.
  private func addBranch(
    _ branch: UnsafeMutablePointer<Float>, _ bias: UnsafePointer<Float>, _ gamma: Tensor?, _ scaled: NumberFormat,
    _ scaledName: String, to x: Tokens, _ tile: Tile, _ taps: TapRecorder?
  ) {
    let place = x.data + tile.start * width
    let isStored = gamma != nil && scaled.isNarrow
    if let gamma, isStored {
      let shift = (0..<width).map { gamma.data[$0] * bias[$0] }
      kernel_token_affine(branch, tile.count, width, width, gamma.data, shift, kernel_identity)
      scaled.round(branch, count: tile.count * width)
      taps?.recordTokens(
        scaledName, count: x.count, first: tile.start, branch, stride: width, tokens: tile.count, width: width)
      kernel_add(place, width, branch, width, tile.count, width)
    } else {
      if let taps {
        let shift = (0..<width).map { (gamma?.data[$0] ?? 1) * bias[$0] }
        taps.recordTokens(
          scaledName, count: x.count, first: tile.start, branch, stride: width, tokens: tile.count, width: width,
          scale: gamma.map { UnsafePointer($0.data) }, shift: shift)
      }
      kernel_token_residual(place, width, branch, width, tile.count, width, gamma?.data, bias)
    }
    storage.sum.round(place, count: tile.count * width)
  }

  private func tapBranch(
    _ taps: TapRecorder, _ names: [String], _ out: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ x: Tokens,
    _ tile: Tile
  ) {
    for name in names {
      taps.recordTokens(
        name, count: x.count, first: tile.start, out, stride: width, tokens: tile.count, width: width, shift: bias)
    }
  }
}

/// x = norm(x), tile by tile.
func normaliseTokens(_ x: Tokens, _ norm: TokenNorm, _ tap: String, _ workspace: Workspace) {
  workspace.measure("norms of tokens") {
    let prepared = norm.prepare(x.data, tokens: x.count, width: x.width, workspace: workspace)
    workspace.forEach(x.tiles) { _, tile, _ in
      let place = x.data + tile.start * x.width
      prepared.apply(place, tokens: tile.count, width: x.width, into: place)
      workspace.taps?.recordTokens(
        tap, count: x.count, first: tile.start, place, stride: x.width, tokens: tile.count, width: x.width)
    }
  }
}

extension Parameters {
  /// A layer norm, or with `groups` above 0 a group norm over all tokens.
  func tokenNorm(_ name: String, groups: Int, width: Int) throws -> TokenNorm {
    if groups > 0 { return .group(try groupNorm(name, groups: groups, channels: width)) }
    let precision = plan.precision(.norm, name, parameters: 2 * width)
    return .layer(
      weight: precision.storage.rounded(try tensor(name + ".weight", [width])),
      bias: precision.storage.rounded(try tensor(name + ".bias", [width])), epsilon: 1e-5, precision: precision)
  }
}
