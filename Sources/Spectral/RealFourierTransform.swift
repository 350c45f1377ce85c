import CFFTW
import Foundation

/// The discrete Fourier transform of real signals of one length, on FFTW in single precision.
///
/// One instance serves any number of threads. Plans are estimated, never timed: timing may choose another algorithm, and
/// with it other last bits, on every start.
public final class RealFourierTransform: @unchecked Sendable {
  /// Samples of the signal.
  public let size: Int
  /// Complex bins of the spectrum: size / 2 + 1.
  public var binCount: Int { size / 2 + 1 }

  private let forwardPlan: fftwf_plan
  private let inversePlan: fftwf_plan
  /// FFTW's planner is the one part of it that is not thread-safe.
  private static let planner = NSLock()

  /// - Parameter size: even, at least 2.
  /// - Returns: nil if FFTW cannot plan that size.
  public init?(size: Int) {
    self.size = size
    Self.planner.lock()
    defer { Self.planner.unlock() }
    // Plans hold for any buffers of the same alignment; 64 bytes is what all ours have.
    let real = UnsafeMutableRawPointer.allocate(byteCount: (size + 16) * 4, alignment: 64)
    let complex = UnsafeMutableRawPointer.allocate(byteCount: (size + 16) * 4, alignment: 64)
    defer {
      real.deallocate()
      complex.deallocate()
    }
    let signal = real.assumingMemoryBound(to: Float.self)
    let spectrum = complex.assumingMemoryBound(to: fftwf_complex.self)
    guard let forward = fftwf_plan_dft_r2c_1d(Int32(size), signal, spectrum, UInt32(FFTW_ESTIMATE)) else {
      return nil
    }
    guard let inverse = fftwf_plan_dft_c2r_1d(Int32(size), spectrum, signal, UInt32(FFTW_ESTIMATE)) else {
      fftwf_destroy_plan(forward)
      return nil
    }
    forwardPlan = forward
    inversePlan = inverse
  }

  deinit {
    Self.planner.lock()
    fftwf_destroy_plan(forwardPlan)
    fftwf_destroy_plan(inversePlan)
    Self.planner.unlock()
  }

  /// spectrum[k] = sum of signal[n] exp(-2 pi i k n / size), for k up to size / 2.
  /// - Parameters:
  ///   - signal: `size` samples, 64-byte aligned.
  ///   - spectrum: `binCount` interleaved complex numbers, 64-byte aligned.
  public func forward(_ signal: UnsafeMutablePointer<Float>, _ spectrum: UnsafeMutablePointer<Float>) {
    spectrum.withMemoryRebound(to: fftwf_complex.self, capacity: binCount) {
      fftwf_execute_dft_r2c(forwardPlan, signal, $0)
    }
  }

  /// The inverse times `size`; writes over `spectrum`. The imaginary parts of the first and the last bin must be 0.
  public func inverse(_ spectrum: UnsafeMutablePointer<Float>, _ signal: UnsafeMutablePointer<Float>) {
    spectrum.withMemoryRebound(to: fftwf_complex.self, capacity: binCount) {
      fftwf_execute_dft_c2r(inversePlan, $0, signal)
    }
  }
}
