import Checkpoints
import Layers
import Tensors

/// The network without STFT and iSTFT: (spectrogram, mix) in, (spectrogram, waveform) of every source out.
///
/// This is the part that ports to other runtimes keep in one graph. It equals `demucs.htdemucs.HTDemucs.forward`, or
/// `demucs.hdemucs.HDemucs.forward`, from behind `_magnitude` to before `_mask`.
public final class InnerNetwork: @unchecked Sendable {
  public let configuration: Configuration
  /// The operations of the network, and the precision of each.
  public let plan: PrecisionPlan
  /// What the results of the STFT and its inverse are stored in, and the sum of the branches.
  let stftStorage: NumberFormat
  let sumStorage: NumberFormat
  private let network: HTDemucs

  /// - Parameter precision: which operations are rounded to what.
  /// - Throws: `ConfigurationError` or `CheckpointError`, naming parameters or tensors; `PolicyError` for a rule that fits
  ///   nothing.
  public convenience init(
    _ checkpoint: Checkpoint, precision: PrecisionPolicy = PrecisionPolicy(.fp32)
  ) throws {
    let audit = CheckpointAudit(checkpoint)
    try self.init(try checkpoint.modelDescription(), precision: precision, tensor: audit.tensor)
    try audit.finish()
  }

  /// - Parameter tensor: gives the parameter of a name and shape, in the names of PyTorch's `state_dict`.
  package init(
    _ description: ModelDescription, precision: PrecisionPolicy = PrecisionPolicy(.fp32),
    tensor: @escaping (_ name: String, _ shape: [Int]) throws -> Tensor
  ) throws {
    configuration = try Configuration(description)
    plan = PrecisionPlan(precision)
    let parameters = Parameters(plan: plan, tensor)
    stftStorage = parameters.storage(.stft, "stft")
    network = try HTDemucs(configuration, parameters)
    sumStorage = parameters.storage(.addition, "output")
    try plan.check()
  }

  /// - Parameters:
  ///   - spectrogram: `[2 x audio channels, frequencies, frames]`, real and imaginary part of each channel in turn.
  ///   - mix: `[audio channels, samples]`, with `frames(samples)` frames.
  /// - Returns: `[sources, 2 x audio channels, frequencies, frames]` and `[sources, audio channels, samples]`.
  /// - Throws: `SegmentError` if the shapes do not fit the configuration or each other.
  public func callAsFunction(
    spectrogram: Tensor, mix: Tensor, workspace: Workspace
  ) throws -> (spectrogram: Tensor, waveform: Tensor) {
    let samples = mix.shape.count == 2 ? mix.shape[1] : 0
    guard samples > 0, mix.shape[0] == configuration.audioChannels,
      spectrogram.shape == [
        configuration.spectrogramChannels, configuration.frequencies, configuration.frames(samples),
      ]
    else { throw SegmentError.shape(mix: mix.shape, spectrogram: spectrogram.shape) }
    try configuration.checkLengths(samples)
    try configuration.checkMemory(samples, in: .machine)
    workspace.reset()
    let arena = workspace.arena
    let frames = spectrogram.shape[2]
    let image = FeatureMap(
      in: arena, rows: configuration.frequencies, channels: configuration.spectrogramChannels, columns: frames,
      margin: configuration.margin)
    for row in 0..<image.rows {
      for channel in 0..<image.channels {
        image.line(row: row, channel: channel).update(
          from: spectrogram.data + (channel * image.rows + row) * frames, count: frames)
      }
    }
    let (x, xt) = try run(image, mixMap(mix, arena), workspace: workspace)
    x.1.restore(x.0, workspace: workspace)
    xt.1.restore(xt.0, workspace: workspace)

    let sources = configuration.sources.count
    let estimate = Tensor(
      shape: [sources, configuration.spectrogramChannels, configuration.frequencies, frames], zeroed: false)
    for row in 0..<x.0.rows {
      for channel in 0..<x.0.channels {
        (estimate.data + (channel * x.0.rows + row) * frames).update(
          from: x.0.line(row: row, channel: channel), count: frames)
      }
    }
    let waveform = Tensor(shape: [sources, configuration.audioChannels, samples], zeroed: false)
    for channel in 0..<xt.0.channels {
      (waveform.data + channel * samples).update(from: xt.0.line(row: 0, channel: channel), count: samples)
    }
    return (estimate, waveform)
  }

  func mixMap(_ mix: Tensor, _ arena: Arena, length: Int? = nil) -> FeatureMap {
    let samples = mix.shape[1]
    let map = FeatureMap(
      in: arena, rows: 1, channels: mix.shape[0], columns: length ?? samples, margin: configuration.margin)
    for channel in 0..<map.channels {
      let line = map.line(row: 0, channel: channel)
      line.update(from: mix.data + channel * samples, count: samples)
      (line + samples).update(repeating: 0, count: map.columns - samples)
    }
    return map
  }

  func run(
    _ spectrogram: FeatureMap, _ mix: FeatureMap, workspace: Workspace
  ) throws -> (spectrogram: (FeatureMap, Standardisation), waveform: (FeatureMap, Standardisation)) {
    try network(spectrogram, mix, workspace: workspace)
  }
}

/// Why a segment cannot be separated.
public enum SegmentError: Error, CustomStringConvertible, Sendable {
  case shape(mix: [Int], spectrogram: [Int])
  case channels(Int, expected: Int)
  case empty
  case tooLong(Int, maximum: Int)
  /// More than there is, in bytes.
  case memory(needed: Double, available: Double)
  /// More than the limit on address space leaves, in bytes.
  case addressSpace(needed: Double, available: Double)

  public var description: String {
    switch self {
    case .shape(let mix, let spectrogram):
      "A mix of shape \(mix) and a spectrogram of shape \(spectrogram) do not fit this network."
    case .channels(let count, let expected): "The segment has \(count) channels; the network takes \(expected)."
    case .empty: "The segment has no samples."
    case .tooLong(let length, let maximum):
      "The segment has \(length) samples; the network takes no more than \(maximum)."
    case .memory(let needed, let available):
      "A segment of this model takes about \(Int(needed / 1e9) + 1) GB of memory; there are \(Int(available / 1e9)) GB. "
        + "Use a shorter segment."
    case .addressSpace(let needed, let available):
      "A segment of this model takes about \(Int(needed / 1e6) + 1) MB of memory; the limit on address space (ulimit -v) "
        + "leaves \(Int(available / 1e6)) MB. Raise it."
    }
  }
}
