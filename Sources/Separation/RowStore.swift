/// Rows of floats that are written and read piece by piece, such as the channels of a stem.
protocol RowStore: AnyObject {
  /// Keeps samples of a row from sample `position` on.
  func write(_ samples: UnsafeBufferPointer<Float>, row: Int, at position: Int) throws

  /// Reads samples of a row from sample `position` on, as many as `target` takes; they were written before.
  func read(into target: UnsafeMutableBufferPointer<Float>, row: Int, at position: Int) throws
}

/// Rows in memory.
final class MemoryRows: RowStore {
  private(set) var rows: [[Float]]

  init(rowCount: Int, length: Int) {
    rows = [[Float]](repeating: [Float](repeating: 0, count: length), count: rowCount)
  }

  func write(_ samples: UnsafeBufferPointer<Float>, row: Int, at position: Int) {
    for (index, sample) in samples.enumerated() { rows[row][position + index] = sample }
  }

  func read(into target: UnsafeMutableBufferPointer<Float>, row: Int, at position: Int) {
    for index in target.indices { target[index] = rows[row][position + index] }
  }
}
