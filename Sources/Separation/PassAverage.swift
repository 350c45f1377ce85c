import Tensors

/// Joins the chunks of all passes over a track and averages the passes, and lets samples go as soon as all passes have
/// finished them.
///
/// Every sample is the sum over the passes in their order, divided by their number: the order of operations of
/// `demucs.apply.apply_model`, whichever way the passes lie to each other. What a pass has finished before the others did
/// is held back, half a second and a stride at most.
struct PassAverage {
  private let schedule: ChunkSchedule
  private let rows: Int
  private var joins: [OverlapAdd]
  /// For each pass and row the samples from `emitted` on that it has finished.
  private var held: [[[Float]]]
  private var place = (round: 0, pass: 0)
  /// Sums of samples `emitted..<goal`, `[rows, goal - emitted]`.
  private var block: Tensor
  private var goal: Int

  /// Samples handed out so far.
  private(set) var emitted = 0

  init(schedule: ChunkSchedule, rows: Int, transitionPower: Double) {
    self.schedule = schedule
    self.rows = rows
    joins = schedule.plans.map { OverlapAdd(plan: $0, rows: rows, transitionPower: transitionPower) }
    held = schedule.plans.map { _ in [[Float]](repeating: [], count: rows) }
    goal = schedule.finishedLength(after: 0)
    block = Tensor(shape: [rows, goal])
  }

  /// Samples that `pass` has finished, counted from its own start.
  func finished(pass: Int) -> Int { joins[pass].finished }

  /// Adds the result of the next job.
  /// - Parameters:
  ///   - output: `[sources, channels, padded samples]`.
  ///   - start: first sample of the last axis that belongs to the chunk.
  ///   - job: the next one of the schedule.
  ///   - emit: is given `[rows, samples]` and the first of these samples in the track, where there are any.
  mutating func add(
    _ output: Tensor, from start: Int, to job: ChunkSchedule.Job, emit: (Tensor, Int) throws -> Void
  ) throws {
    try settlePassesThatAreDone(emit)
    precondition(schedule.job(round: place.round, pass: place.pass) == job, "jobs were added out of order")
    let position = joins[job.pass].finished - schedule.passes[job.pass].leadingSilence
    let finished = joins[job.pass].add(output, from: start, to: job.chunk)
    settle(job.pass, finished, at: position)
    try advance(emit)
    try settlePassesThatAreDone(emit)
  }

  private mutating func settlePassesThatAreDone(_ emit: (Tensor, Int) throws -> Void) throws {
    while place.round < schedule.roundCount, schedule.job(round: place.round, pass: place.pass) == nil {
      settle(place.pass, nil, at: 0)
      try advance(emit)
    }
  }

  /// Adds what a pass has of the samples of this round, and holds the rest back.
  /// - Parameters:
  ///   - finished: `[rows, samples]`, what the pass finished in this round; nil where it was done before.
  ///   - position: of the first of these samples in the track, negative in the silence before it.
  private mutating func settle(_ pass: Int, _ finished: Tensor?, at position: Int) {
    let wanted = goal - emitted
    for row in 0..<rows {
      let target = block.data + row * wanted
      let old = min(wanted, held[pass][row].count)
      for index in 0..<old { target[index] += held[pass][row][index] }
      held[pass][row].removeFirst(old)
      guard let finished else { continue }
      let count = finished.shape[1]
      let skipped = min(count, max(0, -position))
      let fresh = min(wanted - old, count - skipped)
      let source = finished.data + row * count + skipped
      for index in 0..<fresh { target[old + index] += source[index] }
      held[pass][row].append(
        contentsOf: UnsafeBufferPointer(start: source + fresh, count: count - skipped - fresh))
    }
  }

  /// Goes on to the next pass; after the last the samples of the round leave.
  private mutating func advance(_ emit: (Tensor, Int) throws -> Void) throws {
    schedule.advance(&place)
    guard place.pass == 0 else { return }
    if goal > emitted {
      let count = joins.count
      if count > 1 { for index in 0..<block.count { block.data[index] /= Float(count) } }
      try emit(block, emitted)
      emitted = goal
    }
    goal = place.round < schedule.roundCount ? schedule.finishedLength(after: place.round) : emitted
    block = Tensor(shape: [rows, goal - emitted])
  }
}
