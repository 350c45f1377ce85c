import CKernels
import Layers
import Tensors

/// What lies between encoder and decoder: the transformer, and before and after it, if `bottom_channels` asks for them,
/// convolutions that change the number of channels. In an HDemucs nothing passes there but silence: all that the decoder
/// gets comes by the skip connections.
struct Bottom {
  private struct Resizing {
    let up: Convolution
    let upTime: Convolution
    let down: Convolution
    let downTime: Convolution
  }

  private let transformer: CrossTransformerEncoder?
  private let resizing: Resizing?
  private let isSilent: Bool
  private let margin: Int

  init(_ parameters: Parameters, _ configuration: Configuration) throws {
    margin = configuration.margin
    isSilent = configuration.transformer == nil
    if configuration.bottomChannels > 0, let deepest = configuration.layers.last {
      let (inner, outer) = (configuration.bottomChannels, deepest.outputChannels)
      resizing = Resizing(
        up: try parameters.convolution("channel_upsampler", inputs: outer, outputs: inner),
        upTime: try parameters.convolution("channel_upsampler_t", inputs: outer, outputs: inner),
        down: try parameters.convolution("channel_downsampler", inputs: inner, outputs: outer),
        downTime: try parameters.convolution("channel_downsampler_t", inputs: inner, outputs: outer))
    } else {
      resizing = nil
    }
    transformer = try configuration.transformer.flatMap {
      $0.layers > 0 ? try CrossTransformerEncoder(parameters, $0) : nil
    }
  }

  /// - Parameters:
  ///   - x: `[rows, channels, columns]` of the frequency branch.
  ///   - time: `[1, channels, steps]` of the time branch.
  /// - Returns: new maps of the shapes of `x` and `time`.
  /// - Throws: `ConfigurationError` if a learned positional embedding is too short for the steps.
  func callAsFunction(
    _ x: FeatureMap, _ time: FeatureMap, workspace: Workspace
  ) throws -> (FeatureMap, FeatureMap) {
    let arena = workspace.arena
    let second = workspace.secondArena
    let output = FeatureMap(in: second, rows: x.rows, channels: x.channels, columns: x.columns, margin: margin)
    let timeOutput = FeatureMap(in: second, rows: 1, channels: time.channels, columns: time.columns, margin: margin)
    guard let transformer else {
      for (source, target) in [(x, output), (time, timeOutput)] {
        for row in 0..<source.rows {
          let count = source.channels * source.stride
          if isSilent {
            target.row(row).update(repeating: 0, count: count)
          } else {
            target.row(row).update(from: source.row(row), count: count)
          }
        }
      }
      return (output, timeOutput)
    }
    guard let resizing else {
      try transformer(x, time, into: output, timeOutput, workspace: workspace)
      return (output, timeOutput)
    }
    let mark = arena.mark
    let inner = apply(resizing.up, "channel_upsampler", x, into: nil, workspace)
    let innerTime = apply(resizing.upTime, "channel_upsampler_t", time, into: nil, workspace)
    try transformer(inner, innerTime, into: inner, innerTime, workspace: workspace)
    _ = apply(resizing.down, "channel_downsampler", inner, into: output, workspace)
    _ = apply(resizing.downTime, "channel_downsampler_t", innerTime, into: timeOutput, workspace)
    arena.rewind(to: mark)
    return (output, timeOutput)
  }

  private func apply(
    _ convolution: Convolution, _ name: String, _ input: FeatureMap, into given: FeatureMap?, _ workspace: Workspace
  ) -> FeatureMap {
    let output =
      given
      ?? FeatureMap(
        in: workspace.arena, rows: input.rows, channels: convolution.outputChannels, columns: input.columns,
        margin: margin)
    let channels = convolution.outputChannels
    workspace.forEach(input.rows) { row, scratch in
      let out = output.row(row)
      convolution.apply(
        input, row: row, column: 0, columns: input.columns, into: out, output.stride, scratch: scratch)
      kernel_affine(
        out, output.stride, out, output.stride, channels, input.columns, nil, convolution.remainingBias,
        kernel_identity,
        nil, 0)
    }
    workspace.taps?.record(
      .flattened(name, rows: input.rows, channels: channels, columns: input.columns), output)
    return output
  }
}
