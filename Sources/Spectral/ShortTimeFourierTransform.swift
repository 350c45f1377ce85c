import Foundation
import Tensors

/// Windowed Fourier frames of a signal and back: the frames of `torch.stft` and `torch.istft` with a periodic Hann window
/// as long as the transform, `normalized=True`, and any padding left to the caller.
public final class ShortTimeFourierTransform: Sendable {
  /// Samples of a frame.
  public let size: Int
  /// Samples from one frame to the next.
  public let hop: Int
  /// w[n] = 0.5 - 0.5 cos(2 pi n / size).
  public let window: [Float]
  private let transform: RealFourierTransform
  private let scale: Float

  /// Complex bins of a frame.
  public var binCount: Int { transform.binCount }

  /// - Parameters:
  ///   - size: even, at least 2.
  ///   - hop: at least 1.
  /// - Returns: nil for sizes that cannot be.
  public init?(size: Int, hop: Int) {
    guard size >= 2, size % 2 == 0, hop >= 1, let transform = RealFourierTransform(size: size) else { return nil }
    self.size = size
    self.hop = hop
    self.transform = transform
    window = (0..<size).map { Float(0.5 - 0.5 * cos(2 * Double.pi * Double($0) / Double(size))) }
    scale = Float(1 / Double(size).squareRoot())
  }

  /// Floats of scratch that `analyse` and `synthesise` need, 64-byte aligned.
  public var scratchCount: Int { size + 16 }

  /// spectrum = FFT(window x frame) / sqrt(size).
  /// - Parameters:
  ///   - frame: `size` samples.
  ///   - spectrum: `binCount` interleaved complex numbers, 64-byte aligned.
  ///   - scratch: `scratchCount` floats, 64-byte aligned.
  public func analyse(
    _ frame: UnsafePointer<Float>, into spectrum: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    window.withUnsafeBufferPointer { window in
      for n in 0..<size { scratch[n] = frame[n] * window[n] * scale }
    }
    transform.forward(scratch, spectrum)
  }

  /// out += window x IFFT(spectrum) x sqrt(size), one frame of an overlap-add. Writes over `spectrum`.
  /// - Parameter range: the part of the frame that is added; `out` is where its first sample goes.
  public func synthesise(
    _ spectrum: UnsafeMutablePointer<Float>, range: Range<Int>, addingTo out: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    // What a real signal cannot have, `torch.istft` ignores.
    spectrum[1] = 0
    spectrum[2 * binCount - 1] = 0
    transform.inverse(spectrum, scratch)
    window.withUnsafeBufferPointer { window in
      for n in range { out[n - range.lowerBound] += scratch[n] * window[n] * scale }
    }
  }

  /// Sum of the squared windows of all frames over a sample `offset` samples after the start of one.
  /// - Parameter frames: counts only that many frames, the latest; nil counts all, as far from the ends.
  public func envelope(at offset: Int, frames: Int? = nil) -> Float {
    var sum = 0.0
    let end = frames.map { $0 * hop } ?? size
    for n in stride(from: offset % hop, to: min(size, end), by: hop) { sum += Double(window[n]) * Double(window[n]) }
    return Float(sum)
  }
}
