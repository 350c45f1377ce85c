import CKernels
import Layers
import Tensors

/// `F.glu(norm(convolution(input)))`, the `rewrite` step that encoder and decoder layers share.
/// - Parameters:
///   - norm: over the whole map, or nil for `torch.nn.Identity`.
///   - tap: where the module of a given suffix is recorded.
///   - normSuffix: suffix of the norm's module.
///   - activation: what the results of the gated linear unit are stored in.
func gatedConvolution(
  _ convolution: Convolution, _ norm: GroupNorm?, _ input: FeatureMap, into output: FeatureMap, tiles: [Tile],
  _ workspace: Workspace, activation: NumberFormat, tap: (String) -> TapRecorder.Target, norm normSuffix: String
) {
  let channels = output.channels
  let bias = convolution.remainingBias
  let taps = workspace.taps
  let mark = workspace.arena.mark
  let affine = workspace.arena.allocate(4 * channels)
  // A norm wants all of the convolution before any of its results: they are kept until then.
  let kept = norm.map { _ in
    FeatureMap(in: workspace.arena, rows: input.rows, channels: 2 * channels, columns: input.columns, margin: 0)
  }
  func convolve(_ tile: Tile, into gates: UnsafeMutablePointer<Float>, _ stride: Int, _ scratch: Arena) {
    convolution.apply(
      input, row: tile.row, column: tile.start, columns: tile.count, into: gates, stride, scratch: scratch)
  }
  if let norm, let kept {
    let sums = sumOverTiles(tiles, workspace, groups: norm.groups) { tile, scratch, sums in
      let gates = kept.row(tile.row) + tile.start
      convolve(tile, into: gates, kept.stride, scratch)
      norm.gather(gates, stride: kept.stride, columns: tile.count, shift: bias, into: sums)
    }
    norm.affine(
      sums: sums, positions: input.rows * input.columns, added: bias, scale: affine, shift: affine + 2 * channels)
  }
  workspace.forEach(tiles) { _, tile, scratch in
    let stride = kept?.stride ?? tile.count
    let gates = kept.map { $0.row(tile.row) + tile.start } ?? scratch.allocate(2 * channels * stride)
    if kept == nil { convolve(tile, into: gates, stride, scratch) }
    taps?.record(
      tap(".rewrite"), row: tile.row, column: tile.start, gates, stride: stride, channels: 2 * channels,
      columns: tile.count, shift: bias)
    let (scale, shift) =
      norm?.settle(
        gates, stride: stride, columns: tile.count, scale: affine, shift: affine + 2 * channels) ?? (nil, bias)
    taps?.record(
      tap(normSuffix), row: tile.row, column: tile.start, gates, stride: stride, channels: 2 * channels,
      columns: tile.count, scale: scale, shift: shift)
    let place = output.row(tile.row) + tile.start
    kernel_affine_glu(place, output.stride, gates, stride, channels, tile.count, scale, shift, nil)
    activation.round(place, stride: output.stride, lines: channels, columns: tile.count)
  }
  workspace.arena.rewind(to: mark)
}

/// Applies a norm whose sums are known to every tile of a map, in place, and an activation after it.
/// - Parameter storage: what the results of the activation are stored in.
func normalise(
  _ map: FeatureMap, _ norm: GroupNorm, _ sums: [Double], _ tiles: [Tile], activation: kernel_activation,
  storage: NumberFormat, tap: TapRecorder.Target, _ workspace: Workspace
) {
  let channels = map.channels
  let affine = workspace.arena.allocate(2 * channels)
  norm.affine(
    sums: sums, positions: map.rows * map.columns, added: nil, scale: affine, shift: affine + channels)
  workspace.forEach(tiles) { _, tile, _ in
    let place = map.row(tile.row) + tile.start
    let (scale, shift) = norm.settle(
      place, stride: map.stride, columns: tile.count, scale: affine, shift: affine + channels)
    workspace.taps?.record(
      tap, row: tile.row, column: tile.start, place, stride: map.stride, channels: channels, columns: tile.count,
      scale: scale, shift: shift)
    kernel_affine(
      place, map.stride, place, map.stride, channels, tile.count, scale, shift, activation, nil, 0)
    storage.round(place, stride: map.stride, lines: channels, columns: tile.count)
  }
}
