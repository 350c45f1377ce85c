import Checkpoints

/// The hyper-parameters of an HTDemucs or an HDemucs: the arguments of `demucs.htdemucs.HTDemucs.__init__` or
/// `demucs.hdemucs.HDemucs.__init__`, under their names, with their defaults, and what follows from them.
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
  /// Whether segments may be longer than those of the training: in an HDemucs nothing depends on their length.
  public let takesLongSegments: Bool
  /// How the ends of a segment are padded for the STFT.
  package let framing: Spectrogram.Framing
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
  /// nil for an HDemucs.
  package let transformer: TransformerConfiguration?
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
    // A transposed convolution reads as many inputs as reach one output.
    let reach = layers.map { max($0.columnReach, $0.time?.columnReach ?? 0) }.max() ?? 0
    return max(16, dilation, context, encoderContext, reach)
  }

  /// - Throws: `ConfigurationError`, naming the parameter.
  public init(_ description: ModelDescription) throws {
    guard let network = Network(rawValue: description.klass) else {
      throw ConfigurationError.unknownClass(description.klass)
    }
    let arguments = try Arguments(description, parameters: network.parameters)
    ignoredParameters = arguments.unknown
    for name in network.required where try arguments.flag(name, true) == false {
      throw ConfigurationError.notImplemented(parameter: name, value: "false")
    }
    for name in network.refused { try arguments.refuse(name) }

    sources = try arguments.strings("sources")
    audioChannels = try arguments.integer("audio_channels", 2, in: 1...64)
    sampleRate = try arguments.integer("samplerate", 44100, in: 1...768_000)
    usesTrainingSegment = network == .htdemucs ? try arguments.flag("use_train_segment", true) : false
    takesLongSegments = network == .hdemucs
    let isOld = network == .hdemucs ? try arguments.flag("hybrid_old", false) : false
    framing = isOld ? .delayed : .centred
    fftSize = try arguments.integer("nfft", 4096, in: 16...(1 << 20))
    guard fftSize % 8 == 0 else {
      throw ConfigurationError.invalid(
        parameter: "nfft", value: "\(fftSize)", expected: "a multiple of 8")
    }
    segmentLength = try Self.segmentLength(arguments, missing: network.segment, sampleRate: sampleRate)
    depth = try arguments.integer("depth", network.depth, in: 1...16)
    hasRewrite = try arguments.flag("rewrite", true)
    context = try arguments.integer("context", 1, in: 0...64)
    encoderContext = try arguments.integer("context_enc", 0, in: 0...64)
    normGroups = try arguments.integer("norm_groups", 4, in: 1...65536)
    let dconvMode = try arguments.integer("dconv_mode", 1, in: 0...3)
    dconvInEncoder = dconvMode & 1 != 0
    dconvInDecoder = dconvMode & 2 != 0
    dconvDepth = try arguments.integer("dconv_depth", 2, in: -10...10)
    dconvCompression = try arguments.number("dconv_comp", network.dconvCompression, in: 0.01...65536)
    frequencyEmbeddingWeight = Float(try arguments.optionalNumber("freq_emb", 0.2) ?? 0)
    embeddingScale = Float(try arguments.number("emb_scale", 10, in: -1e6...1e6))
    layers = try Self.layerShapes(
      arguments, depth: depth, fftSize: fftSize, audioChannels: audioChannels, sourceCount: sources.count,
      context: try network.context(arguments))
    switch network {
    case .htdemucs:
      bottomChannels = try arguments.integer("bottom_channels", 0, in: 0...65536)
      transformer = try TransformerConfiguration(arguments, layers: layers, bottomChannels: bottomChannels)
      if usesTrainingSegment { try checkLengths(segmentLength) }
    case .hdemucs:
      bottomChannels = 0
      transformer = nil
      guard layers.contains(where: \.isLastFrequency) else {
        throw ConfigurationError.inconsistent(
          "the branches never merge: \(depth) layers do not bring \(frequencies) frequencies down to one")
      }
    }
  }

  private static func segmentLength(_ arguments: Arguments, missing: Int, sampleRate: Int) throws -> Int {
    let value = arguments["segment"] ?? .integer(missing)
    var length = value.fractionValue?.truncatedProduct(sampleRate)
    if length == nil, let seconds = value.doubleValue {
      length = Int(exactly: (seconds * Double(sampleRate)).rounded(.towardZero))
    }
    guard let length, length >= 1, length <= 1 << 30 else {
      throw ConfigurationError.invalid(
        parameter: "segment", value: value.text,
        expected: "a number of seconds that makes 1 to \(1 << 30) samples at \(sampleRate) Hz")
    }
    return length
  }
}
