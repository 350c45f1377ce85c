import AudioFiles
import Logging

/// Splits songs into stems with one network or a bag of them: `demucs.api.Separator`.
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
  /// The networks, one or several.
  public let bag: ModelBag
  /// Names of the stems, in order.
  public let sources: [String]
  /// Sample rate in Hz of what goes in and comes out.
  public let sampleRate: Int
  /// Audio channels of what goes in and comes out.
  public let audioChannels: Int
  /// How tracks are cut and joined.
  public let options: SeparationOptions
  /// Of each network.
  private let geometries: [ChunkGeometry]
  private let totals: [Float]?
  private let loaded: LoadedMember
  let logger: Logger

  /// One separated source.
  public typealias Stem = (name: String, audio: AudioBuffer)

  /// A separator with one network.
  /// - Parameters:
  ///   - model: the network.
  ///   - options: how tracks are cut, overlapped and shifted.
  ///   - logger: is told of statistics and plans at debug level; silent by default.
  /// - Throws: `SeparationError` for an option out of its range.
  public init(
    model: any SeparationModel, options: SeparationOptions = SeparationOptions(),
    logger: Logger = Logger(label: "separation") { _ in SwiftLogNoOpLogHandler() }
  ) throws {
    try self.init(bag: ModelBag(model), options: options, logger: logger)
  }

  /// A separator with the networks of a bag.
  ///
  /// Each is loaded once, and let go: what is wrong with one is found before hours of work.
  /// - Parameters: as of `init(model:options:logger:)`.
  /// - Throws: `SeparationError` for an option out of its range and for networks that cannot be averaged; what is wrong
  ///   with a network's file.
  public init(
    bag: ModelBag, options: SeparationOptions = SeparationOptions(),
    logger: Logger = Logger(label: "separation") { _ in SwiftLogNoOpLogHandler() }
  ) throws {
    let loaded = LoadedMember()
    // No network outlives its turn, so only words and numbers are kept.
    let (sources, sampleRate, audioChannels) = try { model in
      (model.sources, model.sampleRate, model.audioChannels)
    }(loaded.model(bag.members[0]))
    geometries = try bag.members.map { member in
      let model = try loaded.model(member)
      let difference: String? =
        if model.sources != sources {
          "their sources, \(sources.joined(separator: ", ")) and \(model.sources.joined(separator: ", "))"
        } else if model.sampleRate != sampleRate {
          "their sample rates, \(sampleRate) and \(model.sampleRate) Hz"
        } else if model.audioChannels != audioChannels {
          "their channels, \(audioChannels) and \(model.audioChannels)"
        } else {
          nil
        }
      if let difference {
        throw SeparationError.membersDiffer(first: bag.members[0].name, other: member.name, what: difference)
      }
      return try ChunkGeometry(model: model, options: options)
    }
    totals = try bag.totals(sources: sources)
    (self.sources, self.sampleRate, self.audioChannels) = (sources, sampleRate, audioChannels)
    (self.bag, self.options, self.logger, self.loaded) = (bag, options, logger, loaded)
  }

  /// Separates a track: `Separator.separate_tensor`.
  /// - Parameters:
  ///   - audio: the track at the model's sample rate, with the model's number of channels, at full scale 1.
  ///   - progress: is told of every finished segment; what it throws ends the separation.
  /// - Returns: one stem a source in the order of the model, each as long as the track.
  /// - Throws: `SeparationError`, or what the model or `progress` throws.
  public func separate(_ audio: AudioBuffer, progress: ProgressHandler? = nil) throws -> [Stem] {
    try separate(audio, shifts: shifts, progress: progress)
  }

  /// The random shifts of a track; every network of a bag draws its own, one after another.
  var shifts: Shifts {
    let (count, overflow) = options.shifts.multipliedReportingOverflow(by: bag.members.count)
    return Shifts(count: overflow ? .max : count, sampleRate: sampleRate, seed: options.seed)
  }

  /// Separates a track with given shifts in place of random ones, those of each network after another's.
  package func separate(
    _ audio: AudioBuffer, shifts: Shifts, progress: ProgressHandler? = nil
  ) throws -> [Stem] {
    try check(audio)
    let statistics = TrackStatistics(of: audio.channels)
    let track = NormalizedTrack(channels: audio.channels, statistics: statistics)
    var rows = try estimate(track, shifts: shifts, progress: progress)
    for row in rows.indices {
      for index in rows[row].indices { rows[row][index] = statistics.restored(rows[row][index]) }
    }
    return sources.enumerated().map { source, name in
      let first = source * audioChannels
      return (name, AudioBuffer(channels: Array(rows[first..<first + audioChannels])))
    }
  }

  /// Runs the networks over a normalised track in memory.
  /// - Returns: samples by source and channel, still normalised.
  package func estimate(
    _ track: NormalizedTrack, shifts: Shifts, progress: ProgressHandler? = nil
  ) throws -> [[Float]] {
    let rowCount = sources.count * audioChannels
    let whole = MemoryRows(rowCount: rowCount, length: track.length)
    try estimate(
      MeasuredTrack(track), shifts: shifts, progress: progress,
      sums: { MemoryRows(rowCount: rowCount, length: track.length) },
      emit: { block in
        for row in 0..<rowCount { whole.write(block.row(row), row: row, at: block.position) }
      })
    return whole.rows
  }

  /// Runs the networks over a track, one after another: `demucs.apply.apply_model`.
  ///
  /// Memory does not depend on the length of the track, but for that of `sums`.
  /// - Parameters:
  ///   - track: is read once for each network.
  ///   - shifts: those of each network after another's.
  ///   - progress: is told of every finished segment; what it throws ends the separation.
  ///   - sums: makes room for what several networks add up: a row for each channel of each source.
  ///   - emit: is given the finished samples in order, still normalised.
  func estimate(
    _ track: MeasuredTrack, shifts: Shifts, progress: ProgressHandler?, sums: () throws -> any RowStore,
    emit: (FinishedBlock) throws -> Void
  ) throws {
    logger.debug(
      "normalised track",
      metadata: [
        "samples": "\(track.length)", "mean": "\(track.statistics.mean)",
        "deviation": "\(track.statistics.deviation)", "shifts": "\(shifts.offsets)",
        "segment": "\(options.isSplit ? geometries[0].segmentLength : track.length)",
        "networks": "\(bag.members.count)",
      ])
    let geometries = try geometries(for: track.length, shifts: shifts)
    let chunks = zip(bag.members.indices, geometries).map { member, geometry in
      ChunkSchedule(
        passes: shifts.part(member, of: bag.members.count).passes(length: track.length), geometry: geometry
      ).chunkCount
    }
    var average = BagAverage(
      weights: bag.weights, totals: totals, members: bag.members.count, channels: audioChannels,
      store: bag.members.count > 1 ? try sums() : nil)
    for (index, member) in bag.members.enumerated() {
      let apply = ApplyModel(
        model: try loaded.model(member), geometry: geometries[index],
        transitionPower: options.effective.transitionPower,
        shifts: shifts.part(index, of: bag.members.count))
      let window = try TrackWindow(track, channelCount: audioChannels)
      try apply(window, progress: progress.map { part($0, index, chunks) }) { samples, position in
        guard try average.add(samples, at: position, of: index) else { return }
        try emit(FinishedBlock(samples: samples, position: position, track: window))
      }
    }
  }

  /// How each network cuts a track of `length` samples.
  private func geometries(for length: Int, shifts: Shifts) throws -> [ChunkGeometry] {
    guard !options.isSplit else { return geometries }
    return try bag.members.enumerated().map { index, member in
      let passes = shifts.part(index, of: bag.members.count).passes(length: length)
      return try ChunkGeometry(whole: passes.map(\.length).max() ?? length, model: loaded.model(member))
    }
  }

  /// A handler for the progress of one network that tells `handler` of the whole.
  private func part(_ handler: @escaping ProgressHandler, _ index: Int, _ chunks: [Int]) -> ProgressHandler {
    let before = chunks[..<index].reduce(0, +)
    let count = Double(chunks.count)
    return { progress in
      // The beginning of a later network is the end of the one before it.
      if index > 0, progress.chunksDone == 0 { return }
      try handler(
        SeparationProgress(
          chunksDone: before + progress.chunksDone, totalChunks: chunks.reduce(0, +),
          secondsDone: (Double(index) * progress.totalSeconds + progress.secondsDone) / count,
          totalSeconds: progress.totalSeconds))
    }
  }

  private func check(_ audio: AudioBuffer) throws {
    let channels = audio.channels
    guard let first = channels.first, !first.isEmpty else { throw SeparationError.emptyTrack }
    guard channels.count == audioChannels else {
      throw SeparationError.wrongChannelCount(channels.count, expected: audioChannels)
    }
    guard channels.allSatisfy({ $0.count == first.count }) else { throw SeparationError.unequalChannels }
  }
}
