/// Means over songs, in dB.
public struct EvaluationSummary: Sendable, Equatable {
  /// The means of one stem, or of all stems together; nil where no song has a figure.
  public struct Row: Sendable, Equatable {
    public let name: String
    /// Songs in which the stem sounds.
    public let songs: Int
    public let estimate: Means
    public let mixture: Means
  }

  public struct Means: Sendable, Equatable {
    public let nsdr: Double?
    public let sdr: Double?
    public let siSDR: Double?
    public let isr: Double?
    public let sir: Double?
    public let sar: Double?

    init(_ scores: [SongEvaluation.Scores]) {
      func mean(_ value: (SongEvaluation.Scores) -> Double?) -> Double? {
        EvaluationSummary.mean(scores.compactMap(value))
      }
      (nsdr, sdr, siSDR) = (mean(\.nsdr), mean(\.sdr), mean(\.siSDR))
      (isr, sir, sar) = (mean(\.isr), mean(\.sir), mean(\.sar))
    }

    /// The mean of means, each stem counting once.
    init(ofRows rows: [Means]) {
      func mean(_ value: (Means) -> Double?) -> Double? { EvaluationSummary.mean(rows.compactMap(value)) }
      (nsdr, sdr, siSDR) = (mean(\.nsdr), mean(\.sdr), mean(\.siSDR))
      (isr, sir, sar) = (mean(\.isr), mean(\.sir), mean(\.sar))
    }
  }

  /// One a stem that sounds in some song.
  public let rows: [Row]
  /// The mean of the rows.
  public let all: Row?
  /// Mean level of the estimates whose truth is silent, in dBFS; nil where there is none.
  public let silentLevel: Double?

  public init(_ songs: [SongEvaluation]) {
    let stems = songs.flatMap(\.stems)
    let names = Set(stems.filter { $0.estimate != nil }.map(\.name)).sorted(by: StemFiles.precedes)
    rows = names.map { name in
      let own = stems.filter { $0.name == name && $0.estimate != nil }
      return Row(
        name: name, songs: own.count, estimate: Means(own.compactMap(\.estimate)),
        mixture: Means(own.compactMap(Self.comparable)))
    }
    all =
      rows.isEmpty
      ? nil
      : Row(
        name: "mean", songs: songs.count, estimate: Means(ofRows: rows.map(\.estimate)),
        mixture: Means(ofRows: rows.map(\.mixture)))
    silentLevel = Self.mean(stems.filter { $0.estimate == nil }.map(\.estimateLevel))
  }

  /// The mixture's scores of a stem, without those that the estimate has not: means side by side are over the same songs.
  private static func comparable(_ stem: SongEvaluation.Stem) -> SongEvaluation.Scores? {
    guard let estimate = stem.estimate, var mixture = stem.mixture else { return nil }
    if estimate.sdr == nil { mixture.sdr = nil }
    if estimate.siSDR == nil { mixture.siSDR = nil }
    return mixture
  }

  private static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}
