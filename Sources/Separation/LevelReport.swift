import Foundation

/// What was done to the levels of a track's stems.
public struct LevelReport: Sendable, Equatable {
  /// One file.
  public struct Stem: Sendable, Equatable {
    public let name: String
    /// Largest magnitude before anything was done, at full scale 1.
    public let peak: Float
    /// What every sample was multiplied by, 1 or less; 1 where samples were changed one by one, or not at all.
    public let gain: Float
  }

  /// What became of the part of the mix that is in no stem.
  public struct Residual: Sendable, Equatable {
    public let handling: StemSelection.Consistency
    /// Its level relative to that of the mix, in dB; minus infinity if there is none.
    public let decibels: Double
  }

  public let clipMode: ClipMode
  /// Whether the files add up to the mix, as long as nothing is done to their levels.
  public let addsUp: Bool
  /// Whether the files cannot hold what is beyond full scale.
  public let isBounded: Bool
  public let stems: [Stem]
  public let residual: Residual?

  /// One line for a person; nil if nothing was done.
  public var summary: String? {
    let parts = [clipSummary, residual.map(text)].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  private var clipSummary: String? {
    switch clipMode {
    case .rescale:
      let changed = stems.filter { $0.gain < 1 }
      if changed.isEmpty { return nil }
      return "turned down so that nothing clips: "
        + changed.map { "\($0.name) \(LevelReport.decibels($0.gain))" }.joined(separator: ", ") + "; " + loss
    case .rescaleAll:
      guard let gain = stems.first?.gain, gain < 1 else { return nil }
      return (stems.count > 1 ? "all stems" : stems[0].name)
        + " turned down by one gain of \(gain) (\(LevelReport.decibels(gain))) so that nothing clips"
    case .clamp: return cut(beyond: 0.99, "cut at 0.99 of full scale")
    case .none: return isBounded ? cut(beyond: 1, "cut at full scale") : nil
    case .tanh: return "every sample bent by tanh"
    }
  }

  /// What `rescale` has cost.
  private var loss: String {
    if stems.count == 1 { return "it is quieter than in the mix by as much" }
    return (addsUp ? "stems no longer add up to the mix" : "stems are no longer as loud as in the mix")
      + " (rescale-all keeps them in proportion)"
  }

  private func cut(beyond limit: Float, _ words: String) -> String? {
    let changed = stems.filter { $0.peak > limit }
    if changed.isEmpty { return nil }
    return words + ": " + changed.map { "\($0.name) (peak \(LevelReport.decibels($0.peak)))" }.joined(separator: ", ")
  }

  private func text(_ residual: Residual) -> String {
    let level = residual.decibels.isFinite ? String(format: "residual of %.1f dB ", residual.decibels) : "no residual "
    return level + (residual.handling == .distribute ? "distributed over the stems" : "written as a stem of its own")
      + (addsUp ? "" : "; as not every stem is written, the files do not add up to the mix")
  }

  private static func decibels(_ gain: Float) -> String { String(format: "%+.2f dB", 20 * log10(Double(gain))) }
}
