import Synchronization
import Tensors

/// One run of the network over a whole normalised track: `demucs.apply.apply_model` for one model.
struct ApplyModel {
  let model: any SeparationModel
  let geometry: ChunkGeometry
  let transitionPower: Double
  let shifts: Shifts

  /// Separates every chunk of every pass.
  /// - Parameters:
  ///   - track: the track; what is not needed any more is let go.
  ///   - emit: is given the finished samples in order: `[sources x channels, samples]` (source 0 channel 0, source 0
  ///     channel 1, ...) and the first of them in the track.
  /// - Throws: what the track, the model, `progress` or `emit` throws; `SeparationError` if the model's result cannot be
  ///   used.
  func callAsFunction(
    _ track: TrackWindow, progress: ProgressHandler?, emit: (Tensor, Int) throws -> Void
  ) throws {
    let schedule = ChunkSchedule(passes: shifts.passes(length: track.length), geometry: geometry)
    let atOnce = model.prepare(
      segments: schedule.chunkCount, samples: geometry.paddedLength ?? geometry.segmentLength)
    let callers = WorkerPool(threadCount: atOnce)
    var average = PassAverage(
      schedule: schedule, rows: model.sources.count * model.audioChannels, transitionPower: transitionPower)
    var report = Report(
      schedule: schedule, totalSeconds: Double(track.length) / Double(model.sampleRate), handler: progress)
    try report.send()
    var place = (round: 0, pass: 0)
    while true {
      let jobs = schedule.jobs(atOnce, from: &place)
      if jobs.isEmpty { return }
      // Padding reaches back from the chunk's own start, by half of what there is to fill up.
      track.forget(
        before: min(average.emitted, jobs.lazy.map(\.start).min() ?? 0, schedule.earliestStart(from: place))
          - (geometry.paddedLength ?? 0) / 2)
      let inputs = try jobs.map { try input($0, of: track) }
      // Whoever is done first, sums are formed in the order of the schedule.
      for (input, result) in zip(inputs, separate(inputs, on: callers)) {
        let job = input.job
        try average.add(try result.get(), from: input.leadingPadding, to: job, emit: emit)
        report.count(job, finished: average.finished(pass: job.pass))
        try report.send()
      }
    }
  }

  /// What the network is given of a chunk.
  private struct Input {
    let job: ChunkSchedule.Job
    /// `[channels, padded samples]`.
    let mix: Tensor
    /// First sample of `mix` that belongs to the chunk.
    let leadingPadding: Int
  }

  private func input(_ job: ChunkSchedule.Job, of track: TrackWindow) throws -> Input {
    let stretch = TrackStretch(track: track, offset: job.start, length: job.chunk.length)
    let length = geometry.paddedLength ?? job.chunk.length
    return Input(job: job, mix: try stretch.padded(to: length), leadingPadding: stretch.leadingPadding(to: length))
  }

  /// Separates chunks at the same time, one a thread of `callers`.
  private func separate(_ inputs: [Input], on callers: WorkerPool) -> [Result<Tensor, any Error>] {
    let results = Mutex([Result<Tensor, any Error>?](repeating: nil, count: inputs.count))
    callers.forEach(inputs.count) { index, _ in
      let result = Result { try separate(inputs[index]) }
      results.withLock { $0[index] = result }
    }
    return results.withLock { $0.compactMap { $0 } }
  }

  /// Runs the network and checks what it returned.
  /// - Returns: `[sources, channels, padded samples]`.
  private func separate(_ input: Input) throws -> Tensor {
    let output = try model.separate(input.mix)
    let expected = [model.sources.count, model.audioChannels, input.mix.shape[1]]
    guard output.shape == expected else {
      throw SeparationError.wrongOutputShape(output.shape, expected: expected)
    }
    guard output.elements.allSatisfy(\.isFinite) else {
      throw SeparationError.outputNotFinite(
        second: Double(max(0, input.job.start)) / Double(model.sampleRate), module: model.whereNotFinite(input.mix))
    }
    return output
  }

  /// Counts what is done and tells the handler.
  private struct Report {
    private let handler: ProgressHandler?
    private let schedule: ChunkSchedule
    private let totalChunks: Int
    private let totalSeconds: Double
    private var chunksDone = 0
    /// Share of each pass that is done.
    private var shares: [Double]

    init(schedule: ChunkSchedule, totalSeconds: Double, handler: ProgressHandler?) {
      self.handler = handler
      self.schedule = schedule
      self.totalSeconds = totalSeconds
      totalChunks = schedule.chunkCount
      shares = schedule.passes.map { _ in 0 }
    }

    mutating func count(_ job: ChunkSchedule.Job, finished: Int) {
      chunksDone += 1
      shares[job.pass] = Double(finished) / Double(schedule.passes[job.pass].length)
    }

    func send() throws {
      let share = chunksDone == totalChunks ? 1 : shares.reduce(0, +) / Double(shares.count)
      try handler?(
        SeparationProgress(
          chunksDone: chunksDone, totalChunks: totalChunks, secondsDone: totalSeconds * share,
          totalSeconds: totalSeconds))
    }
  }
}
