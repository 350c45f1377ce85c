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
    /// What the results of GELU, gated linear unit (float if the scale stores it), layer scale and residual sum are stored in.
    let storage: (activation: NumberFormat, gate: NumberFormat, scaled: NumberFormat, sum: NumberFormat)
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
      let gate = parameters.plan.precision(.activation, "\(layer).\(expandIndex + 2)")
      let scale = try parameters.layerScale("\(layer).\(expandIndex + 3)", channels)
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
          layerScale: scale.scale,
          storage: (
            parameters.storage(.activation, layer + ".2"), gate.isFused(with: scale.storage) ? .fp32 : gate.storage,
            scale.storage, parameters.storage(.addition, layer)
          )))
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
    let place = Place(row: index, rows: rows, column: 0, count: columns, columns: columns)
    for layer in layers {
      let mark = scratch.mark
      let width = (columns + 15) & ~15
      let squeezed = scratch.allocate(hidden * width)
      let expanded = scratch.allocate(2 * channels * width)
      let affine = scratch.allocate(max(4 * channels, 2 * hidden))
      layer.squeeze.apply(
        row, stride: stride, rows: 1, length: columns, row: 0, column: 0, columns: columns, into: squeezed, width,
        scratch: scratch)
      prepare(layer.squeezeNorm, layer.squeeze.remainingBias, squeezed, width, columns, into: affine)
      tapSqueeze(taps, layer, squeezed, width, place)
      activate(layer, squeezed, width, place, affine, taps)

      layer.expand.apply(
        squeezed, stride: width, rows: 1, length: columns, row: 0, column: 0, columns: columns, into: expanded, width,
        scratch: scratch)
      prepare(layer.expandNorm, layer.expand.remainingBias, expanded, width, columns, into: affine)
      addGated(layer, expanded, width, place, affine, to: row, stride, scratch, taps)
      scratch.rewind(to: mark)
    }
    taps?.record(
      .batch(name, rows: rows, channels: channels, columns: columns), row: index, row, stride: stride,
      channels: channels, columns: columns)
  }

  /// The factors and addends of a norm over one row.
  private func prepare(
    _ norm: GroupNorm, _ added: UnsafePointer<Float>, _ row: UnsafePointer<Float>, _ stride: Int, _ columns: Int,
    into affine: UnsafeMutablePointer<Float>
  ) {
    var sums = (0.0, 0.0)
    withUnsafeMutableBytes(of: &sums) {
      let sums = $0.assumingMemoryBound(to: Double.self).baseAddress!
      norm.gather(row, stride: stride, columns: columns, shift: added, into: sums)
      norm.affine(sums: sums, positions: columns, added: added, scale: affine, shift: affine + norm.channels)
    }
  }

  /// Norm and GELU on squeezed channels, in place.
  private func activate(
    _ layer: SubLayer, _ tile: UnsafeMutablePointer<Float>, _ stride: Int, _ place: Place,
    _ affine: UnsafePointer<Float>, _ taps: TapRecorder?
  ) {
    let (scale, shift) = layer.squeezeNorm.settle(
      tile, stride: stride, columns: place.count, scale: affine, shift: affine + hidden)
    tap(taps, layer, ".1", hidden, tile, stride, place, scale: scale, shift: shift)
    kernel_affine(
      tile, stride, tile, stride, hidden, place.count, scale, shift, kernel_activation_gelu, nil, 0)
    layer.storage.activation.round(tile, stride: stride, lines: hidden, columns: place.count)
    tap(taps, layer, ".2", hidden, tile, stride, place)
  }

  /// Norm, gated linear unit and layer scale on expanded channels, added to `out`.
  /// - Parameter expanded: written over.
  private func addGated(
    _ layer: SubLayer, _ expanded: UnsafeMutablePointer<Float>, _ stride: Int, _ place: Place,
    _ affine: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>, _ outStride: Int, _ scratch: Arena,
    _ taps: TapRecorder?
  ) {
    let index = layer.expandIndex
    let columns = place.count
    tap(taps, layer, ".\(index)", 2 * channels, expanded, stride, place, shift: layer.expand.remainingBias)
    let (scale, shift) = layer.expandNorm.settle(
      expanded, stride: stride, columns: columns, scale: affine, shift: affine + 2 * channels)
    tap(taps, layer, ".\(index + 1)", 2 * channels, expanded, stride, place, scale: scale, shift: shift)
    let (_, gate, scaled, sum) = layer.storage
    let isStored = gate.isNarrow || scaled.isNarrow
    if isStored || taps != nil {
      let gated = scratch.allocate(channels * stride)
      kernel_affine_glu(gated, stride, expanded, stride, channels, columns, scale, shift, nil)
      gate.round(gated, stride: stride, lines: channels, columns: columns)
      tap(taps, layer, ".\(index + 2)", channels, gated, stride, place)
      kernel_affine(
        gated, stride, gated, stride, channels, columns, layer.layerScale.data, nil, kernel_identity, nil, 0)
      scaled.round(gated, stride: stride, lines: channels, columns: columns)
      tap(taps, layer, ".\(index + 3)", channels, gated, stride, place)
      tap(taps, layer, "", channels, gated, stride, place)
      if isStored { kernel_add(out, outStride, gated, stride, channels, columns) }
    }
    if !isStored {
      kernel_affine_glu(
        out, outStride, expanded, stride, channels, columns, scale, shift, layer.layerScale.data)
    }
    sum.round(out, stride: outStride, lines: channels, columns: columns)
  }

  /// Whether a row cannot be done by one worker while it is in cache.
  var hasContext: Bool { layers.contains { $0.lstm != nil || $0.attention != nil } }

  /// Works on a whole map, in place, in the form that suits it.
  func apply(to map: FeatureMap, isFrequency: Bool, workspace: Workspace) {
    guard isFrequency, Tile.suitRows(map.rows), !hasContext else { return applyToSequence(map, workspace: workspace) }
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
      let squeezeBias = layer.squeeze.remainingBias

      prepare(layer.squeezeNorm, squeezeBias, tiles, rows: rows, columns: columns, affine, workspace) {
        tile, scratch, sums in
        let out = squeezed.row(tile.row) + tile.start
        layer.squeeze.apply(
          map, row: tile.row, column: tile.start, columns: tile.count, into: out, width, scratch: scratch)
        layer.squeezeNorm.gather(out, stride: width, columns: tile.count, shift: squeezeBias, into: sums)
      }
      for row in 0..<rows where taps != nil {
        tapSqueeze(
          taps, layer, squeezed.row(row), width,
          Place(row: row, rows: rows, column: 0, count: columns, columns: columns))
      }
      func activate(_ tile: Tile) {
        self.activate(
          layer, squeezed.row(tile.row) + tile.start, width, Place(tile, in: map), affine + tile.row * 2 * hidden, taps)
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
    let bias = layer.expand.remainingBias
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
      addGated(
        layer, expanded, tile.count, Place(tile, in: map), affine + tile.row * 4 * channels,
        to: map.row(tile.row) + tile.start, map.stride, scratch, workspace.taps)
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
  /// Columns of a row of a map.
  private struct Place {
    let row: Int
    let rows: Int
    let column: Int
    let count: Int
    let columns: Int

    init(row: Int, rows: Int, column: Int, count: Int, columns: Int) {
      (self.row, self.rows, self.column, self.count, self.columns) = (row, rows, column, count, columns)
    }

    init(_ tile: Tile, in map: FeatureMap) {
      self.init(row: tile.row, rows: map.rows, column: tile.start, count: tile.count, columns: map.columns)
    }
  }

  private func tapSqueeze(
    _ taps: TapRecorder?, _ layer: SubLayer, _ tile: UnsafePointer<Float>, _ stride: Int, _ place: Place
  ) {
    tap(taps, layer, ".0", hidden, tile, stride, place, shift: layer.squeeze.remainingBias)
  }

  private func tap(
    _ taps: TapRecorder?, _ layer: SubLayer, _ suffix: String, _ channels: Int, _ tile: UnsafePointer<Float>,
    _ stride: Int, _ place: Place, scale: UnsafePointer<Float>? = nil, shift: UnsafePointer<Float>? = nil
  ) {
    taps?.record(
      .batch(layer.name + suffix, rows: place.rows, channels: channels, columns: place.columns), row: place.row,
      column: place.column, tile, stride: stride, channels: channels, columns: place.count, scale: scale, shift: shift)
  }
}
