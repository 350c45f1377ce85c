import Checkpoints

/// The hyper-parameters of an `HTDemucs`: the arguments of `demucs.htdemucs.HTDemucs.__init__`, under their names, with
/// their defaults, and what follows from them.
public struct Configuration: Sendable {
  /// Names of the stems.
  public let sources: [String]
  public let audioChannels: Int
  /// Sample rate in Hz.
  public let sampleRate: Int
  /// Samples of a training segment: `int(segment * samplerate)`.
  public let segmentLength: Int
  /// Whether every input is padded to `segmentLength`.
  public let usesTrainingSegment: Bool
  /// Points of the STFT; the hop is a quarter.
  public let fftSize: Int

  let depth: Int
  let hasRewrite: Bool
  let context: Int
  let encoderContext: Int
  let normGroups: Int
  let dconvInEncoder: Bool
  let dconvInDecoder: Bool
  let dconvDepth: Int
  let dconvCompression: Double
  /// Weight of the frequency embedding, 0 if there is none.
  let frequencyEmbeddingWeight: Float
  let embeddingScale: Float
  let bottomChannels: Int
  package let transformer: TransformerConfiguration
  /// From the outside in: layer 0 sees the spectrogram and the waveform.
  let layers: [LayerShape]
  /// Parameters in the checkpoint that the constructor does not have; demucs drops them too.
  public let ignoredParameters: [String]

  public var hopLength: Int { fftSize / 4 }

  /// Frequencies of the spectrogram that the network sees: the Nyquist bin is left out.
  public var frequencies: Int { fftSize / 2 }

  /// Channels of the spectrogram that the network sees: real and imaginary part of each audio channel.
  public var spectrogramChannels: Int { 2 * audioChannels }

  /// Frames of the spectrogram of `length` samples.
  public func frames(_ length: Int) -> Int { (length + hopLength - 1) / hopLength }

  /// Columns beyond its ends that any layer may read of a line.
  package var margin: Int {
    let dilation = dconvDepth > 0 ? 1 << (dconvDepth - 1) : 1
    return max(16, dilation, context, encoderContext)
  }

  static let parameters = [
    "sources", "audio_channels", "channels", "channels_time", "growth", "nfft", "wiener_iters", "end_iters",
    "wiener_residual", "cac", "depth", "rewrite", "multi_freqs", "multi_freqs_depth", "freq_emb", "emb_scale",
    "emb_smooth", "kernel_size", "time_stride", "stride", "context", "context_enc", "norm_starts", "norm_groups",
    "dconv_mode", "dconv_depth", "dconv_comp", "dconv_init", "bottom_channels", "t_layers", "t_emb",
    "t_hidden_scale", "t_heads", "t_dropout", "t_max_positions", "t_norm_in", "t_norm_in_group", "t_group_norm",
    "t_norm_first", "t_norm_out", "t_max_period", "t_weight_decay", "t_lr", "t_layer_scale", "t_gelu",
    "t_weight_pos_embed", "t_sin_random_shift", "t_cape_mean_normalize", "t_cape_augment",
    "t_cape_glob_loc_scale", "t_sparse_self_attn", "t_sparse_cross_attn", "t_mask_type", "t_mask_random_seed",
    "t_sparse_attn_window", "t_global_window", "t_sparsity", "t_auto_sparsity", "t_cross_first", "rescale",
    "samplerate", "segment", "use_train_segment",
  ]

  /// - Throws: `ConfigurationError`, naming the parameter.
  public init(_ description: ModelDescription) throws {
    guard description.klass == "demucs.htdemucs.HTDemucs" else {
      throw ConfigurationError.unknownClass(description.klass)
    }
    let arguments = try Arguments(description, parameters: Self.parameters)
    ignoredParameters = arguments.unknown
    guard try arguments.flag("cac", true) else {
      throw ConfigurationError.notImplemented(parameter: "cac", value: "false")
    }
    for name in ["multi_freqs", "t_sin_random_shift", "t_sparse_self_attn", "t_sparse_cross_attn"] {
      try arguments.refuse(name)
    }

    sources = try arguments.strings("sources")
    audioChannels = try arguments.integer("audio_channels", 2, in: 1...64)
    sampleRate = try arguments.integer("samplerate", 44100, in: 1...768_000)
    usesTrainingSegment = try arguments.flag("use_train_segment", true)
    fftSize = try arguments.integer("nfft", 4096, in: 16...(1 << 20))
    guard fftSize % 8 == 0 else {
      throw ConfigurationError.invalid(
        parameter: "nfft", value: "\(fftSize)", expected: "a multiple of 8")
    }
    segmentLength = try Self.segmentLength(arguments, sampleRate: sampleRate)
    depth = try arguments.integer("depth", 4, in: 1...16)
    hasRewrite = try arguments.flag("rewrite", true)
    context = try arguments.integer("context", 1, in: 0...64)
    encoderContext = try arguments.integer("context_enc", 0, in: 0...64)
    normGroups = try arguments.integer("norm_groups", 4, in: 1...65536)
    let dconvMode = try arguments.integer("dconv_mode", 1, in: 0...3)
    dconvInEncoder = dconvMode & 1 != 0
    dconvInDecoder = dconvMode & 2 != 0
    dconvDepth = try arguments.integer("dconv_depth", 2, in: -10...10)
    dconvCompression = try arguments.number("dconv_comp", 8, in: 0.01...65536)
    frequencyEmbeddingWeight = Float(try arguments.optionalNumber("freq_emb", 0.2) ?? 0)
    embeddingScale = Float(try arguments.number("emb_scale", 10, in: -1e6...1e6))
    bottomChannels = try arguments.integer("bottom_channels", 0, in: 0...65536)
    layers = try Self.layerShapes(
      arguments, depth: depth, fftSize: fftSize, audioChannels: audioChannels, sourceCount: sources.count)
    transformer = try TransformerConfiguration(
      arguments, layers: layers, bottomChannels: bottomChannels)
  }

  private static func segmentLength(_ arguments: Arguments, sampleRate: Int) throws -> Int {
    let value = arguments["segment"] ?? .integer(10)
    var length = value.fractionValue?.truncatedProduct(sampleRate)
    if length == nil, let seconds = value.doubleValue {
      length = Int(exactly: (seconds * Double(sampleRate)).rounded(.towardZero))
    }
    guard let length, length >= 1, length <= 1 << 30 else {
      throw ConfigurationError.invalid(
        parameter: "segment", value: value.text, expected: "a positive number of seconds")
    }
    return length
  }
}
