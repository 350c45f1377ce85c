import CKernels
import Layers
import Tensors

/// One layer of an encoder, on frequencies or on time: `demucs.hdemucs.HEncLayer`.
///
/// Strided convolution, norm, GELU, dilated residual branch, then a 1x1 convolution (`rewrite`) with a gated linear unit.
package struct EncoderLayer {
  private enum Downsampling {
    case rows(Convolution)
    case columns(StridedConvolution)

    /// What is still to be added to its results.
    var remainingBias: UnsafePointer<Float> {
      switch self {
      case .rows(let convolution): convolution.remainingBias
      case .columns(let convolution): convolution.remainingBias
      }
    }
  }

  let name: String
  let outputChannels: Int
  /// Whether the layer is no more than its convolution, whose result is injected into the frequency branch.
  let isEmpty: Bool
  private let isFrequency: Bool
  private let convolution: Downsampling
  private let norm1: GroupNorm?
  private let dconv: DConv?
  private let rewrite: Convolution?
  private let norm2: GroupNorm?
  /// What the results of GELU and gated linear unit, and of the injection, are stored in.
  private let activationStorage: NumberFormat
  private let sumStorage: NumberFormat
  private let margin: Int

  /// - Parameters:
  ///   - isFrequency: whether the kernel runs over rows (frequencies) or columns (time).
  ///   - isEmpty: whether to build the convolution alone.
  ///   - isInjected: whether something is added between convolution and activation.
  ///   - context: what the residual branch has beside convolutions.
  package init(
    _ parameters: Parameters, _ name: String, _ configuration: Configuration, inputs: Int, outputs: Int, kernel: Int,
    stride: Int, padding: Int, isFrequency: Bool, hasNorm: Bool, isEmpty: Bool = false, isInjected: Bool = false,
    context residualContext: DConvContext = DConvContext()
  ) throws {
    self.name = name
    self.isFrequency = isFrequency
    self.isEmpty = isEmpty
    outputChannels = outputs
    margin = configuration.margin
    activationStorage = isEmpty ? .fp32 : parameters.storage(.activation, name)
    sumStorage = isInjected ? parameters.storage(.addition, name) : .fp32
    // A norm or a sum in between is an operation of its own.
    let next = isEmpty || hasNorm || isInjected ? nil : activationStorage
    if isFrequency {
      convolution = .rows(
        try parameters.convolution(
          name + ".conv", inputs: inputs, outputs: outputs, rowKernel: kernel, rowStride: stride,
          rowPadding: padding, next: next))
    } else {
      convolution = .columns(
        try parameters.stridedConvolution(
          name + ".conv", inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, padding: padding,
          next: next))
    }
    guard !isEmpty else {
      (norm1, dconv, rewrite, norm2) = (nil, nil, nil, nil)
      return
    }
    let groups = configuration.normGroups
    norm1 = hasNorm ? try parameters.groupNorm(name + ".norm1", groups: groups, channels: outputs) : nil
    let context = configuration.encoderContext
    let side = 1 + 2 * context
    rewrite =
      configuration.hasRewrite
      ? try parameters.convolution(
        name + ".rewrite", inputs: outputs, outputs: 2 * outputs, rowKernel: isFrequency ? side : nil,
        columnKernel: side, rowPadding: isFrequency ? context : 0, columnPadding: context,
        next: hasNorm ? nil : activationStorage) : nil
    norm2 =
      hasNorm && configuration.hasRewrite
      ? try parameters.groupNorm(name + ".norm2", groups: groups, channels: 2 * outputs) : nil
    dconv =
      configuration.dconvInEncoder
      ? try DConv(
        parameters, name + ".dconv", channels: outputs, depth: configuration.dconvDepth,
        compression: configuration.dconvCompression, context: residualContext) : nil
  }

  /// Rows and columns of the output. A line of time is taken as zero-padded to a multiple of the stride.
  private func outputSize(_ input: FeatureMap) -> (rows: Int, columns: Int) {
    switch convolution {
    case .rows(let convolution): return (convolution.outputRows(input.rows), input.columns)
    case .columns(let convolution):
      let padded = (input.columns + convolution.stride - 1) / convolution.stride * convolution.stride
      return (1, convolution.outputLength(padded))
    }
  }

  private func convolve(
    _ input: FeatureMap, _ tile: Tile, into out: UnsafeMutablePointer<Float>, _ stride: Int, _ scratch: Arena
  ) {
    switch convolution {
    case .rows(let convolution):
      convolution.apply(
        input, row: tile.row, column: tile.start, columns: tile.count, into: out, stride, scratch: scratch)
    case .columns(let convolution):
      convolution.apply(
        input, column: tile.start, columns: tile.count, into: out, stride, scratch: scratch)
    }
  }

  private func target(_ suffix: String, channels: Int, rows: Int, columns: Int) -> TapRecorder.Target {
    isFrequency
      ? .image(name + suffix, rows: rows, channels: channels, columns: columns)
      : .batch(name + suffix, rows: rows, channels: channels, columns: columns)
  }

  /// - Parameters:
  ///   - input: `[rows, inputs, columns]`.
  ///   - injected: `[1, outputs, columns]`, added to every row after the convolution; the time branch where it merges.
  /// - Returns: `[rows / stride, outputs, columns]` or, over time, `[1, outputs, columns / stride]`.
  package func callAsFunction(_ input: FeatureMap, injected: FeatureMap? = nil, workspace: Workspace) -> FeatureMap {
    let (rows, columns) = outputSize(input)
    let output = FeatureMap(
      in: workspace.arena, rows: rows, channels: outputChannels, columns: columns, margin: margin)
    workspace.measure(isFrequency ? "encoder" : "time encoder") {
      if isFrequency, Tile.suitRows(rows), !isEmpty, norm1 == nil, dconv?.hasContext != true, let rewrite,
        rewrite.rowKernel == 1, rewrite.columnKernel == 1
      {
        encodeRowByRow(input, injected, rewrite, into: output, workspace)
      } else {
        encodeStepByStep(input, injected, into: output, workspace)
      }
    }
    return output
  }

  /// The whole layer for one row at a time, which never leaves the cache.
  private func encodeRowByRow(
    _ input: FeatureMap, _ injected: FeatureMap?, _ rewrite: Convolution, into output: FeatureMap,
    _ workspace: Workspace
  ) {
    let columns = output.columns
    let taps = workspace.taps
    workspace.forEach(output.rows) { row, scratch in
      let y = FeatureMap(in: scratch, rows: 1, channels: outputChannels, columns: columns, margin: margin)
      let tile = Tile(row: row, start: 0, count: columns)
      convolve(input, tile, into: y.data, y.stride, scratch)
      activate(y.data, y.stride, tile, injected, rows: output.rows, columns: columns, taps)
      dconv?.applyToRow(
        y.data, stride: y.stride, columns: columns, index: row, rows: output.rows, scratch: scratch, taps: taps)
      let mark = scratch.mark
      for block in Tile.blocks(columns: columns) {
        let (start, width) = (block.lowerBound, (block.count + 15) & ~15)
        let gates = scratch.allocate(2 * outputChannels * width)
        rewrite.apply(y, row: 0, column: start, columns: block.count, into: gates, width, scratch: scratch)
        taps.map {
          tapRewrite(
            $0, gates, width, Tile(row: row, start: start, count: block.count), rows: output.rows, columns: columns,
            shift: rewrite.remainingBias)
        }
        let place = output.row(row) + start
        kernel_affine_glu(
          place, output.stride, gates, width, outputChannels, block.count, nil, rewrite.remainingBias, nil)
        activationStorage.round(place, stride: output.stride, lines: outputChannels, columns: block.count)
        scratch.rewind(to: mark)
      }
    }
    taps.map { tapOutput($0, output) }
  }

  /// The layer in steps over the whole map, for norms and kernels that look beyond a row, and for time.
  private func encodeStepByStep(
    _ input: FeatureMap, _ injected: FeatureMap?, into output: FeatureMap, _ workspace: Workspace
  ) {
    let taps = workspace.taps
    let mark = workspace.arena.mark
    let columns = output.columns
    // Without `rewrite` the result of the branch is the result of the layer.
    let y =
      rewrite == nil
      ? output
      : FeatureMap(in: workspace.arena, rows: output.rows, channels: outputChannels, columns: columns, margin: margin)
    let tiles = Tile.tiles(
      rows: output.rows, columns: columns, channels: 2 * outputChannels, keepsRows: isFrequency)

    if isEmpty {
      workspace.forEach(tiles) { _, tile, scratch in
        let out = y.row(tile.row) + tile.start
        convolve(input, tile, into: out, y.stride, scratch)
        kernel_affine(
          out, y.stride, out, y.stride, outputChannels, tile.count, nil, convolution.remainingBias, kernel_identity,
          nil, 0)
      }
      taps?.record(target("", channels: outputChannels, rows: 1, columns: columns), y)
      taps?.record(target(".conv", channels: outputChannels, rows: 1, columns: columns), y)
      return
    }

    if let norm1 {
      let sums = sumOverTiles(tiles, workspace, groups: norm1.groups) { tile, scratch, sums in
        let out = y.row(tile.row) + tile.start
        convolve(input, tile, into: out, y.stride, scratch)
        kernel_affine(
          out, y.stride, out, y.stride, outputChannels, tile.count, nil, convolution.remainingBias, kernel_identity,
          nil, 0)
        taps?.record(
          target(".conv", channels: outputChannels, rows: y.rows, columns: columns), row: tile.row,
          column: tile.start, out, stride: y.stride, channels: outputChannels, columns: tile.count)
        if let injected {
          kernel_add(out, y.stride, injected.data + tile.start, injected.stride, outputChannels, tile.count)
          sumStorage.round(out, stride: y.stride, lines: outputChannels, columns: tile.count)
        }
        norm1.gather(out, stride: y.stride, columns: tile.count, shift: nil, into: sums)
      }
      normalise(
        y, norm1, sums, tiles, activation: kernel_activation_gelu, storage: activationStorage,
        tap: target(".norm1", channels: outputChannels, rows: y.rows, columns: columns), workspace)
    } else {
      workspace.forEach(tiles) { _, tile, scratch in
        let out = y.row(tile.row) + tile.start
        convolve(input, tile, into: out, y.stride, scratch)
        activate(out, y.stride, tile, injected, rows: y.rows, columns: columns, taps)
      }
    }

    dconv?.apply(to: y, isFrequency: isFrequency, workspace: workspace)

    if let rewrite {
      gatedConvolution(
        rewrite, norm2, y, into: output, tiles: tiles, workspace, activation: activationStorage,
        tap: { target($0, channels: 2 * outputChannels, rows: y.rows, columns: columns) }, norm: ".norm2")
    }
    taps.map { tapOutput($0, output) }
    workspace.arena.rewind(to: mark)
  }

  /// Bias, injection and GELU on a fresh tile.
  private func activate(
    _ tile: UnsafeMutablePointer<Float>, _ stride: Int, _ place: Tile, _ injected: FeatureMap?, rows: Int,
    columns: Int, _ taps: TapRecorder?
  ) {
    var bias = Optional(convolution.remainingBias)
    if let taps {
      taps.record(
        target(".conv", channels: outputChannels, rows: rows, columns: columns), row: place.row, column: place.start,
        tile, stride: stride, channels: outputChannels, columns: place.count, shift: bias)
    }
    if let injected {
      if sumStorage.isNarrow {
        kernel_affine(
          tile, stride, tile, stride, outputChannels, place.count, nil, bias, kernel_identity, nil, 0)
        bias = nil
      }
      kernel_add(tile, stride, injected.data + place.start, injected.stride, outputChannels, place.count)
      sumStorage.round(tile, stride: stride, lines: outputChannels, columns: place.count)
    }
    if let taps {
      taps.record(
        target(".norm1", channels: outputChannels, rows: rows, columns: columns), row: place.row, column: place.start,
        tile, stride: stride, channels: outputChannels, columns: place.count, shift: bias)
    }
    kernel_affine(
      tile, stride, tile, stride, outputChannels, place.count, nil, bias, kernel_activation_gelu, nil, 0)
    activationStorage.round(tile, stride: stride, lines: outputChannels, columns: place.count)
  }

  private func tapRewrite(
    _ taps: TapRecorder, _ gates: UnsafePointer<Float>, _ stride: Int, _ tile: Tile, rows: Int, columns: Int,
    shift: UnsafePointer<Float>
  ) {
    for suffix in [".rewrite", ".norm2"] {
      taps.record(
        target(suffix, channels: 2 * outputChannels, rows: rows, columns: columns), row: tile.row,
        column: tile.start, gates, stride: stride, channels: 2 * outputChannels, columns: tile.count, shift: shift)
    }
  }

  private func tapOutput(_ taps: TapRecorder, _ output: FeatureMap) {
    taps.record(target("", channels: outputChannels, rows: output.rows, columns: output.columns), output)
  }
}

extension TapRecorder {
  /// Stores a whole map.
  func record(_ target: Target, _ map: FeatureMap) {
    for row in 0..<map.rows {
      record(
        target, row: row, map.row(row), stride: map.stride, channels: map.channels, columns: map.columns)
    }
  }
}
