import CKernels
import Checkpoints
import Layers
import Tensors

/// The network between spectrogram and mask: Figure 1 of "Hybrid Transformers for Music Source Separation"
/// (arXiv:2211.08553), or `forward` of `demucs.htdemucs.HTDemucs` without its STFT and iSTFT.
///
/// Two U-Nets, one over the frequencies of a spectrogram and one over the samples of the waveform, with a transformer at the
/// bottom in which each looks at the other.
///
/// `demucs.hdemucs.HDemucs` ("Hybrid Spectrogram and Waveform Source Separation", arXiv:2111.03600) is the same without a
/// transformer: there the inner layers are deeper, the branches merge in them, and their residual branches have an LSTM and
/// an attention (`DConvContext`).
struct HTDemucs {
  let configuration: Configuration
  private let encoder: [EncoderLayer]
  private let timeEncoder: [EncoderLayer]
  private let frequencyEmbedding: FrequencyEmbedding?
  private let bottom: Bottom
  private let timeDecoder: [DecoderLayer]
  private let decoder: [DecoderLayer]
  /// What standardised values, at the entrance and at the exit, are stored in.
  private let standardStorage: NumberFormat

  init(_ configuration: Configuration, _ parameters: Parameters) throws {
    self.configuration = configuration
    standardStorage = parameters.storage(.standardisation, "input")
    var encoder: [EncoderLayer] = []
    var timeEncoder: [EncoderLayer] = []
    var decoder: [DecoderLayer] = []
    var timeDecoder: [DecoderLayer] = []
    let depth = configuration.layers.count
    let timeDepth = configuration.layers.filter(\.isFrequency).count
    for (index, layer) in configuration.layers.enumerated() {
      encoder.append(
        try EncoderLayer(
          parameters, "encoder.\(index)", configuration, inputs: layer.inputChannels, outputs: layer.outputChannels,
          kernel: layer.kernel, stride: layer.stride, padding: layer.padding, isFrequency: layer.isFrequency,
          hasNorm: layer.hasNorm, isInjected: layer.isLastFrequency, context: layer.context))
      // Decoder layers are numbered from the inside out.
      decoder.insert(
        try DecoderLayer(
          parameters, "decoder.\(depth - 1 - index)", configuration, inputs: layer.outputChannels,
          outputs: layer.decoderChannels, kernel: layer.kernel, stride: layer.stride, padding: layer.padding,
          isFrequency: layer.isFrequency, hasNorm: layer.hasNorm, isLast: index == 0, context: layer.context), at: 0)
      guard let time = layer.time else { continue }
      timeEncoder.append(
        try EncoderLayer(
          parameters, "tencoder.\(index)", configuration, inputs: time.inputChannels, outputs: time.outputChannels,
          kernel: time.kernel, stride: time.stride, padding: time.padding, isFrequency: false,
          hasNorm: layer.hasNorm, isEmpty: layer.isLastFrequency, context: layer.context))
      timeDecoder.insert(
        try DecoderLayer(
          parameters, "tdecoder.\(timeDepth - 1 - index)", configuration, inputs: time.outputChannels,
          outputs: time.decoderChannels, kernel: time.kernel, stride: time.stride, padding: time.padding,
          isFrequency: false, hasNorm: layer.hasNorm, isLast: index == 0, isEmpty: layer.isLastFrequency,
          context: layer.context), at: 0)
    }
    self.encoder = encoder
    self.timeEncoder = timeEncoder
    self.decoder = decoder
    self.timeDecoder = timeDecoder
    frequencyEmbedding = try FrequencyEmbedding(parameters, configuration)
    bottom = try Bottom(parameters, configuration)
  }

  /// - Parameters:
  ///   - spectrogram: `[frequencies, 2 x audio channels, frames]`; written over.
  ///   - mix: `[1, audio channels, samples]`; written over.
  /// - Returns: per source and audio channel, in that order, the spectrogram `[frequencies, sources x 2 x audio channels,
  ///   frames]` and the waveform `[1, sources x audio channels, samples]`, both to be restored by the standardisation
  ///   beside them.
  func callAsFunction(
    _ spectrogram: FeatureMap, _ mix: FeatureMap, workspace: Workspace
  ) throws -> (spectrogram: (FeatureMap, Standardisation), waveform: (FeatureMap, Standardisation)) {
    var x = spectrogram
    var xt = mix
    // Encoder maps wait for the decoder in one arena; what the decoder makes of them goes into the other.
    let start = workspace.arena.mark
    let statistics = Standardisation(standardising: x, storage: standardStorage, workspace: workspace)
    let timeStatistics = Standardisation(standardising: xt, storage: standardStorage, workspace: workspace)

    var skips: [FeatureMap] = []
    var timeSkips: [FeatureMap] = []
    var lengths: [Int] = []
    var timeLengths: [Int] = []
    for (index, encode) in encoder.enumerated() {
      lengths.append(x.columns)
      var injected: FeatureMap?
      if index < timeEncoder.count {
        timeLengths.append(xt.columns)
        xt = timeEncoder[index](xt, workspace: workspace)
        if timeEncoder[index].isEmpty { injected = xt } else { timeSkips.append(xt) }
      }
      x = encode(x, injected: injected, workspace: workspace)
      if index == 0 { frequencyEmbedding?.add(to: x, workspace: workspace) }
      skips.append(x)
    }

    (x, xt) = try bottom(x, xt, workspace: workspace)

    addSkip(skips.popLast(), to: x, decoder.first, workspace)
    let mergedLayers = decoder.count - timeDecoder.count
    if mergedLayers == 0, timeDecoder.first?.isEmpty == false {
      addSkip(timeSkips.popLast(), to: xt, timeDecoder.first, workspace)
    }
    for (index, decode) in decoder.enumerated() {
      // The outermost layer makes the largest maps, when no skip connection is left to keep.
      let isOutermost = index == decoder.count - 1
      if isOutermost { workspace.arena.rewind(to: start) }
      let arena = isOutermost ? workspace.arena : workspace.secondArena
      let output = decode.outputMap(x, length: lengths.removeLast(), in: arena)
      var timeOutput: FeatureMap?
      if index >= mergedLayers {
        let layer = timeDecoder[index - mergedLayers]
        timeOutput = layer.outputMap(
          layer.isEmpty ? x : xt, length: timeLengths.removeLast(), in: arena)
      }
      let mark = workspace.secondArena.mark
      let y = decode.refine(x, workspace: workspace)
      let next = isOutermost ? nil : decoder[index + 1]
      decode.expand(y, skip: skip(skips.popLast(), next), into: output, workspace: workspace)
      workspace.taps.map {
        tapRefined($0, decode, y, isImage: configuration.layers[decoder.count - 1 - index].isFrequency)
      }
      if let timeOutput {
        let decodeTime = timeDecoder[index - mergedLayers]
        // Where the branches part, the time branch starts from what the frequency branch has before its last step.
        let yt = decodeTime.isEmpty ? y : decodeTime.refine(xt, workspace: workspace)
        let nextTime = isOutermost ? nil : timeDecoder[index + 1 - mergedLayers]
        decodeTime.expand(yt, skip: skip(timeSkips.popLast(), nextTime), into: timeOutput, workspace: workspace)
        workspace.taps.map { tapRefined($0, decodeTime, yt, isImage: false) }
        xt = timeOutput
      }
      x = output
      workspace.secondArena.rewind(to: mark)
    }
    return ((x, statistics), (xt, timeStatistics))
  }

  private func skip(_ map: FeatureMap?, _ next: DecoderLayer?) -> DecoderLayer.Skip? {
    map.map { DecoderLayer.Skip($0, storage: next?.sumStorage ?? .fp32) }
  }

  private func addSkip(_ skip: FeatureMap?, to map: FeatureMap, _ layer: DecoderLayer?, _ workspace: Workspace) {
    guard let skip else { return }
    workspace.forEach(map.rows) { row, _ in
      kernel_add(map.row(row), map.stride, skip.row(row), skip.stride, map.channels, map.columns)
      layer?.sumStorage.round(map.row(row), stride: map.stride, lines: map.channels, columns: map.columns)
    }
  }

  private func tapRefined(_ taps: TapRecorder, _ layer: DecoderLayer, _ y: FeatureMap, isImage: Bool) {
    let name = layer.name + "#1"
    let target: TapRecorder.Target =
      isImage
      ? .image(name, rows: y.rows, channels: y.channels, columns: y.columns)
      : .batch(name, rows: y.rows, channels: y.channels, columns: y.columns)
    taps.record(target, y)
  }
}
