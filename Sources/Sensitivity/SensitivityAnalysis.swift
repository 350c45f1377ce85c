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
  var done = 0
  var total = 0

  private var reference: [Tensor] = []
  var operations: [PrecisionPlan.Operation] = []
  private var costs: [OperationCost] = []
  private var statistics: [(name: String, values: TapStatistics)] = []
  /// What the policy does to the stems, and what it does if only one unit is rounded.
  var whole = StemNoise([], [], of: [])
  var alone: [PrecisionUnit: [Double]] = [:]

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
  ///   - everyModule: also looks at each module by itself: three runs for each of some hundreds.
  public func report(model: String, files: [String], everyModule: Bool = false) throws -> SensitivityReport {
    let built = try network.model(policy)
    operations = built.network.plan.operations
    let classes = PrecisionUnit.classes(operations)
    let layers = PrecisionUnit.layers(operations)
    let modules = everyModule ? PrecisionUnit.modules(operations) : []
    total = 7 + 3 * (classes.count + layers.count + modules.count)

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
    let run = try network.run(policy, excerpts)
    // Each once more, in turns: the shorter time is the truer one.
    try step("fp32 again")
    let fullSeconds = min(full.seconds, try network.run(PrecisionPolicy(.fp32), excerpts).seconds)
    try step("the policy again")
    let seconds = min(run.seconds, try network.run(policy, excerpts).seconds)
    whole = StemNoise(reference, run.stems, of: excerpts)
    try step("everything in half precision")
    let everything = try noise(PrecisionPolicy(.fp32, rules: Self.everything))

    return SensitivityReport(
      model: model, policy: policy.preset.rawValue, files: files,
      seconds: excerpts.reduce(0) { $0 + Double($1.shape[1]) / Double(built.sampleRate) },
      sources: built.sources,
      levels: whole.signal.map { [mix = whole.mix] in $0 > 0 && mix > 0 ? 10 * log10($0 / mix) : nil },
      whole: .init(whole), everything: .init(everything),
      classes: try classes.map(row), layers: try layers.map(row), modules: try modules.map(row),
      ranges: statistics.map {
        .init(
          name: $0.name, peak: Double($0.values.peak), headroom: $0.values.peak > 0 ? $0.values.headroom : nil,
          underflowShare: $0.values.underflowShare)
      }, growth: growth, proposal: nil, timeRatio: seconds / fullSeconds)
  }

  func step(_ what: String) throws {
    try progress(done, total, what)
    done += 1
  }

  /// What a policy does to the stems.
  func noise(_ policy: PrecisionPolicy) throws -> StemNoise {
    StemNoise(reference, try network.run(policy, excerpts).stems, of: excerpts)
  }

  /// Every operation in the half precision of a device.
  private static let everything = OperationClass.allCases.map { kind in
    let narrow = kind.narrowed(to: .fp16)
    return PrecisionPolicy.Rule(kind, storage: narrow.storage, compute: narrow.compute)
  }

  private func row(_ unit: PrecisionUnit) throws -> SensitivityReport.Row {
    let members = operations.indices.filter { unit.contains(operations[$0]) }
    let isRounded = members.contains { !operations[$0].precision.isFull }
    // What the policy leaves alone is looked at in the half precision of a device.
    let narrow =
      isRounded
      ? unit.rules(as: operations)
      : Set(members.map { operations[$0].operation }).sorted { $0.rawValue < $1.rawValue }.flatMap { kind in
        PrecisionUnit(kind, unit.scope, operations).rules(kind.narrowed(to: .fp16))
      }
    try step("\(unit.name) alone")
    let alone = try noise(PrecisionPolicy(.fp32, rules: narrow))
    if isRounded { self.alone[unit] = alone.noise }
    try step("\(unit.name) changed")
    let changed = try noise(with(isRounded ? unit.full : narrow))
    try step("all but \(unit.name)")
    let allBut = try noise(PrecisionPolicy(.fp32, rules: Self.everything + unit.full))
    let share = share(of: members)
    let names = Set(members.map { operations[$0].module })
    let values = statistics.filter { names.contains($0.name) }.map(\.values)
    let peak = values.map(\.peak).max() ?? 0
    let count = values.reduce(0) { $0 + $1.count }
    return SensitivityReport.Row(
      name: unit.name, alone: .init(alone), changed: .init(changed), isRounded: isRounded,
      allBut: .init(allBut), operationShare: share.operations, byteShare: share.numbers,
      peak: Double(peak), headroom: peak > 0 ? Double(NumberFormat.fp16.largest / peak) : nil,
      underflowShare: count > 0 ? Double(values.reduce(0) { $0 + $1.underflows }) / Double(count) : 0)
  }

  func with(_ rules: [PrecisionPolicy.Rule]) -> PrecisionPolicy {
    PrecisionPolicy(policy.preset, rules: policy.rules + rules)
  }

  /// Share of all products and of all numbers that some operations have.
  func share(of members: [Int]) -> OperationCost {
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
