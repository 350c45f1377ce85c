/// How a sample is stored.
public enum SampleFormat: Sendable, Hashable, CaseIterable {
  case int16
  case int24
  case float32

  /// Bytes of one sample.
  package var byteCount: Int {
    switch self {
    case .int16: 2
    case .int24: 3
    case .float32: 4
    }
  }
}

/// A lossless file format around the samples.
public enum Container: Sendable, Hashable, CaseIterable {
  /// RIFF WAV; RF64 when it grows beyond 4 GiB.
  case wav
  /// Lossless compression; integers only.
  case flac
}

/// Turns floats into integers of `bits` bits: `x * (2^(bits-1) - 1)`, rounded to nearest (half to even),
/// saturating at both ends; NaN becomes 0.
struct Quantizer {
  private let scale: Double
  private let lowest: Double
  private let shift: Int32

  init(bits: Int32) {
    shift = 32 - bits
    scale = Double((1 << (bits - 1)) - 1)
    lowest = -scale - 1
  }

  /// The integer in the upper bits of 32, which is where libsndfile takes it from.
  func callAsFunction(_ sample: Float) -> Int32 {
    // A product of 24 and 23 bits is exact in Double: the one rounding is the one to an integer.
    let scaled = (Double(sample) * scale).rounded(.toNearestOrEven)
    guard scaled >= lowest else { return scaled.isNaN ? 0 : Int32(lowest) << shift }
    return Int32(min(scaled, scale)) << shift
  }
}
