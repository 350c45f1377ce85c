import Tensors

/// Activations of a convolutional layer, laid out so that convolutions need no im2col.
///
/// `[rows, channels, columns]`: rows are frequencies (one row for a waveform), columns are time. Channels of one row
/// lie together, so a kernel that spans neighbouring rows reads one contiguous matrix; lines are separated by zeros,
/// so a kernel that spans neighbouring columns is a shift of the same matrix.
public struct FeatureMap {
  public let rows: Int
  public let channels: Int
  public let columns: Int
  /// Floats from one line (one channel of one row) to the next: `columns` and at least the margin of zeros.
  public let stride: Int
  /// Column 0 of channel 0 of row 0. The margin before it is zero too.
  public let data: UnsafeMutablePointer<Float>

  /// Takes a map from `arena`, with its margins zeroed and its values undefined.
  /// - Parameter margin: columns that a kernel may read beyond either end of a line.
  public init(in arena: Arena, rows: Int, channels: Int, columns: Int, margin: Int) {
    self.rows = rows
    self.channels = channels
    self.columns = columns
    let lead = (margin + 15) & ~15
    stride = (columns + margin + 15) & ~15
    data = arena.allocate(lead + rows * channels * stride) + lead
    (data - lead).update(repeating: 0, count: lead)
    for line in 0..<rows * channels {
      (data + line * stride + columns).update(repeating: 0, count: stride - columns)
    }
  }

  /// Column 0 of channel 0 of `row`.
  @inline(__always)
  public func row(_ row: Int) -> UnsafeMutablePointer<Float> { data + row * channels * stride }

  /// Column 0 of a line.
  @inline(__always)
  public func line(row: Int, channel: Int) -> UnsafeMutablePointer<Float> {
    data + (row * channels + channel) * stride
  }
}

/// Consecutive columns of one row: what one worker computes at a time.
public struct Tile: Sendable {
  public let row: Int
  public let start: Int
  public let count: Int

  public init(row: Int, start: Int, count: Int) {
    self.row = row
    self.start = start
    self.count = count
  }

  /// Cuts `rows` x `columns` into tiles that keep `channels` lines of them in a second-level cache.
  ///
  /// Depends on the shape alone, never on the number of threads. A row of up to `whole` columns is one tile.
  public static func tiles(rows: Int, columns: Int, channels: Int, whole: Int = 0) -> [Tile] {
    guard columns > whole else { return (0..<rows).map { Tile(row: $0, start: 0, count: columns) } }
    let fit = (1 << 16) / max(1, channels)
    let width = min(1024, max(128, fit & ~15))
    var result: [Tile] = []
    for row in 0..<rows {
      for start in Swift.stride(from: 0, to: columns, by: width) {
        result.append(Tile(row: row, start: start, count: min(width, columns - start)))
      }
    }
    return result
  }

  /// Columns of a row that are computed one after another while they are in cache.
  private static let block = 384
  /// Rows that are enough to share out among threads.
  private static let enoughRows = 4

  /// The same; with `keepsRows` the rows are tiles as they are, unless they are few or long.
  public static func tiles(rows: Int, columns: Int, channels: Int, keepsRows: Bool) -> [Tile] {
    tiles(rows: rows, columns: columns, channels: channels, whole: keepsRows && suitRows(rows) ? block : 0)
  }

  /// Whether that many rows can be shared out as they are.
  public static func suitRows(_ rows: Int) -> Bool { rows >= enoughRows }

  /// Cuts a long row into blocks of nearly the same length.
  public static func blocks(columns: Int) -> [Range<Int>] {
    let count = max(1, (columns + block - 1) / block)
    let width = ((columns + count - 1) / count + 15) & ~15
    return Swift.stride(from: 0, to: columns, by: width).map { $0..<min($0 + width, columns) }
  }
}
