/// The weighted mean of what the networks of a bag make of a track, in the order of operations of
/// `demucs.apply.apply_model`.
struct BagAverage {
  private let weights: [[Double]]?
  private let totals: [Float]?
  private let channels: Int
  /// Samples by source and channel; a row is empty until something was added to it.
  private var rows: [[Float]]

  /// - Parameter totals: the sum of the weights of each source; nil for a single network, whose result stays as it is.
  init(weights: [[Double]]?, totals: [Float]?, sources: Int, channels: Int) {
    self.weights = weights
    self.totals = totals
    self.channels = channels
    rows = [[Float]](repeating: [], count: sources * channels)
  }

  /// Adds the result of network `member`, samples by source and channel.
  mutating func add(_ result: consuming [[Float]], of member: Int) {
    for row in rows.indices {
      let weight = weights.map { Float($0[member][row / channels]) } ?? 1
      // Results are finite, so this would add nothing. It is most of htdemucs_ft.
      if weight == 0 { continue }
      if rows[row].isEmpty {
        rows[row] = result[row]
        result[row] = []
        if weight != 1 { for index in rows[row].indices { rows[row][index] *= weight } }
      } else {
        for index in rows[row].indices { rows[row][index] += result[row][index] * weight }
      }
    }
  }

  /// The mean, samples by source and channel.
  consuming func mean() -> [[Float]] {
    guard let totals else { return rows }
    for row in rows.indices where totals[row / channels] != 1 {
      let total = totals[row / channels]
      for index in rows[row].indices { rows[row][index] /= total }
    }
    return rows
  }
}
