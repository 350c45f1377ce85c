import Synchronization
import Tensors

/// One run of the network over a whole normalised track: `demucs.apply.apply_model` for one model.
struct ApplyModel {
  let model: any SeparationModel
  let geometry: ChunkGeometry
  let transitionPower: Double
  let track: NormalizedTrack
  let shifts: Shifts

  /// Sources times channels, the rows of every result.
  private var rows: Int { model.sources.count * model.audioChannels }

  /// Separates every chunk of every pass, in order.
  /// - Returns: samples by source and channel (source 0 channel 0, source 0 channel 1, ...), as long as the track.
  /// - Throws: what the model or `progress` throws; `SeparationError` if the model's result cannot be used.
  func callAsFunction(progress: ProgressHandler?) throws -> [[Float]] {
    let passes = shifts.passes(length: track.length)
    let plans = passes.map { ChunkPlan(length: $0.length, geometry: geometry) }
    let atOnce = model.prepare(
      segments: plans.reduce(0) { $0 + $1.count }, samples: geometry.paddedLength ?? geometry.segmentLength)
    let callers = WorkerPool(threadCount: atOnce)
    var report = Report(model: model, track: track, plans: plans, handler: progress)
    var estimate = [[Float]](repeating: [Float](repeating: 0, count: track.length), count: rows)
    try report.send()
    for (pass, plan) in zip(passes, plans) {
      let stretch = TrackStretch(track: track, offset: -pass.leadingSilence, length: pass.length)
      var overlapAdd = OverlapAdd(plan: plan, rows: rows, transitionPower: transitionPower)
      for first in Swift.stride(from: 0, to: plan.count, by: atOnce) {
        let chunks = (first..<min(first + atOnce, plan.count)).map { plan[$0] }
        // Whoever is done first, sums are formed in the order of the chunks.
        for (chunk, result) in zip(chunks, separate(chunks.map(stretch.stretch), on: callers)) {
          let (output, start) = try result.get()
          let position = overlapAdd.finished - pass.leadingSilence
          ApplyModel.add(overlapAdd.add(output, from: start, to: chunk), to: &estimate, at: position)
          report.count(framesDone: overlapAdd.finished, of: plan)
          try report.send()
        }
      }
    }
    guard passes.count > 1 else { return estimate }
    let divisor = Float(passes.count)
    for row in estimate.indices {
      for index in estimate[row].indices { estimate[row][index] /= divisor }
    }
    return estimate
  }

  private typealias Output = (output: Tensor, start: Int)

  /// Separates chunks at the same time, one a thread of `callers`.
  private func separate(_ chunks: [TrackStretch], on callers: WorkerPool) -> [Result<Output, any Error>] {
    let results = Mutex([Result<Output, any Error>?](repeating: nil, count: chunks.count))
    callers.forEach(chunks.count) { index, _ in
      let result = Result { try separate(chunks[index]) }
      results.withLock { $0[index] = result }
    }
    return results.withLock { $0.compactMap { $0 } }
  }

  /// Pads a chunk, runs the network and checks what it returned.
  /// - Returns: `[sources, channels, padded samples]` and the first sample that belongs to the chunk.
  private func separate(_ chunk: TrackStretch) throws -> Output {
    let length = geometry.paddedLength ?? chunk.length
    let mix = chunk.padded(to: length)
    let output = try model.separate(mix)
    let expected = [model.sources.count, model.audioChannels, length]
    guard output.shape == expected else {
      throw SeparationError.wrongOutputShape(output.shape, expected: expected)
    }
    guard output.elements.allSatisfy(\.isFinite) else {
      throw SeparationError.outputNotFinite(
        second: Double(max(0, chunk.offset)) / Double(model.sampleRate), module: model.whereNotFinite(mix))
    }
    return (output, chunk.leadingPadding(to: length))
  }

  /// Adds finished samples `[rows, samples]` at `position`, leaving out those before the track.
  private static func add(_ finished: Tensor, to estimate: inout [[Float]], at position: Int) {
    let count = finished.shape[1]
    for row in estimate.indices {
      let source = finished.data + row * count
      for index in max(0, -position)..<max(0, -position, count) {
        estimate[row][position + index] += source[index]
      }
    }
  }

  /// Counts what is done and tells the handler.
  private struct Report {
    private let handler: ProgressHandler?
    private let totalChunks: Int
    private let totalSeconds: Double
    private let passCount: Int
    private var chunksDone = 0
    /// Share of all passes that is done, in passes.
    private var passesDone = 0.0

    init(model: any SeparationModel, track: NormalizedTrack, plans: [ChunkPlan], handler: ProgressHandler?) {
      self.handler = handler
      totalChunks = plans.reduce(0) { $0 + $1.count }
      totalSeconds = Double(track.length) / Double(model.sampleRate)
      passCount = plans.count
    }

    mutating func count(framesDone: Int, of plan: ChunkPlan) {
      chunksDone += 1
      passesDone = passesDone.rounded(.down) + Double(framesDone) / Double(plan.length)
    }

    func send() throws {
      let share = chunksDone == totalChunks ? 1 : passesDone / Double(passCount)
      try handler?(
        SeparationProgress(
          chunksDone: chunksDone, totalChunks: totalChunks, secondsDone: totalSeconds * share,
          totalSeconds: totalSeconds))
    }
  }
}
