import Foundation

/// What is done to a stem that exceeds full scale before it is written: `demucs.audio.prevent_clip`.
public enum ClipMode: String, CaseIterable, Sendable {
  /// Divides the whole stem by 1.01 times its peak if that is above 1. Stems then no longer add up to the mix.
  case rescale
  /// Cuts every sample at 0.99 of full scale.
  case clamp
  /// Leaves every sample as it is; what the file format cannot hold is cut at full scale.
  case none
  /// Bends every sample with the hyperbolic tangent, loud ones most.
  case tanh

  /// Treats one stem: samples of each channel at full scale 1.
  public func apply(to channels: inout [[Float]]) {
    switch self {
    case .none: return
    case .rescale:
      let peak = channels.joined().lazy.map(abs).max() ?? 0
      let divisor = max(1.01 * peak, 1)
      guard divisor > 1 else { return }
      ClipMode.change(&channels) { $0 / divisor }
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
