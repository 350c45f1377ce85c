/// The order in which the chunks of all passes over a track are separated.
///
/// Passes advance side by side, in rounds: chunk 0 of every pass, then chunk 1 of every pass, and so on. They lie no more
/// than half a second apart, so what all passes have finished can leave after each round, however long the track.
struct ChunkSchedule {
  /// A chunk of one pass.
  struct Job: Equatable, Sendable {
    let pass: Int
    let chunk: Chunk
    /// First sample of the chunk, counted from the start of the track; negative in the silence before it.
    let start: Int
  }

  let passes: [Shifts.Pass]
  let plans: [ChunkPlan]

  init(passes: [Shifts.Pass], geometry: ChunkGeometry) {
    self.passes = passes
    plans = passes.map { ChunkPlan(length: $0.length, geometry: geometry) }
  }

  /// Chunks of all passes.
  var chunkCount: Int { plans.reduce(0) { $0 + $1.count } }

  /// Rounds: as many as the longest pass has chunks.
  var roundCount: Int { plans.map(\.count).max() ?? 0 }

  /// The chunk of pass `pass` in round `round`; nil where the pass has no chunk any more.
  func job(round: Int, pass: Int) -> Job? {
    guard round < plans[pass].count else { return nil }
    let chunk = plans[pass][round]
    return Job(pass: pass, chunk: chunk, start: chunk.offset - passes[pass].leadingSilence)
  }

  /// Number of samples of the track, from the first, that no chunk of a later round touches in any pass.
  func finishedLength(after round: Int) -> Int {
    let ends = zip(passes, plans).map { pass, plan in
      plan.finishedLength(after: min(round, plan.count - 1)) - pass.leadingSilence
    }
    return max(0, ends.min() ?? 0)
  }

  /// Up to `count` jobs, in order, from a place on, which moves behind them.
  func jobs(_ count: Int, from place: inout (round: Int, pass: Int)) -> [Job] {
    var jobs: [Job] = []
    while jobs.count < count, place.round < roundCount {
      if let job = job(round: place.round, pass: place.pass) { jobs.append(job) }
      advance(&place)
    }
    return jobs
  }

  /// Moves to the next pass, and after the last to the next round.
  func advance(_ place: inout (round: Int, pass: Int)) {
    place.pass += 1
    if place.pass == passes.count { place = (place.round + 1, 0) }
  }

  /// The first sample of the track that a job from `place` on starts at; negative in the silence before it.
  func earliestStart(from place: (round: Int, pass: Int)) -> Int {
    passes.indices.compactMap { pass in
      job(round: pass < place.pass ? place.round + 1 : place.round, pass: pass)?.start
    }.min() ?? .max
  }
}
