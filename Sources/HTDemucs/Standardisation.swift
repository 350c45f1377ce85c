import CKernels
import Layers
import Tensors

/// Mean and standard deviation of everything in a map; what the network takes out of its input and puts back.
struct Standardisation {
  let mean: Float
  /// With Bessel's correction, as `torch.std`.
  let deviation: Float
  /// What values are stored in, and mean and deviation themselves.
  let storage: NumberFormat

  /// `x = (x - mean) / (1e-5 + std)`, in place.
  init(standardising map: FeatureMap, storage: NumberFormat = .fp32, workspace: Workspace) {
    self.storage = storage
    let tiles = Tile.tiles(rows: map.rows, columns: map.columns, channels: map.channels, whole: 4096)
    let sums = sumOverTiles(tiles, workspace) { tile, _, sums in
      kernel_moments(map.row(tile.row) + tile.start, map.channels, tile.count, map.stride, nil, sums)
    }
    let count = Double(map.rows * map.channels * map.columns)
    let average = sums[0] / count
    let variance = count > 1 ? max(0, (sums[1] - sums[0] * average) / (count - 1)) : 0
    mean = storage.round(Float(average))
    deviation = storage.round(Float(variance.squareRoot()))
    let gain = 1 / (1e-5 + variance.squareRoot())
    let scale = [Float](repeating: Float(gain), count: map.channels)
    let shift = [Float](repeating: Float(-average * gain), count: map.channels)
    workspace.forEach(tiles) { _, tile, _ in
      let place = map.row(tile.row) + tile.start
      kernel_affine(
        place, map.stride, place, map.stride, map.channels, tile.count, scale, shift, kernel_identity, nil, 0)
      storage.round(place, stride: map.stride, lines: map.channels, columns: tile.count)
    }
  }

  /// `x = x * std + mean`, in place.
  func restore(_ map: FeatureMap, workspace: Workspace) {
    let tiles = Tile.tiles(rows: map.rows, columns: map.columns, channels: map.channels, whole: 4096)
    let scale = [Float](repeating: deviation, count: map.channels)
    let shift = [Float](repeating: mean, count: map.channels)
    workspace.forEach(tiles) { _, tile, _ in
      let place = map.row(tile.row) + tile.start
      kernel_affine(
        place, map.stride, place, map.stride, map.channels, tile.count, scale, shift, kernel_identity, nil, 0)
      storage.round(place, stride: map.stride, lines: map.channels, columns: tile.count)
    }
  }
}
