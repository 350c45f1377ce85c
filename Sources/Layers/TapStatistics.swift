import Tensors

/// How the values of a tensor lie in the range of a format.
public struct TapStatistics: Sendable {
  public let format: NumberFormat
  public private(set) var count = 0
  /// The largest magnitude of the finite values.
  public private(set) var peak: Float = 0
  /// Infinities and NaNs.
  public private(set) var notFinite = 0
  /// Values, other than 0, that the format would hold as 0 or with fewer digits than others.
  public private(set) var underflows = 0

  public init(format: NumberFormat) { self.format = format }

  /// How much larger the values could be before one is infinite in the format.
  public var headroom: Double { peak > 0 ? Double(format.largest) / Double(peak) : .infinity }

  public var underflowShare: Double { count > 0 ? Double(underflows) / Double(count) : 0 }

  mutating func add(_ x: Float) {
    count += 1
    let magnitude = abs(x)
    if magnitude.isFinite {
      peak = max(peak, magnitude)
      if magnitude < format.smallestNormal, magnitude > 0 { underflows += 1 }
    } else {
      notFinite += 1
    }
  }

  mutating func add(_ x: UnsafePointer<Float>, count: Int, scale: Float = 1, shift: Float = 0) {
    for i in 0..<count { add(x[i] * scale + shift) }
  }

  mutating func add(_ other: TapStatistics) {
    count += other.count
    peak = max(peak, other.peak)
    notFinite += other.notFinite
    underflows += other.underflows
  }
}
