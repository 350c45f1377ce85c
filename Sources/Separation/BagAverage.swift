import Tensors

/// The weighted mean of what the networks of a bag make of a track, in the order of operations of
/// `demucs.apply.apply_model`.
///
/// Networks work one after another, so what those before have added up is kept in a store, and read again when the next
/// network comes to the same samples. The last network's samples leave as the mean.
struct BagAverage {
  private let weights: [[Double]]?
  private let totals: [Float]?
  private let channels: Int
  private let members: Int
  /// Sums of the networks before; nil for a single one.
  private let store: (any RowStore)?
  private var sums: [Float] = []

  /// - Parameters:
  ///   - weights: for each network the weight of each source; nil weighs all alike.
  ///   - totals: the sum of the weights of each source; nil for a single network, whose result stays as it is.
  ///   - members: number of networks.
  ///   - channels: rows of each source.
  ///   - store: has a row for each channel of each source; nil only for a single network.
  init(weights: [[Double]]?, totals: [Float]?, members: Int, channels: Int, store: (any RowStore)?) {
    (self.weights, self.totals, self.members, self.channels) = (weights, totals, members, channels)
    self.store = store
  }

  /// Adds finished samples of network `member`.
  /// - Parameters:
  ///   - block: `[rows, samples]`; holds the mean afterwards if this is the last network.
  ///   - position: the first of the samples in the track.
  /// - Returns: whether `block` is the mean.
  mutating func add(_ block: Tensor, at position: Int, of member: Int) throws -> Bool {
    let count = block.shape[1]
    let isLast = member == members - 1
    for row in 0..<block.shape[0] {
      let source = row / channels
      let weight = weight(of: source, in: member)
      let target = UnsafeMutableBufferPointer(start: block.data + row * count, count: count)
      let isFirst = !(0..<member).contains { self.weight(of: source, in: $0) != 0 }
      // Results are finite, so a weight of 0 adds nothing. It is most of htdemucs_ft.
      if weight == 0, !isLast { continue }
      if isFirst {
        if weight != 1 { for index in 0..<count { target[index] *= weight } }
      } else {
        try readSums(count, row: row, at: position)
        if weight == 0 {
          for index in 0..<count { target[index] = sums[index] }
        } else {
          for index in 0..<count { target[index] = sums[index] + target[index] * weight }
        }
      }
      if !isLast {
        try store?.write(UnsafeBufferPointer(target), row: row, at: position)
      } else if let total = totals?[source], total != 1 {
        for index in 0..<count { target[index] /= total }
      }
    }
    return isLast
  }

  private func weight(of source: Int, in member: Int) -> Float { weights.map { Float($0[member][source]) } ?? 1 }

  private mutating func readSums(_ count: Int, row: Int, at position: Int) throws {
    if sums.count < count { sums = [Float](repeating: 0, count: count) }
    try sums.withUnsafeMutableBufferPointer {
      try store?.read(into: UnsafeMutableBufferPointer(rebasing: $0[..<count]), row: row, at: position)
    }
  }
}
