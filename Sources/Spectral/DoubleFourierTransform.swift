import CFFTW
import Foundation

/// The discrete Fourier transform of real signals of one length, on FFTW in double precision: for correlations, whose
/// sums cancel. It has buffers of its own and serves one thread.
public final class DoubleFourierTransform {
  /// Samples of the signal.
  public let size: Int
  /// Complex bins of the spectrum: size / 2 + 1.
  public var binCount: Int { size / 2 + 1 }
  /// `size` samples.
  public let signal: UnsafeMutableBufferPointer<Double>
  /// `binCount` interleaved complex numbers.
  public let spectrum: UnsafeMutableBufferPointer<Double>

  private let forwardPlan: fftw_plan
  private let inversePlan: fftw_plan
  /// FFTW's planner is not thread-safe.
  private static let planner = NSLock()

  /// - Parameter size: even, at least 2.
  /// - Returns: nil if FFTW cannot plan that size.
  public init?(size: Int) {
    guard let length = Int32(exactly: size), size >= 2 else { return nil }
    let signal = UnsafeMutableBufferPointer<Double>.allocate(capacity: size)
    let spectrum = UnsafeMutableBufferPointer<Double>.allocate(capacity: size + 2)
    signal.initialize(repeating: 0)
    spectrum.initialize(repeating: 0)
    let plans = spectrum.withMemoryRebound(to: fftw_complex.self) { complex in
      Self.planner.withLock {
        (
          fftw_plan_dft_r2c_1d(length, signal.baseAddress, complex.baseAddress, UInt32(FFTW_ESTIMATE)),
          fftw_plan_dft_c2r_1d(length, complex.baseAddress, signal.baseAddress, UInt32(FFTW_ESTIMATE))
        )
      }
    }
    guard let forward = plans.0, let inverse = plans.1 else {
      signal.deallocate()
      spectrum.deallocate()
      return nil
    }
    (self.size, self.signal, self.spectrum) = (size, signal, spectrum)
    (forwardPlan, inversePlan) = (forward, inverse)
  }

  deinit {
    Self.planner.withLock {
      fftw_destroy_plan(forwardPlan)
      fftw_destroy_plan(inversePlan)
    }
    signal.deallocate()
    spectrum.deallocate()
  }

  /// spectrum[k] = sum of signal[n] exp(-2 pi i k n / size), for k up to size / 2.
  public func forward() { fftw_execute(forwardPlan) }

  /// signal = the inverse of spectrum times `size`; writes over `spectrum`.
  public func inverse() { fftw_execute(inversePlan) }
}
