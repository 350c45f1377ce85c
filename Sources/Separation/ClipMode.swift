import Foundation

/// What is done to a stem that exceeds full scale before it is written: `demucs.audio.prevent_clip`.
public enum ClipMode: String, CaseIterable, Sendable {
  /// Divides the whole stem by 1.01 times its peak if that is above 1. Stems then no longer add up to the mix.
  case rescale
  /// Divides all stems by 1.01 times the highest of their peaks if that is above 1: they still add up, at that gain.
  case rescaleAll = "rescale-all"
  /// Cuts every sample at 0.99 of full scale.
  case clamp
  /// Leaves every sample as it is; what the file format cannot hold is cut at full scale.
  case none
  /// Bends every sample with the hyperbolic tangent, loud ones most.
  case tanh

  /// Treats one stem: samples of each channel at full scale 1.
  public func apply(to channels: inout [[Float]]) {
    apply(to: &channels, divisor: needsPeak ? ClipMode.divisor(peak: ClipMode.peak(channels)) : 1)
  }

  /// Whether nothing can be written before the whole stem is known.
  var needsPeak: Bool { self == .rescale || self == .rescaleAll }

  /// What samples are divided by; 1 leaves them alone.
  static func divisor(peak: Float) -> Float { max(1.01 * peak, 1) }

  /// The largest magnitude.
  static func peak(_ channels: [[Float]]) -> Float {
    channels.reduce(0) { $1.reduce($0) { max($0, abs($1)) } }
  }

  /// Treats a part of a stem.
  func apply(to channels: inout [[Float]], divisor: Float) {
    switch self {
    case .none: return
    case .rescale, .rescaleAll: if divisor > 1 { ClipMode.change(&channels) { $0 / divisor } }
    case .clamp: ClipMode.change(&channels) { min(max($0, -0.99), 0.99) }
    case .tanh: ClipMode.change(&channels) { tanhf($0) }
    }
  }

  private static func change(_ channels: inout [[Float]], _ transform: (Float) -> Float) {
    for channel in channels.indices {
      for index in channels[channel].indices {
        channels[channel][index] = transform(channels[channel][index])
      }
    }
  }
}
