import Glibc

/// Finds out whether something that should grow has stopped to.
package struct StallWatch {
  /// Seconds without growth that are too long.
  package let limit: Double
  private var byteCount = 0
  private var stalled = 0.0
  private var last: Double?

  /// What one look adds at most, in seconds: a machine that slept, or a program that was stopped, is not to blame.
  package static let longestStep = 1.0

  package init(limit: Double) { self.limit = limit }

  /// - Parameters:
  ///   - byteCount: how much there is now.
  ///   - seconds: of a clock that never goes back.
  /// - Returns: whether nothing has come for too long.
  package mutating func hasStalled(byteCount: Int, seconds: Double) -> Bool {
    defer { last = seconds }
    if byteCount != self.byteCount {
      self.byteCount = byteCount
      stalled = 0
    } else {
      stalled += min(seconds - (last ?? seconds), StallWatch.longestStep)
    }
    return stalled >= limit
  }
}

/// Seconds of a clock that never goes back.
func monotonicSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}
