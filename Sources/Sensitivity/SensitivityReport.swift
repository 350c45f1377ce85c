import Foundation
import Layers

/// What half precision does to a network, operation by operation.
public struct SensitivityReport: Encodable, Sendable {
  /// A policy and what it did to each stem, in dB; null where stems were no numbers any more.
  public struct Trial: Encodable, Sendable {
    public let ratios: [Double?]
    public let worst: Double?

    init(_ noise: StemNoise) {
      ratios = noise.ratios.map { $0 == -.infinity ? nil : min($0, 999) }
      worst = noise.worst == -.infinity ? nil : min(noise.worst, 999)
    }
  }

  /// What an operation class, a layer or a module does.
  public struct Row: Encodable, Sendable {
    public let name: String
    /// It alone is rounded.
    public let alone: Trial
    /// The policy with it in float32, if the policy rounds any of it; else the policy with it in half precision too.
    public let changed: Trial
    public let isRounded: Bool
    /// Everything is in half precision but it.
    public let allBut: Trial
    /// Share of the network's products, and of the numbers that it stores.
    public let operationShare: Double
    public let byteShare: Double
    /// The largest magnitude in float32, how much larger it could be in half precision, and the share of values that half
    /// precision holds with fewer digits or as 0.
    public let peak: Double
    public let headroom: Double?
    public let underflowShare: Double
  }

  /// The range of one module's results in float32.
  public struct Range: Encodable, Sendable {
    public let name: String
    public let peak: Double
    public let headroom: Double?
    public let underflowShare: Double
  }

  /// How far a layer's result is from that of float32.
  public struct Growth: Encodable, Sendable {
    public enum Branch: String, Encodable, Sendable { case frequency, time }
    public let name: String
    public let branch: Branch
    /// Root mean square of the difference over that of the result, in dB.
    public let error: Double
  }

  /// Operations that were put into float32 to reach a wanted ratio.
  public struct Proposal: Encodable, Sendable {
    public let target: Double
    public let reached: Bool
    /// What `--fp32-ops` takes.
    public let fp32: [String]
    public let result: Trial
    /// Share of the products, and of the stored bytes, that are in float32: of the policy as it was, and with these.
    public let operationShareBefore: Double
    public let operationShare: Double
    public let byteShareBefore: Double
    public let byteShare: Double
    /// Runs that it took.
    public let runs: Int
  }

  public let model: String
  public let policy: String
  public let files: [String]
  public let seconds: Double
  public let sources: [String]
  /// Level of each stem against the mix, in dB.
  public let levels: [Double?]
  /// The policy as it is.
  public let whole: Trial
  /// Every operation in half precision, sums of norms and softmax among them.
  public let everything: Trial
  public let classes: [Row]
  public let layers: [Row]
  /// Modules by themselves, if they were asked for.
  public let modules: [Row]
  public let ranges: [Range]
  public let growth: [Growth]
  public var proposal: Proposal?
  /// Time of the policy over that of float32, one run after the other.
  public let timeRatio: Double

  /// The report as JSON.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
