import CKernels
import Layers
import Tensors

/// The dilated residual branch of a layer: `demucs.demucs.DConv`.
///
/// Each sub-layer squeezes the channels with a dilated convolution over time, opens them again into a gated linear unit,
/// and adds the result, scaled per channel, to its input.
package struct DConv {
  struct SubLayer {
    let name: String
    let squeeze: Convolution
    let squeezeNorm: GroupNorm
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
  package init(_ parameters: Parameters, _ name: String, channels: Int, depth: Int, compression: Double) throws {
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
      layers.append(
        SubLayer(
          name: layer,
          squeeze: try parameters.convolution(
            layer + ".0", inputs: channels, outputs: hidden, columnKernel: 3, columnPadding: dilation,
            columnDilation: dilation),
          squeezeNorm: try parameters.groupNorm(layer + ".1", groups: 1, channels: hidden),
          expand: try parameters.convolution(layer + ".3", inputs: hidden, outputs: 2 * channels),
          expandNorm: try parameters.groupNorm(layer + ".4", groups: 1, channels: 2 * channels),
          layerScale: try parameters.tensor(layer + ".6.scale", [channels])))
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

  /// Works on a map of one row, in place, tile by tile: norms are over the whole length, as in the time branch.
  /// - Parameter map: `[1, channels, columns]`, its margin at least the largest dilation.
  package func applyToSequence(_ map: FeatureMap, workspace: Workspace) {
    workspace.measure("time residual branch") { applied(map, workspace) }
  }

  private func applied(_ map: FeatureMap, _ workspace: Workspace) {
    let columns = map.columns
    let tiles = Tile.tiles(rows: 1, columns: columns, channels: 2 * channels)
    let taps = workspace.taps
    for layer in layers {
      let mark = workspace.arena.mark
      let squeezed = FeatureMap(in: workspace.arena, rows: 1, channels: hidden, columns: columns, margin: 0)
      let affine = workspace.arena.allocate(2 * hidden)
      let expandedAffine = workspace.arena.allocate(4 * channels)
      let width = squeezed.stride
      let squeezeBias = layer.squeeze.bias.data
      let expandBias = layer.expand.bias.data

      var sums = sumOverTiles(tiles, workspace) { tile, scratch, sums in
        let out = squeezed.data + tile.start
        layer.squeeze.apply(
          map, row: 0, column: tile.start, columns: tile.count, into: out, width, scratch: scratch)
        layer.squeezeNorm.gather(out, stride: width, columns: tile.count, shift: squeezeBias, into: sums)
      }
      layer.squeezeNorm.affine(
        sums: sums, positions: columns, added: squeezeBias, scale: affine, shift: affine + hidden)
      taps.map { tapSqueeze($0, layer, squeezed.data, width, affine, 0, 1, 0, columns, columns) }

      sums = sumOverTiles(tiles, workspace) { tile, scratch, sums in
        let hiddenTile = squeezed.data + tile.start
        kernel_affine(
          hiddenTile, width, hiddenTile, width, hidden, tile.count, affine, affine + hidden, kernel_activation_gelu,
          nil, 0)
        let expanded = scratch.allocate(2 * channels * tile.count)
        layer.expand.apply(
          squeezed, row: 0, column: tile.start, columns: tile.count, into: expanded, tile.count, scratch: scratch)
        layer.expandNorm.gather(
          expanded, stride: tile.count, columns: tile.count, shift: expandBias, into: sums)
      }
      layer.expandNorm.affine(
        sums: sums, positions: columns, added: expandBias, scale: expandedAffine,
        shift: expandedAffine + 2 * channels)
      taps.map { tapActivation($0, layer, squeezed.data, width, 0, 1, 0, columns, columns) }

      // The expanded channels are many and cheap to make: they are computed again rather than kept.
      workspace.forEach(tiles) { _, tile, scratch in
        let expanded = scratch.allocate(2 * channels * tile.count)
        layer.expand.apply(
          squeezed, row: 0, column: tile.start, columns: tile.count, into: expanded, tile.count, scratch: scratch)
        taps.map {
          tapExpand($0, layer, expanded, tile.count, expandedAffine, 0, 1, tile.start, tile.count, columns, scratch)
        }
        kernel_affine_glu(
          map.data + tile.start, map.stride, expanded, tile.count, channels, tile.count, expandedAffine,
          expandedAffine + 2 * channels, layer.layerScale.data)
      }
      workspace.arena.rewind(to: mark)
    }
    taps?.record(
      .batch(name, rows: 1, channels: channels, columns: columns), map.data, stride: map.stride, channels: channels,
      columns: columns)
  }
}

/// Adds up what each tile contributes to a norm over one group, in the order of the tiles.
func sumOverTiles(
  _ tiles: [Tile], _ workspace: Workspace, groups: Int = 1,
  _ body: (_ tile: Tile, _ scratch: Arena, _ sums: UnsafeMutablePointer<Double>) -> Void
) -> [Double] {
  var parts = [Double](repeating: 0, count: tiles.count * groups * 2)
  parts.withUnsafeMutableBufferPointer { buffer in
    let base = buffer.baseAddress!
    workspace.forEach(tiles) { index, tile, scratch in body(tile, scratch, base + index * groups * 2) }
  }
  return sumOfParts(parts, length: groups * 2)
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
      (".3", nil, UnsafePointer(layer.expand.bias.data)), (".4", affine, shift),
    ] {
      taps.record(
        .batch(layer.name + suffix, rows: rows, channels: 2 * channels, columns: columns), row: row, column: column,
        tile, stride: stride, channels: 2 * channels, columns: count, scale: scale, shift: shift)
    }
    let gated = scratch.allocate(channels * count)
    kernel_affine_glu(gated, count, tile, stride, channels, count, affine, shift, nil)
    for (suffix, scale) in [
      (".5", nil), (".6", UnsafePointer(layer.layerScale.data)), ("", UnsafePointer(layer.layerScale.data)),
    ] {
      taps.record(
        .batch(layer.name + suffix, rows: rows, channels: channels, columns: columns), row: row, column: column,
        gated, stride: count, channels: channels, columns: count, scale: scale)
    }
  }
}
