import CKernels
import Layers
import Tensors

/// The dilated residual branch of a layer: `demucs.demucs.DConv`.
///
/// Each sub-layer squeezes the channels with a dilated convolution over time, opens them again into a gated linear unit,
/// and adds the result, scaled per channel, to its input. In the inner layers of an HDemucs there are an LSTM and an
/// attention between the two.
package struct DConv {
  struct SubLayer {
    let name: String
    let squeeze: Convolution
    let squeezeNorm: GroupNorm
    let lstm: BLSTM?
    let attention: LocalState?
    /// Place of `expand` among PyTorch's modules.
    let expandIndex: Int
    let expand: Convolution
    let expandNorm: GroupNorm
    /// `[channels]`.
    let layerScale: Tensor
  }

  let name: String
  let channels: Int
  let hidden: Int
  let layers: [SubLayer]

  /// - Parameters:
  ///   - depth: number of sub-layers; negative for the same number without dilation.
  ///   - compression: channels / hidden channels.
  ///   - context: what stands between squeezing and expanding.
  package init(
    _ parameters: Parameters, _ name: String, channels: Int, depth: Int, compression: Double,
    context: DConvContext = DConvContext()
  ) throws {
    self.name = name
    self.channels = channels
    hidden = Int(Double(channels) / compression)
    guard hidden >= 1 else {
      throw ConfigurationError.invalid(
        parameter: "dconv_comp", value: "\(compression)", expected: "at most the \(channels) channels of \(name)")
    }
    var layers: [SubLayer] = []
    for index in 0..<abs(depth) {
      let layer = "\(name).layers.\(index)"
      let dilation = depth > 0 ? 1 << index : 1
      let expandIndex = 3 + (context.hasLSTM ? 1 : 0) + (context.hasAttention ? 1 : 0)
      layers.append(
        SubLayer(
          name: layer,
          squeeze: try parameters.convolution(
            layer + ".0", inputs: channels, outputs: hidden, columnKernel: 3, columnPadding: dilation,
            columnDilation: dilation),
          squeezeNorm: try parameters.groupNorm(layer + ".1", groups: 1, channels: hidden),
          lstm: context.hasLSTM ? try BLSTM(parameters, layer + ".3", channels: hidden) : nil,
          attention: context.hasAttention
            ? try LocalState(parameters, "\(layer).\(expandIndex - 1)", channels: hidden) : nil,
          expandIndex: expandIndex,
          expand: try parameters.convolution("\(layer).\(expandIndex)", inputs: hidden, outputs: 2 * channels),
          expandNorm: try parameters.groupNorm("\(layer).\(expandIndex + 1)", groups: 1, channels: 2 * channels),
          layerScale: try parameters.tensor("\(layer).\(expandIndex + 3).scale", [channels])))
    }
    self.layers = layers
  }

  /// Works on one row of a map, in place, while it is in cache: norms are over that row alone, as in the frequency
  /// branch.
  /// - Parameter row: `[channels, columns]`, lines `stride` apart with zeros between them.
  package func applyToRow(
    _ row: UnsafeMutablePointer<Float>, stride: Int, columns: Int, index: Int, rows: Int, scratch: Arena,
    taps: TapRecorder?
  ) {
    for layer in layers {
      let mark = scratch.mark
      let width = (columns + 15) & ~15
      let squeezed = scratch.allocate(hidden * width)
      let expanded = scratch.allocate(2 * channels * width)
      let affine = scratch.allocate(max(4 * channels, 2 * hidden))
      layer.squeeze.apply(
        row, stride: stride, rows: 1, length: columns, row: 0, column: 0, columns: columns, into: squeezed, width,
        scratch: scratch)
      var sums = (0.0, 0.0)
      withUnsafeMutableBytes(of: &sums) {
        let sums = $0.assumingMemoryBound(to: Double.self).baseAddress!
        layer.squeezeNorm.gather(squeezed, stride: width, columns: columns, shift: layer.squeeze.bias.data, into: sums)
        layer.squeezeNorm.affine(
          sums: sums, positions: columns, added: layer.squeeze.bias.data, scale: affine, shift: affine + hidden)
      }
      taps.map { tapSqueeze($0, layer, squeezed, width, affine, index, rows, 0, columns, columns) }
      kernel_affine(
        squeezed, width, squeezed, width, hidden, columns, affine, affine + hidden, kernel_activation_gelu, nil, 0)
      taps.map { tapActivation($0, layer, squeezed, width, index, rows, 0, columns, columns) }

      layer.expand.apply(
        squeezed, stride: width, rows: 1, length: columns, row: 0, column: 0, columns: columns, into: expanded, width,
        scratch: scratch)
      sums = (0, 0)
      withUnsafeMutableBytes(of: &sums) {
        let sums = $0.assumingMemoryBound(to: Double.self).baseAddress!
        layer.expandNorm.gather(expanded, stride: width, columns: columns, shift: layer.expand.bias.data, into: sums)
        layer.expandNorm.affine(
          sums: sums, positions: columns, added: layer.expand.bias.data, scale: affine, shift: affine + 2 * channels)
      }
      taps.map { tapExpand($0, layer, expanded, width, affine, index, rows, 0, columns, columns, scratch) }
      kernel_affine_glu(
        row, stride, expanded, width, channels, columns, affine, affine + 2 * channels, layer.layerScale.data)
      scratch.rewind(to: mark)
    }
    taps?.record(
      .batch(name, rows: rows, channels: channels, columns: columns), row: index, row, stride: stride,
      channels: channels, columns: columns)
  }

  /// Whether a row cannot be done by one worker while it is in cache.
  var hasContext: Bool { layers.contains { $0.lstm != nil || $0.attention != nil } }

  /// Works on a whole map, in place, in the form that suits it.
  func apply(to map: FeatureMap, isFrequency: Bool, workspace: Workspace) {
    guard isFrequency, !hasContext else { return applyToSequence(map, workspace: workspace) }
    workspace.forEach(map.rows) { row, scratch in
      applyToRow(
        map.row(row), stride: map.stride, columns: map.columns, index: row, rows: map.rows, scratch: scratch,
        taps: workspace.taps)
    }
  }

  /// Works on a map in place, step by step and tile by tile: norms are over the whole length of a row, as in the time
  /// branch.
  /// - Parameter map: `[rows, channels, columns]`, its margin at least the largest dilation; rows know nothing of each
  ///   other.
  package func applyToSequence(_ map: FeatureMap, workspace: Workspace) {
    workspace.measure(hasContext ? "residual branch with context" : "time residual branch") { applied(map, workspace) }
  }

  private func applied(_ map: FeatureMap, _ workspace: Workspace) {
    let (rows, columns) = (map.rows, map.columns)
    let tiles = Tile.tiles(rows: rows, columns: columns, channels: 2 * channels)
    let taps = workspace.taps
    for layer in layers {
      let mark = workspace.arena.mark
      var squeezed = FeatureMap(in: workspace.arena, rows: rows, channels: hidden, columns: columns, margin: 0)
      let affine = workspace.arena.allocate(rows * 2 * hidden)
      let expandedAffine = workspace.arena.allocate(rows * 4 * channels)
      let width = squeezed.stride
      let squeezeBias = layer.squeeze.bias.data

      prepare(layer.squeezeNorm, squeezeBias, tiles, rows: rows, columns: columns, affine, workspace) {
        tile, scratch, sums in
        let out = squeezed.row(tile.row) + tile.start
        layer.squeeze.apply(
          map, row: tile.row, column: tile.start, columns: tile.count, into: out, width, scratch: scratch)
        layer.squeezeNorm.gather(out, stride: width, columns: tile.count, shift: squeezeBias, into: sums)
      }
      if let taps {
        for row in 0..<rows {
          tapSqueeze(taps, layer, squeezed.row(row), width, affine + row * 2 * hidden, row, rows, 0, columns, columns)
        }
      }
      func activate(_ tile: Tile) {
        let place = squeezed.row(tile.row) + tile.start
        let factors = affine + tile.row * 2 * hidden
        kernel_affine(
          place, width, place, width, hidden, tile.count, factors, factors + hidden, kernel_activation_gelu, nil, 0)
        taps.map { tapActivation($0, layer, place, width, tile.row, rows, tile.start, tile.count, columns) }
      }
      let hasContext = layer.lstm != nil || layer.attention != nil
      if hasContext {
        workspace.forEach(tiles) { _, tile, _ in activate(tile) }
        if let lstm = layer.lstm { squeezed = lstm(squeezed, workspace: workspace) }
        if let attention = layer.attention { attention(squeezed, workspace: workspace) }
      }
      expand(layer, squeezed, into: map, tiles, expandedAffine, workspace) { if !hasContext { activate($0) } }
      workspace.arena.rewind(to: mark)
    }
    taps?.record(.batch(name, rows: rows, channels: channels, columns: columns), map)
  }

  /// The second half of a sub-layer: 1x1 convolution, norm, gated linear unit, scaled and added to the map.
  /// - Parameter activate: done to each tile of `hiddenMap` before it is first read.
  private func expand(
    _ layer: SubLayer, _ hiddenMap: FeatureMap, into map: FeatureMap, _ tiles: [Tile],
    _ affine: UnsafeMutablePointer<Float>, _ workspace: Workspace, activate: (Tile) -> Void
  ) {
    let (rows, columns) = (map.rows, map.columns)
    let bias = layer.expand.bias.data
    func product(_ tile: Tile, _ scratch: Arena) -> UnsafeMutablePointer<Float> {
      let expanded = scratch.allocate(2 * channels * tile.count)
      layer.expand.apply(
        hiddenMap, row: tile.row, column: tile.start, columns: tile.count, into: expanded, tile.count,
        scratch: scratch)
      return expanded
    }
    prepare(layer.expandNorm, bias, tiles, rows: rows, columns: columns, affine, workspace) { tile, scratch, sums in
      activate(tile)
      layer.expandNorm.gather(
        product(tile, scratch), stride: tile.count, columns: tile.count, shift: bias, into: sums)
    }
    // The expanded channels are many and cheap to make: they are computed again rather than kept.
    workspace.forEach(tiles) { _, tile, scratch in
      let expanded = product(tile, scratch)
      let factors = affine + tile.row * 4 * channels
      workspace.taps.map {
        tapExpand($0, layer, expanded, tile.count, factors, tile.row, rows, tile.start, tile.count, columns, scratch)
      }
      kernel_affine_glu(
        map.row(tile.row) + tile.start, map.stride, expanded, tile.count, channels, tile.count, factors,
        factors + 2 * channels, layer.layerScale.data)
    }
  }

  /// Makes the factors and addends of a norm over each row, `[rows, 2, channels of the norm]`, from what `gather` finds in
  /// the tiles.
  private func prepare(
    _ norm: GroupNorm, _ added: UnsafePointer<Float>, _ tiles: [Tile], rows: Int, columns: Int,
    _ affine: UnsafeMutablePointer<Float>, _ workspace: Workspace,
    gather: (_ tile: Tile, _ scratch: Arena, _ sums: UnsafeMutablePointer<Double>) -> Void
  ) {
    let sums = sumOverTiles(tiles, workspace, rows: rows, gather)
    for row in 0..<rows {
      let factors = affine + row * 2 * norm.channels
      norm.affine(
        sums: Array(sums[2 * row..<2 * row + 2]), positions: columns, added: added, scale: factors,
        shift: factors + norm.channels)
    }
  }
}

/// What stands in the middle of each sub-layer of a residual branch: `lstm` and `attn` of `demucs.demucs.DConv`.
package struct DConvContext: Sendable, Equatable {
  let hasLSTM: Bool
  let hasAttention: Bool

  package init(hasLSTM: Bool = false, hasAttention: Bool = false) {
    self.hasLSTM = hasLSTM
    self.hasAttention = hasAttention
  }
}

/// Adds up what each tile contributes to a norm, in the order of the tiles.
/// - Parameter rows: how many rows have a norm of their own; nil for one norm over all tiles.
/// - Returns: `[rows, groups, 2]`, without the first axis if `rows` is nil.
func sumOverTiles(
  _ tiles: [Tile], _ workspace: Workspace, groups: Int = 1, rows: Int? = nil,
  _ body: (_ tile: Tile, _ scratch: Arena, _ sums: UnsafeMutablePointer<Double>) -> Void
) -> [Double] {
  let length = groups * 2
  var parts = [Double](repeating: 0, count: tiles.count * length)
  parts.withUnsafeMutableBufferPointer { buffer in
    let base = buffer.baseAddress!
    workspace.forEach(tiles) { index, tile, scratch in body(tile, scratch, base + index * length) }
  }
  guard let rows else { return sumOfParts(parts, length: length) }
  var sums = [Double](repeating: 0, count: rows * length)
  for (index, part) in parts.enumerated() { sums[tiles[index / length].row * length + index % length] += part }
  return sums
}

/// What PyTorch's modules inside a sub-layer would show.
extension DConv {
  private func tapSqueeze(
    _ taps: TapRecorder, _ layer: SubLayer, _ tile: UnsafePointer<Float>, _ stride: Int,
    _ affine: UnsafePointer<Float>, _ row: Int, _ rows: Int, _ column: Int, _ count: Int, _ columns: Int
  ) {
    for (suffix, scale, shift) in [
      (".0", nil, UnsafePointer(layer.squeeze.bias.data)), (".1", affine, affine + hidden),
    ] {
      taps.record(
        .batch(layer.name + suffix, rows: rows, channels: hidden, columns: columns), row: row, column: column, tile,
        stride: stride, channels: hidden, columns: count, scale: scale, shift: shift)
    }
  }

  private func tapActivation(
    _ taps: TapRecorder, _ layer: SubLayer, _ tile: UnsafePointer<Float>, _ stride: Int, _ row: Int, _ rows: Int,
    _ column: Int, _ count: Int, _ columns: Int
  ) {
    taps.record(
      .batch(layer.name + ".2", rows: rows, channels: hidden, columns: columns), row: row, column: column, tile,
      stride: stride, channels: hidden, columns: count)
  }

  private func tapExpand(
    _ taps: TapRecorder, _ layer: SubLayer, _ tile: UnsafePointer<Float>, _ stride: Int,
    _ affine: UnsafePointer<Float>, _ row: Int, _ rows: Int, _ column: Int, _ count: Int, _ columns: Int,
    _ scratch: Arena
  ) {
    let shift = affine + 2 * channels
    for (suffix, scale, shift) in [
      (".\(layer.expandIndex)", nil, UnsafePointer(layer.expand.bias.data)),
      (".\(layer.expandIndex + 1)", affine, shift),
    ] {
      taps.record(
        .batch(layer.name + suffix, rows: rows, channels: 2 * channels, columns: columns), row: row, column: column,
        tile, stride: stride, channels: 2 * channels, columns: count, scale: scale, shift: shift)
    }
    let gated = scratch.allocate(channels * count)
    kernel_affine_glu(gated, count, tile, stride, channels, count, affine, shift, nil)
    for (suffix, scale) in [
      (".\(layer.expandIndex + 2)", nil), (".\(layer.expandIndex + 3)", UnsafePointer(layer.layerScale.data)),
      ("", UnsafePointer(layer.layerScale.data)),
    ] {
      taps.record(
        .batch(layer.name + suffix, rows: rows, channels: channels, columns: columns), row: row, column: column,
        gated, stride: count, channels: channels, columns: count, scale: scale)
    }
  }
}
