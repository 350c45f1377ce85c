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

  package init(
    _ parameters: Parameters, _ name: String, _ configuration: TransformerConfiguration, isCross: Bool
  ) throws {
    self.name = name
    self.isCross = isCross
    let width = configuration.width
    self.width = width
    normFirst = configuration.normFirst
    attention = Attention(heads: configuration.heads, headWidth: width / configuration.heads)
    attentionName = name + (isCross ? ".cross_attn" : ".self_attn")
    inProjection = Linear(
      weight: try parameters.tensor(attentionName + ".in_proj_weight", [3 * width, width]),
      bias: try parameters.tensor(attentionName + ".in_proj_bias", [3 * width]))
    outProjection = try parameters.linear(attentionName + ".out_proj", inputs: width, outputs: width)
    linear1 = try parameters.linear(name + ".linear1", inputs: width, outputs: configuration.hiddenWidth)
    linear2 = try parameters.linear(name + ".linear2", inputs: configuration.hiddenWidth, outputs: width)
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
    gamma1 = configuration.hasLayerScale ? try parameters.tensor(name + ".gamma_1.scale", [width]) : nil
    gamma2 = configuration.hasLayerScale ? try parameters.tensor(name + ".gamma_2.scale", [width]) : nil
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
        out, tile.count, outputs.count, outputs.count, nil, inProjection.bias.data + outputs.lowerBound,
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
        tapBranch(
          taps, [attentionName, name + ".dropout1"], name + ".gamma_1", out, outProjection.bias, gamma1, x, tile)
      }
      kernel_token_residual(
        x.data + tile.start * width, width, out, width, tile.count, width, gamma1?.data, outProjection.bias.data)
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
        width: hiddenWidth, shift: linear1.bias.data)
      kernel_token_affine(
        hidden, tile.count, hiddenWidth, hiddenWidth, nil, linear1.bias.data, activation)
      taps?.recordTokens(
        name + ".dropout", count: x.count, first: tile.start, hidden, stride: hiddenWidth, tokens: tile.count,
        width: hiddenWidth)
      let out = scratch.allocate(tile.count * width)
      linear2.apply(hidden, hiddenWidth, tokens: tile.count, into: out, width)
      if let taps {
        tapBranch(
          taps, [name + ".linear2", name + ".dropout2"], name + ".gamma_2", out, linear2.bias, gamma2, x, tile)
      }
      kernel_token_residual(tokens, width, out, width, tile.count, width, gamma2?.data, linear2.bias.data)
    }
  }

  private func normalise(_ x: Tokens, _ norm: TokenNorm, _ tap: String, _ workspace: Workspace) {
    normaliseTokens(x, norm, tap, workspace)
  }

  private func tapBranch(
    _ taps: TapRecorder, _ plain: [String], _ scaled: String, _ out: UnsafePointer<Float>, _ bias: Tensor,
    _ gamma: Tensor?, _ x: Tokens, _ tile: Tile
  ) {
    for tap in plain {
      taps.recordTokens(
        tap, count: x.count, first: tile.start, out, stride: width, tokens: tile.count, width: width, shift: bias.data)
    }
    let shift = (0..<width).map { (gamma?.data[$0] ?? 1) * bias.data[$0] }
    taps.recordTokens(
      scaled, count: x.count, first: tile.start, out, stride: width, tokens: tile.count, width: width,
      scale: gamma.map { UnsafePointer($0.data) }, shift: shift)
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
    return .layer(
      weight: try tensor(name + ".weight", [width]), bias: try tensor(name + ".bias", [width]), epsilon: 1e-5)
  }
}
