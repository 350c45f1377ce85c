import AudioFiles

/// Tells which estimates are those of other stems.
enum StemMatching {
  /// dB by which an estimate has to be closer to another reference than to its own.
  private static let margin = 20.0
  /// Beyond so many stems nothing is searched: the work grows with their square.
  private static let mostStems = 16

  /// For an estimate, by its index, the index of the other reference that it comes from.
  ///
  /// All signals are read in step, once.
  /// - Throws: `AudioFileError`.
  static func lookalikes(among stems: [StemComparison]) throws -> [Int: Int] {
    let alike = Dictionary(grouping: stems.indices) { [stems[$0].sampleRates, stems[$0].channels] }
    var result: [Int: Int] = [:]
    for group in alike.values where group.count > 1 && group.count <= mostStems {
      let sums = try matrix(group.map { stems[$0] })
      for (row, index) in group.enumerated() {
        let own = sums[row][row].snr ?? -.infinity
        let ratios = sums[row].map { $0.snr ?? -.infinity }
        guard let best = ratios.indices.max(by: { ratios[$0] < ratios[$1] }), best != row,
          ratios[best] >= own + margin, sums[row][best].estimateEnergy > 0
        else { continue }
        result[index] = group[best]
      }
    }
    return result
  }

  /// The sums of every estimate (rows) with every reference (columns).
  private static func matrix(_ stems: [StemComparison]) throws -> [[SignalSums]] {
    let count = stems.count
    let signals =
      try stems.map { try Signal(path: $0.referencePath) }
      + stems.map { try Signal(path: $0.estimatePath ?? $0.referencePath) }
    let group = try SignalGroup(signals)
    var sums = [[SignalSums]](repeating: Array(repeating: SignalSums(), count: count), count: count)
    while let blocks = try group.next() {
      for row in 0..<count {
        for column in 0..<count { sums[row][column].add(reference: blocks[column], estimate: blocks[count + row]) }
      }
    }
    return sums
  }
}
