import CKernels
import Layers
import Tensors

/// One layer of a decoder, on frequencies or on time: `demucs.hdemucs.HDecLayer`.
///
/// A convolution with context and a gated linear unit (`rewrite`), a dilated residual branch, then a transposed
/// convolution, norm and GELU. The skip connection has been added to the input already: whoever makes the input adds it
/// while the numbers are at hand (`skip` of the layer before).
package struct DecoderLayer {
  /// A skip connection for the layer that comes next, and what the sum is stored in.
  package struct Skip {
    let map: FeatureMap
    let storage: NumberFormat

    /// - Parameter map: of the shape of that layer's input.
    package init(_ map: FeatureMap, storage: NumberFormat = .fp32) {
      self.map = map
      self.storage = storage
    }
  }

  let name: String
  let inputChannels: Int
  let outputChannels: Int
  let isEmpty: Bool
  private let isFrequency: Bool
  private let isLast: Bool
  private let padding: Int
  private let convolution: TransposedConvolution
  private let norm2: GroupNorm?
  private let rewrite: Convolution?
  private let norm1: GroupNorm?
  private let dconv: DConv?
  /// What the results of GELU and gated linear unit are stored in.
  private let activationStorage: NumberFormat
  /// What the sum of the layer's input and its skip connection is stored in.
  let sumStorage: NumberFormat
  private let margin: Int

  /// - Parameters:
  ///   - isLast: the outermost layer, without activation.
  ///   - isEmpty: whether to build the transposed convolution alone.
  ///   - context: what the residual branch has beside convolutions.
  package init(
    _ parameters: Parameters, _ name: String, _ configuration: Configuration, inputs: Int, outputs: Int, kernel: Int,
    stride: Int, padding: Int, isFrequency: Bool, hasNorm: Bool, isLast: Bool, isEmpty: Bool = false,
    context residualContext: DConvContext = DConvContext()
  ) throws {
    self.name = name
    self.isFrequency = isFrequency
    self.isLast = isLast
    self.isEmpty = isEmpty
    self.padding = padding
    inputChannels = inputs
    outputChannels = outputs
    margin = configuration.margin
    activationStorage = parameters.storage(.activation, name)
    convolution = try parameters.transposedConvolution(
      name + ".conv_tr", inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, isImage: isFrequency,
      next: hasNorm || isLast ? nil : activationStorage)
    sumStorage = isEmpty ? .fp32 : parameters.storage(.addition, name)
    let groups = configuration.normGroups
    norm2 = hasNorm ? try parameters.groupNorm(name + ".norm2", groups: groups, channels: outputs) : nil
    guard !isEmpty else {
      (rewrite, norm1, dconv) = (nil, nil, nil)
      return
    }
    let context = configuration.context
    let side = 1 + 2 * context
    rewrite =
      configuration.hasRewrite
      ? try parameters.convolution(
        name + ".rewrite", inputs: inputs, outputs: 2 * inputs, rowKernel: isFrequency ? side : nil,
        columnKernel: side, rowPadding: isFrequency ? context : 0, columnPadding: context,
        next: hasNorm ? nil : activationStorage) : nil
    norm1 =
      hasNorm && configuration.hasRewrite
      ? try parameters.groupNorm(name + ".norm1", groups: groups, channels: 2 * inputs) : nil
    dconv =
      configuration.dconvInDecoder
      ? try DConv(
        parameters, name + ".dconv", channels: inputs, depth: configuration.dconvDepth,
        compression: configuration.dconvCompression, context: residualContext) : nil
  }

  private func target(_ suffix: String, channels: Int, rows: Int, columns: Int) -> TapRecorder.Target {
    isFrequency
      ? .image(name + suffix, rows: rows, channels: channels, columns: columns)
      : .batch(name + suffix, rows: rows, channels: channels, columns: columns)
  }

  /// Everything before the transposed convolution.
  /// - Parameter input: `[rows, inputs, columns]`, the skip connection included. May be written over.
  /// - Returns: a map of the same shape; what the merged branches part with.
  package func refine(_ input: FeatureMap, workspace: Workspace) -> FeatureMap {
    guard !isEmpty, rewrite != nil || dconv != nil else { return input }
    return workspace.measure(isFrequency ? "decoder" : "time decoder") { refined(input, workspace) }
  }

  private func refined(_ input: FeatureMap, _ workspace: Workspace) -> FeatureMap {
    let taps = workspace.taps
    let columns = input.columns
    let y =
      rewrite == nil
      ? input
      : FeatureMap(
        in: workspace.secondArena, rows: input.rows, channels: inputChannels, columns: columns, margin: margin)
    let tapRewrite = { (suffix: String) in
      target(suffix, channels: 2 * inputChannels, rows: y.rows, columns: columns)
    }
    if isFrequency, Tile.suitRows(y.rows), let rewrite, norm1 == nil, dconv?.hasContext != true {
      // A few rows at a time, while they are in cache.
      let step = rewrite.rowsAtOnce(y.rows)
      workspace.forEach((y.rows + step - 1) / step) { index, scratch in
        let rows = index * step..<min((index + 1) * step, y.rows)
        let mark = scratch.mark
        for block in Tile.blocks(columns: columns) {
          let (start, width) = (block.lowerBound, (block.count + 15) & ~15)
          let allGates = scratch.allocate(rows.count * 2 * inputChannels * width)
          rewrite.apply(
            input, row: rows.lowerBound, rowCount: rows.count, column: start, columns: block.count, into: allGates,
            width, scratch: scratch)
          for row in rows {
            let gates = allGates + (row - rows.lowerBound) * 2 * inputChannels * width
            for suffix in [".rewrite", ".norm1"] {
              taps?.record(
                tapRewrite(suffix), row: row, column: start, gates, stride: width, channels: 2 * inputChannels,
                columns: block.count, shift: rewrite.remainingBias)
            }
            let place = y.row(row) + start
            kernel_affine_glu(
              place, y.stride, gates, width, inputChannels, block.count, nil, rewrite.remainingBias, nil)
            activationStorage.round(place, stride: y.stride, lines: inputChannels, columns: block.count)
          }
          scratch.rewind(to: mark)
        }
        guard let dconv else { return }
        for row in rows {
          dconv.applyToRow(
            y.row(row), stride: y.stride, columns: columns, index: row, rows: y.rows, scratch: scratch, taps: taps)
        }
      }
      return y
    }
    let tiles = Tile.tiles(rows: y.rows, columns: columns, channels: 2 * inputChannels, keepsRows: isFrequency)
    if let rewrite {
      gatedConvolution(
        rewrite, norm1, input, into: y, tiles: tiles, workspace, activation: activationStorage, tap: tapRewrite,
        norm: ".norm1")
    }
    dconv?.apply(to: y, isFrequency: isFrequency, workspace: workspace)
    return y
  }

  /// Rows or columns of the result before it is cropped.
  private func fullLength(_ input: FeatureMap) -> Int {
    convolution.outputLength(isFrequency ? input.rows : input.columns)
  }

  /// An empty map for the result of `expand`.
  /// - Parameter length: samples to keep in the time branch; frequencies are cropped by the padding.
  package func outputMap(_ input: FeatureMap, length: Int, in arena: Arena) -> FeatureMap {
    isFrequency
      ? FeatureMap(
        in: arena, rows: fullLength(input) - 2 * padding, channels: outputChannels, columns: input.columns,
        margin: margin)
      : FeatureMap(in: arena, rows: 1, channels: outputChannels, columns: length, margin: margin)
  }

  /// The transposed convolution, cropping, norm and GELU.
  /// - Parameters:
  ///   - input: `[rows, inputs, columns]`.
  ///   - skip: added to the result, for the next layer.
  ///   - output: from `outputMap`.
  package func expand(_ input: FeatureMap, skip: Skip?, into output: FeatureMap, workspace: Workspace) {
    workspace.measure(isFrequency ? "decoder, transposed convolution" : "time decoder, transposed convolution") {
      expanded(input, skip: skip, into: output, workspace)
    }
  }

  private func expanded(_ input: FeatureMap, skip: Skip?, into output: FeatureMap, _ workspace: Workspace) {
    guard norm2 == nil else {
      expandWithNorm(input, skip: skip, into: output, workspace)
      return
    }
    if isFrequency {
      expandRows(input, skip, into: output, workspace)
    } else {
      expandColumns(input, skip, into: output, workspace)
    }
  }

  private var activation: kernel_activation { isLast ? kernel_identity : kernel_activation_gelu }

  /// Whether the results of the activation are rounded before the skip connection is added.
  private var storesActivation: Bool { !isLast && activationStorage.isNarrow }

  private func storeActivation(_ place: UnsafeMutablePointer<Float>, _ stride: Int, _ lines: Int, _ columns: Int) {
    if storesActivation { activationStorage.round(place, stride: stride, lines: lines, columns: columns) }
  }

  private func add(_ skip: Skip?, to output: FeatureMap, row: Int) {
    guard let skip else { return }
    kernel_add(output.row(row), output.stride, skip.map.row(row), skip.map.stride, outputChannels, output.columns)
    skip.storage.round(output.row(row), stride: output.stride, lines: outputChannels, columns: output.columns)
  }

  private func expandRows(
    _ input: FeatureMap, _ skip: Skip?, into output: FeatureMap, _ workspace: Workspace
  ) {
    let columns = input.columns
    let full = fullLength(input)
    let taps = workspace.taps
    let step = convolution.stride
    let bias = convolution.remainingBias
    let blocks = Tile.blocks(columns: columns)
    workspace.forEach(convolution.groupCount(input.rows) * blocks.count) { unit, scratch in
      let (group, block) = (unit / blocks.count, blocks[unit % blocks.count])
      let (start, width) = (block.lowerBound, (block.count + 15) & ~15)
      let phases = scratch.allocate(step * outputChannels * width)
      convolution.applyAlongRows(input, group: group, columns: block, into: phases, width)
      for phase in 0..<step where group * step + phase < full {
        let tile = phases + phase * outputChannels * width
        let uncropped = group * step + phase
        if let taps {
          for suffix in [".conv_tr", ".norm2"] {
            taps.record(
              .image(name + suffix, rows: full, channels: outputChannels, columns: columns), row: uncropped,
              column: start, tile, stride: width, channels: outputChannels, columns: block.count, shift: bias)
          }
        }
        let row = uncropped - padding
        guard row >= 0, row < output.rows else { continue }
        if let taps {
          let plain = scratch.allocate(outputChannels * width)
          kernel_affine(plain, width, tile, width, outputChannels, block.count, nil, bias, activation, nil, 0)
          storeActivation(plain, width, outputChannels, block.count)
          taps.record(
            target("", channels: outputChannels, rows: output.rows, columns: columns), row: row, column: start, plain,
            stride: width, channels: outputChannels, columns: block.count)
        }
        let place = output.row(row) + start
        let added = skip.map { $0.map.row(row) + start }
        kernel_affine(
          place, output.stride, tile, width, outputChannels, block.count, nil, bias, activation,
          storesActivation ? nil : added, skip?.map.stride ?? 0)
        if storesActivation {
          storeActivation(place, output.stride, outputChannels, block.count)
          if let skip, let added {
            kernel_add(place, output.stride, added, skip.map.stride, outputChannels, block.count)
          }
        }
        skip?.storage.round(place, stride: output.stride, lines: outputChannels, columns: block.count)
      }
    }
  }

  private func expandColumns(
    _ input: FeatureMap, _ skip: Skip?, into output: FeatureMap, _ workspace: Workspace
  ) {
    let full = fullLength(input)
    let taps = workspace.taps
    let step = convolution.stride
    let bias = convolution.remainingBias
    let tiles = Tile.tiles(
      rows: 1, columns: convolution.groupCount(input.columns), channels: inputChannels + step * outputChannels)
    let fullTap = taps?.tensor(.batch(name + ".conv_tr", rows: 1, channels: outputChannels, columns: full))
    let plainTap = taps?.tensor(
      .batch(name, rows: 1, channels: outputChannels, columns: output.columns))
    workspace.forEach(tiles) { _, tile, scratch in
      let width = (tile.count + 15) & ~15
      let phases = scratch.allocate(step * outputChannels * width)
      convolution.applyAlongColumns(input, first: tile.start, count: tile.count, into: phases, width)
      let first = tile.start * step
      if let fullTap {
        kernel_interleave(
          fullTap.data, full, phases, width, outputChannels, tile.count, step, first, 0, full, bias,
          kernel_identity, nil, 0)
      }
      let lines = step * outputChannels
      var remaining = (bias: UnsafePointer<Float>?(bias), activation: activation)
      if storesActivation {
        for phase in 0..<step {
          let part = phases + phase * outputChannels * width
          kernel_affine(part, width, part, width, outputChannels, tile.count, nil, bias, activation, nil, 0)
        }
        storeActivation(phases, width, lines, tile.count)
        remaining = (nil, kernel_identity)
      }
      if let plainTap {
        kernel_interleave(
          plainTap.data, output.columns, phases, width, outputChannels, tile.count, step, first - padding, 0,
          output.columns, remaining.bias, remaining.activation, nil, 0)
      }
      kernel_interleave(
        output.data, output.stride, phases, width, outputChannels, tile.count, step, first - padding, 0,
        output.columns, remaining.bias, remaining.activation, skip?.map.data, skip?.map.stride ?? 0)
      let made = max(0, first - padding)
      let end = max(made, min(output.columns, first - padding + step * tile.count))
      skip?.storage.round(
        output.data + made, stride: output.stride, lines: outputChannels, columns: end - made)
    }
    if let taps, let fullTap, let plainTap {
      taps.record(name + ".conv_tr", fullTap)
      taps.record(name + ".norm2", fullTap)
      taps.record(name, plainTap)
    }
  }

  /// The norm is over the result before it is cropped, so that is made in full first.
  private func expandWithNorm(
    _ input: FeatureMap, skip: Skip?, into output: FeatureMap, _ workspace: Workspace
  ) {
    guard let norm2 else { return }
    let mark = workspace.secondArena.mark
    let length = fullLength(input)
    let full = FeatureMap(
      in: workspace.secondArena, rows: isFrequency ? length : 1, channels: outputChannels,
      columns: isFrequency ? input.columns : length, margin: 0)
    let bias = convolution.remainingBias
    let step = convolution.stride
    if isFrequency {
      workspace.forEach(convolution.groupCount(input.rows)) { group, scratch in
        let phases = scratch.allocate(step * outputChannels * full.stride)
        convolution.applyAlongRows(input, group: group, into: phases, full.stride)
        for phase in 0..<step where group * step + phase < length {
          kernel_affine(
            full.row(group * step + phase), full.stride, phases + phase * outputChannels * full.stride, full.stride,
            outputChannels, full.columns, nil, bias, kernel_identity, nil, 0)
        }
      }
    } else {
      let tiles = Tile.tiles(
        rows: 1, columns: convolution.groupCount(input.columns), channels: inputChannels + step * outputChannels)
      workspace.forEach(tiles) { _, tile, scratch in
        let phases = scratch.allocate(step * outputChannels * tile.count)
        convolution.applyAlongColumns(input, first: tile.start, count: tile.count, into: phases, tile.count)
        kernel_interleave(
          full.data, full.stride, phases, tile.count, outputChannels, tile.count, step, tile.start * step, 0, length,
          bias, kernel_identity, nil, 0)
      }
    }
    let shape = (rows: full.rows, columns: full.columns)
    workspace.taps?.record(
      target(".conv_tr", channels: outputChannels, rows: shape.rows, columns: shape.columns), full)
    let tiles = Tile.tiles(
      rows: full.rows, columns: full.columns, channels: outputChannels, keepsRows: isFrequency)
    let sums = sumOverTiles(tiles, workspace, groups: norm2.groups) { tile, _, sums in
      norm2.gather(
        full.row(tile.row) + tile.start, stride: full.stride, columns: tile.count, shift: nil, into: sums)
    }
    normalise(
      full, norm2, sums, tiles, activation: activation, storage: isLast ? .fp32 : activationStorage,
      tap: target(".norm2", channels: outputChannels, rows: shape.rows, columns: shape.columns), workspace)
    workspace.forEach(output.rows) { row, _ in
      let source = isFrequency ? full.row(row + padding) : full.data + padding
      for channel in 0..<outputChannels {
        output.line(row: row, channel: channel).update(
          from: source + channel * full.stride, count: output.columns)
      }
      workspace.taps?.record(
        target("", channels: outputChannels, rows: output.rows, columns: output.columns), row: row, output.row(row),
        stride: output.stride, channels: outputChannels, columns: output.columns)
      add(skip, to: output, row: row)
    }
    workspace.secondArena.rewind(to: mark)
  }
}
