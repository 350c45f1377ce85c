import Layers

/// Search for a small set of operations in float32.
extension SensitivityAnalysis {
  /// Operations that go to float32 together, and what that costs.
  private typealias Candidate = (unit: PrecisionUnit, cost: Double)

  /// Runs in which a member is left out to see whether it is needed.
  private static let trials = 48

  /// Finds operations to put into float32 so that every stem reaches a ratio, and proves it.
  ///
  /// Noises of layers that are rounded alone add up, nearly, and `report` has measured them. Layers are taken out, one after
  /// another, that save the most of the excess noise for their share of products and bytes, until the rest should fit. A run
  /// with the set says whether it does; what is missing tightens the bound for the next round. Then each layer, and at last
  /// each class of operations in each layer, is left out if the stems still reach the ratio without it, the costly ones first.
  /// - Parameter target: wanted ratio of each stem in dB (`StemNoise.budget`).
  public func proposal(target: Double) throws -> SensitivityReport.Proposal {
    let runsBefore = done
    let layers = PrecisionUnit.layers(operations).filter(isRounded)
    total = done + Self.trials
    let noises = try layers.map { layer in
      if let known = alone[layer] { return known }
      try step("\(layer.name) alone")
      return try noise(PrecisionPolicy(.fp32, rules: layer.rules(as: operations))).noise
    }
    let items = zip(layers, noises).map { (noise: $1, cost: cost($0)) }
    var tightening = 1.0
    var chosen: [Int] = []
    var result = whole
    let budget = whole.budget(target)
    var round = 0
    while !result.reaches(target), chosen.count < layers.count, round < 12 {
      round += 1
      let added = Self.greedy(items, bound: budget.map { $0 * tightening }, chosen: &chosen)
      result = try trial(chosen.sorted().map { layers[$0] })
      let excess = zip(result.noise, budget).map { $0 / max($1, .leastNormalMagnitude) }.max() ?? 0
      if excess > 1 { tightening *= added || round == 1 ? min(0.9, 1 / excess) : 0.5 }
    }
    var members = chosen.sorted().map { layers[$0] }
    if result.reaches(target) {
      let limit = done + Self.trials
      total = min(
        limit,
        done + members.count
          + PrecisionUnit.parts(operations).filter { part in
            isRounded(part) && members.contains { $0.scope == part.scope }
          }.count)
      if members.count > 1 { try prune(&members, &result, target, until: limit) }
      members = PrecisionUnit.parts(operations).filter { part in
        isRounded(part) && members.contains { $0.scope == part.scope }
      }
      try prune(&members, &result, target, until: limit)
    }
    let before = operations.indices.filter { operations[$0].precision.isFull }
    let after = operations.indices.filter { index in
      operations[index].precision.isFull || members.contains { $0.contains(operations[index]) }
    }
    let (shareBefore, share) = (share(of: before), share(of: after))
    return SensitivityReport.Proposal(
      target: target, reached: result.reaches(target), fp32: PrecisionUnit.words(members, operations),
      result: .init(result),
      operationShareBefore: shareBefore.operations, operationShare: share.operations,
      byteShareBefore: byteShare(shareBefore.numbers), byteShare: byteShare(share.numbers), runs: done - runsBefore)
  }

  private func isRounded(_ unit: PrecisionUnit) -> Bool { unit.isRounded(operations) }

  private func cost(_ unit: PrecisionUnit) -> Double {
    let share = share(
      of: operations.indices.filter { unit.contains(operations[$0]) && !operations[$0].precision.isFull })
    return share.operations + share.numbers
  }

  private func trial(_ members: [PrecisionUnit]) throws -> StemNoise {
    try step(members.count == 1 ? "\(members[0].name) in fp32" : "\(members.count) parts in fp32")
    return try noise(with(members.flatMap(\.full)))
  }

  /// Leaves out what is not needed, the costly ones first.
  /// - Parameter limit: runs after which it ends.
  private func prune(
    _ members: inout [PrecisionUnit], _ result: inout StemNoise, _ target: Double, until limit: Int
  ) throws {
    for unit in members.sorted(by: { cost($0) > cost($1) }) where members.count > 1 && done < limit {
      let rest = members.filter { $0 != unit }
      let found = try trial(rest)
      if found.reaches(target) { (members, result) = (rest, found) }
    }
  }

  /// Of all bytes, those of numbers in float32, which take twice as many.
  private func byteShare(_ numbers: Double) -> Double { 2 * numbers / (2 * numbers + (1 - numbers)) }

  /// Takes out noises until the rest fits.
  /// - Returns: whether any was taken out.
  package static func greedy(_ items: [(noise: [Double], cost: Double)], bound: [Double], chosen: inout [Int]) -> Bool {
    var rest = [Double](repeating: 0, count: bound.count)
    for index in items.indices where !chosen.contains(index) {
      for stem in rest.indices { rest[stem] += items[index].noise[stem] }
    }
    let before = chosen.count
    while zip(rest, bound).contains(where: { $0 > $1 }) {
      let excess = zip(rest, bound).map { max(0, $0 - $1) }
      let best = items.indices.filter { !chosen.contains($0) }.max { gain(items[$0], excess) < gain(items[$1], excess) }
      guard let best else { break }
      chosen.append(best)
      for stem in rest.indices { rest[stem] -= items[best].noise[stem] }
    }
    return chosen.count > before
  }

  /// Excess noise that goes with an operation, for what it costs in float32.
  private static func gain(_ item: (noise: [Double], cost: Double), _ excess: [Double]) -> Double {
    let saved = zip(item.noise, excess).reduce(0.0) { $0 + ($1.1 > 0 ? min($1.0, $1.1) / $1.1 : 0) }
    return saved / (item.cost + 1e-3)
  }
}
