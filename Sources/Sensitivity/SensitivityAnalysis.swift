import Foundation
import Layers
import Tensors

/// Runs a network under many policies, each of which rounds something else.
public final class SensitivityAnalysis {
  /// What is told of every run before it is made: how many of how many, and what it is.
  public typealias Progress = (_ done: Int, _ total: Int, _ what: String) throws -> Void

  private let network: NetworkUnderTest
  private let excerpts: [Tensor]
  private let policy: PrecisionPolicy
  private let progress: Progress
  private var done = 0
  private var total = 0

  private var reference: [Tensor] = []
  private var operations: [PrecisionPlan.Operation] = []
  private var costs: [OperationCost] = []
  private var statistics: [(name: String, values: TapStatistics)] = []

  /// - Parameters:
  ///   - excerpts: `[channels, samples]` each, normalised as a track is, at most a segment long.
  ///   - policy: what the device would do.
  ///   - progress: what it throws ends the analysis.
  public init(
    _ network: NetworkUnderTest, _ excerpts: [Tensor], policy: PrecisionPolicy,
    progress: @escaping Progress = { _, _, _ in }
  ) {
    self.network = network
    self.excerpts = excerpts
    self.policy = policy
    self.progress = progress
  }

  /// Everything but a proposal.
  /// - Parameters:
  ///   - model, files: what the report calls them.
  public func report(model: String, files: [String]) throws -> SensitivityReport {
    let built = try network.model(policy)
    operations = built.network.plan.operations
    let classes = PrecisionUnit.classes(operations)
    let layers = PrecisionUnit.groups(operations)
    total = 4 + 3 * classes.count + 2 * layers.count

    let watch = TapRecorder(keeping: Self.isBlock, watching: .fp16)
    try step("fp32, every tensor")
    _ = try network.run(PrecisionPolicy(.fp32), excerpts, taps: watch)
    statistics = watch.statistics
    costs = operations.map(CostModel(statistics, operations).cost)
    try step("fp32")
    let full = try network.run(PrecisionPolicy(.fp32), excerpts)
    reference = full.stems
    let rounded = TapRecorder(keeping: Self.isBlock)
    try step("the policy, every layer")
    _ = try network.run(policy, excerpts, taps: rounded)
    let growth = Self.growth(watch, rounded)
    try step("the policy")
    let whole = try network.run(policy, excerpts)
    let noise = StemNoise(reference, whole.stems, of: excerpts)

    return SensitivityReport(
      model: model, policy: policy.preset.rawValue, files: files,
      seconds: excerpts.reduce(0) { $0 + Double($1.shape[1]) / Double(built.sampleRate) },
      sources: built.sources,
      levels: noise.signal.map { $0 > 0 && noise.mix > 0 ? 10 * log10($0 / noise.mix) : nil },
      whole: .init(noise),
      classes: try classes.map { try row($0, isClass: true) },
      layers: try layers.map { try row($0, isClass: false) },
      modules: statistics.map {
        .init(
          name: $0.name, peak: Double($0.values.peak), headroom: $0.values.peak > 0 ? $0.values.headroom : nil,
          underflowShare: $0.values.underflowShare)
      }, growth: growth, proposal: nil, timeRatio: whole.seconds / full.seconds)
  }

  private func step(_ what: String) throws {
    try progress(done, total, what)
    done += 1
  }

  /// What a policy does to the stems.
  private func noise(_ policy: PrecisionPolicy) throws -> StemNoise {
    StemNoise(reference, try network.run(policy, excerpts).stems, of: excerpts)
  }

  private func row(_ unit: PrecisionUnit, isClass: Bool) throws -> SensitivityReport.Row {
    let members = operations.indices.filter { unit.contains(operations[$0]) }
    let isRounded = members.contains { !operations[$0].precision.isFull }
    // What the policy leaves alone is looked at in the half precision of a device.
    let narrow =
      isRounded
      ? unit.rules(as: operations)
      : Set(members.map { operations[$0].operation }).sorted { $0.rawValue < $1.rawValue }.flatMap { kind in
        PrecisionUnit(kind, unit.group, operations).rules(kind.narrowed(to: .fp16))
      }
    try step("\(unit.name) alone")
    let alone = try noise(PrecisionPolicy(.fp32, rules: narrow))
    try step("\(unit.name) changed")
    let changed = try noise(with(isRounded ? unit.full : narrow))
    var allBut: StemNoise?
    if isClass {
      try step("all but \(unit.name)")
      let everything = OperationClass.allCases.filter { $0 != unit.operation }.map { kind in
        PrecisionPolicy.Rule(
          kind, storage: kind.narrowed(to: .fp16).storage, compute: kind.narrowed(to: .fp16).compute)
      }
      allBut = try noise(PrecisionPolicy(.fp32, rules: everything))
    }
    let share = share(of: members)
    let names = Set(members.map { operations[$0].module })
    let values = statistics.filter { names.contains($0.name) }.map(\.values)
    let peak = values.map(\.peak).max() ?? 0
    let count = values.reduce(0) { $0 + $1.count }
    return SensitivityReport.Row(
      name: unit.name, alone: .init(alone), changed: .init(changed), isRounded: isRounded,
      allBut: allBut.map { .init($0) }, operationShare: share.operations, byteShare: share.numbers,
      peak: Double(peak), headroom: peak > 0 ? Double(NumberFormat.fp16.largest / peak) : nil,
      underflowShare: count > 0 ? Double(values.reduce(0) { $0 + $1.underflows }) / Double(count) : 0)
  }

  private func with(_ rules: [PrecisionPolicy.Rule]) -> PrecisionPolicy {
    PrecisionPolicy(policy.preset, rules: policy.rules + rules)
  }

  /// Share of all products and of all numbers that some operations have.
  private func share(of members: [Int]) -> OperationCost {
    var (part, whole) = (OperationCost(), OperationCost())
    for cost in costs { whole += cost }
    for index in members { part += costs[index] }
    return OperationCost(
      operations: part.operations / max(1, whole.operations), numbers: part.numbers / max(1, whole.numbers))
  }
}

/// How errors grow from layer to layer.
extension SensitivityAnalysis {
  /// Outputs of layers: what the picture of the network shows.
  private static func isBlock(_ tap: String) -> Bool {
    let parts = tap.split(separator: ".")
    guard let first = parts.first, !tap.hasSuffix("#1") || tap == "crosstransformer#1" else { return false }
    switch first {
    case "encoder", "tencoder", "decoder", "tdecoder": return parts.count == 2
    case "crosstransformer": return parts.count == 3 && parts[1].hasPrefix("layers")
    default: return tap == "output.spectrogram" || tap == "output.waveform"
    }
  }

  private static func growth(_ reference: TapRecorder, _ estimate: TapRecorder) -> [SensitivityReport.Growth] {
    reference.names.filter(isBlock).compactMap { name in
      guard let a = reference[name], let b = estimate[name], a.count == b.count else { return nil }
      var (signal, noise) = (0.0, 0.0)
      for index in 0..<a.count {
        let difference = Double(b.data[index]) - Double(a.data[index])
        signal += Double(a.data[index]) * Double(a.data[index])
        noise += difference * difference
      }
      let parts = name.split(separator: ".")
      let isTime = name.hasPrefix("t") || (parts.count > 1 && parts[1] == "layers_t") || name == "output.waveform"
      let error = noise > 0 && signal > 0 ? 10 * log10(noise / signal) : -200
      return .init(name: name, branch: isTime ? .time : .frequency, error: error.isFinite ? error : 0)
    }
  }
}

/// Search for a small set of operations in float32.
extension SensitivityAnalysis {
  /// Finds operations to put into float32 so that every stem reaches a ratio, and proves it.
  ///
  /// Noises of operations that are rounded alone add up, nearly. So each class in each layer is rounded alone once; then
  /// those are taken out, one after another, that save the most of the excess noise for their share of products and bytes,
  /// until the rest should fit. A run with the set says whether it does; what is missing tightens the bound for the next
  /// round. At last each member is put back if the stems still reach the ratio without it, the costly ones first.
  /// - Parameter target: wanted ratio of each stem in dB (`StemNoise.budget`).
  public func proposal(target: Double) throws -> SensitivityReport.Proposal {
    let before = operations.indices.filter { operations[$0].precision.isFull }
    let runsBefore = done
    let candidates = PrecisionUnit.parts(operations).filter { unit in
      operations.contains { unit.contains($0) && !$0.precision.isFull }
    }
    total = done + candidates.count + 8
    var measured: [(unit: PrecisionUnit, noise: [Double], cost: Double)] = []
    for unit in candidates {
      try step("\(unit.name) alone")
      let noise = try noise(PrecisionPolicy(.fp32, rules: unit.rules(as: operations))).noise
      let share = share(of: operations.indices.filter { unit.contains(operations[$0]) })
      measured.append((unit, noise, share.operations + share.numbers))
    }
    var tightening = 1.0
    var chosen: [Int] = []
    func policy(_ chosen: [Int]) -> PrecisionPolicy { with(chosen.sorted().flatMap { measured[$0].unit.full }) }
    var result = try noise(policy([]))
    let budget = result.budget(target)
    var round = 0
    while !result.reaches(target), chosen.count < measured.count, round < 12 {
      round += 1
      let bound = budget.map { $0 * tightening }
      let added = Self.greedy(measured.map { ($0.noise, $0.cost) }, bound: bound, chosen: &chosen)
      try step("\(chosen.count) operations in fp32")
      result = try noise(policy(chosen))
      let excess = zip(result.noise, budget).map { $0 / max($1, .leastNormalMagnitude) }.max() ?? 0
      if excess > 1 { tightening *= added || round == 1 ? min(0.9, 1 / excess) : 0.5 }
    }
    if result.reaches(target) {
      for index in chosen.sorted(by: { measured[$0].cost > measured[$1].cost }).prefix(12) where chosen.count > 1 {
        let rest = chosen.filter { $0 != index }
        try step("\(rest.count) operations in fp32")
        let trial = try noise(policy(rest))
        if trial.reaches(target) { (chosen, result) = (rest, trial) }
      }
    }
    let after =
      before
      + operations.indices.filter { index in
        !before.contains(index) && chosen.contains { measured[$0].unit.contains(operations[index]) }
      }
    let (shareBefore, share) = (share(of: before), share(of: after))
    return SensitivityReport.Proposal(
      target: target, reached: result.reaches(target),
      fp32: chosen.sorted().flatMap { measured[$0].unit.words }, result: .init(result),
      operationShareBefore: shareBefore.operations, operationShare: share.operations,
      byteShareBefore: byteShare(shareBefore.numbers), byteShare: byteShare(share.numbers), runs: done - runsBefore)
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
