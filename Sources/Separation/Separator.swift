import AudioFiles
import Logging

/// Splits songs into stems with one network: `demucs.api.Separator`.
///
/// ```swift
/// import Separation
/// import Tensors
///
/// let pool = WorkerPool(threadCount: 8)
/// let model = try loadModel(at: "models/open_6s.safetensors", pool: pool)
/// let separator = try Separator(model: model, options: SeparationOptions(shifts: 1))
/// let stems = try separator.separate(audio)  // an AudioBuffer at model.sampleRate
/// print(stems.map(\.name))
/// ```
///
/// The same audio, model and options give the same bits, whatever the number of threads.
public struct Separator: Sendable {
  /// The network.
  public let model: any SeparationModel
  /// How tracks are cut and joined.
  public let options: SeparationOptions
  private let geometry: ChunkGeometry
  let logger: Logger

  /// One separated source.
  public typealias Stem = (name: String, audio: AudioBuffer)

  /// - Parameters:
  ///   - model: the network.
  ///   - options: how tracks are cut, overlapped and shifted.
  ///   - logger: is told of statistics and plans at debug level; silent by default.
  /// - Throws: `SeparationError` for an option out of its range.
  public init(
    model: any SeparationModel, options: SeparationOptions = SeparationOptions(),
    logger: Logger = Logger(label: "separation") { _ in SwiftLogNoOpLogHandler() }
  ) throws {
    self.model = model
    self.options = options
    self.logger = logger
    geometry = try ChunkGeometry(model: model, options: options)
  }

  /// Separates a track: `Separator.separate_tensor`.
  /// - Parameters:
  ///   - audio: the track at the model's sample rate, with the model's number of channels, at full scale 1.
  ///   - progress: is told of every finished segment; what it throws ends the separation.
  /// - Returns: one stem a source in the order of the model, each as long as the track.
  /// - Throws: `SeparationError`, or what the model or `progress` throws.
  public func separate(_ audio: AudioBuffer, progress: ProgressHandler? = nil) throws -> [Stem] {
    let shifts = Shifts(count: options.shifts, sampleRate: model.sampleRate, seed: options.seed)
    return try separate(audio, shifts: shifts, progress: progress)
  }

  /// Separates a track with given shifts in place of random ones.
  package func separate(
    _ audio: AudioBuffer, shifts: Shifts, progress: ProgressHandler? = nil
  ) throws -> [Stem] {
    try check(audio)
    let statistics = TrackStatistics(of: audio.channels)
    logger.debug(
      "normalised track",
      metadata: [
        "samples": "\(audio.channels[0].count)", "mean": "\(statistics.mean)",
        "deviation": "\(statistics.deviation)", "shifts": "\(shifts.offsets)",
        "segment": "\(geometry.segmentLength)", "stride": "\(geometry.stride)",
      ])
    let track = NormalizedTrack(channels: audio.channels, statistics: statistics)
    var rows = try estimate(track, shifts: shifts, progress: progress)
    for row in rows.indices {
      for index in rows[row].indices {
        rows[row][index] = rows[row][index] * statistics.deviation + statistics.mean
      }
    }
    return model.sources.enumerated().map { source, name in
      let first = source * model.audioChannels
      return (name, AudioBuffer(channels: Array(rows[first..<first + model.audioChannels])))
    }
  }

  /// Runs the network over a normalised track: `demucs.apply.apply_model`.
  /// - Returns: samples by source and channel, still normalised.
  package func estimate(
    _ track: NormalizedTrack, shifts: Shifts, progress: ProgressHandler? = nil
  ) throws -> [[Float]] {
    try ApplyModel(
      model: model, geometry: geometry, transitionPower: options.transitionPower, track: track, shifts: shifts
    )(progress: progress)
  }

  private func check(_ audio: AudioBuffer) throws {
    let channels = audio.channels
    guard let first = channels.first, !first.isEmpty else { throw SeparationError.emptyTrack }
    guard channels.count == model.audioChannels else {
      throw SeparationError.wrongChannelCount(channels.count, expected: model.audioChannels)
    }
    guard channels.allSatisfy({ $0.count == first.count }) else { throw SeparationError.unequalChannels }
  }
}
