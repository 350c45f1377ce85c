import Foundation
import GoldenSupport
import Spectral
import Tensors
import Testing

/// Properties of the Fourier transform and of its windowed frames, for seeded random sizes and signals.
struct TransformTests {
  static let sizes: [Int] = {
    var random = Random("sizes")
    return [2, 4, 6, 8, 16, 30, 64, 512, 4096]
      + (0..<12).map { _ in 2 * Int.random(in: 2...900, using: &random) }
  }()

  private func noise(_ count: Int, _ name: String = "noise") -> [Float] {
    CounterGenerator.noise("\(name).\(count)", channels: 1, samples: count).values
  }

  private func spectrum(_ transform: RealFourierTransform, _ signal: [Float]) -> [Float] {
    let input = Tensor(shape: [transform.size], values: signal)
    let output = Tensor(shape: [2 * transform.binCount])
    transform.forward(input.data, output.data)
    return output.values
  }

  /// The sum itself, in double precision.
  private func direct(_ signal: [Float]) -> [Float] {
    let size = signal.count
    return (0...size / 2).flatMap { k -> [Float] in
      var (real, imaginary) = (0.0, 0.0)
      for (n, value) in signal.enumerated() {
        let angle = -2 * Double.pi * Double(k * n % size) / Double(size)
        real += Double(value) * cos(angle)
        imaginary += Double(value) * sin(angle)
      }
      return [Float(real), Float(imaginary)]
    }
  }

  @Test(arguments: sizes.filter { $0 <= 2000 }) func equalsTheSum(size: Int) throws {
    let transform = try #require(RealFourierTransform(size: size))
    let signal = noise(size)
    let bound = 1e-6 * Float(size).squareRoot()
    #expect(largestExcess(spectrum(transform, signal), direct(signal), absolute: bound) <= 0)
  }

  /// A real signal has a real mean and Nyquist bin, and bins above are mirror images: half of them are all there is.
  @Test(arguments: sizes) func realSignalsAreHalfASpectrum(size: Int) throws {
    let transform = try #require(RealFourierTransform(size: size))
    #expect(transform.binCount == size / 2 + 1)
    let bins = spectrum(transform, noise(size))
    #expect(bins[1] == 0 && bins[2 * transform.binCount - 1] == 0)
    // A signal turned around in time has the conjugate spectrum.
    let signal = noise(size)
    let turned = spectrum(transform, (0..<size).map { signal[(size - $0) % size] })
    let conjugate = bins.enumerated().map { $0.offset % 2 == 0 ? $0.element : -$0.element }
    #expect(largestExcess(turned, conjugate, absolute: 1e-6 * Float(size).squareRoot()) <= 0)
  }

  /// The energy of a signal is that of its spectrum, whose inner bins count twice.
  @Test(arguments: sizes) func energyIsKept(size: Int) throws {
    let transform = try #require(RealFourierTransform(size: size))
    let signal = noise(size)
    let bins = spectrum(transform, signal)
    let energy = signal.reduce(0.0) { $0 + Double($1) * Double($1) }
    var spectral = 0.0
    for k in 0..<transform.binCount {
      let power = pow(Double(bins[2 * k]), 2) + pow(Double(bins[2 * k + 1]), 2)
      spectral += k == 0 || k == size / 2 ? power : 2 * power
    }
    #expect(abs(spectral / Double(size) - energy) < 1e-6 * energy)
  }

  @Test(arguments: sizes) func theInverseInverts(size: Int) throws {
    let transform = try #require(RealFourierTransform(size: size))
    let signal = noise(size)
    let bins = Tensor(shape: [2 * transform.binCount], values: spectrum(transform, signal))
    let output = Tensor(shape: [size])
    transform.inverse(bins.data, output.data)
    #expect(largestExcess(output.values.map { $0 / Float(size) }, signal, absolute: 2e-6) <= 0)
  }

  @Test(arguments: sizes) func isLinear(size: Int) throws {
    let transform = try #require(ShortTimeFourierTransform(size: size, hop: max(1, size / 4)))
    let (a, b) = (noise(3 * size, "a"), noise(3 * size, "b"))
    let left = transform.frames(of: zip(a, b).map { 2 * $0 - 3 * $1 }).flatMap { $0 }
    let right = zip(transform.frames(of: a).flatMap { $0 }, transform.frames(of: b).flatMap { $0 })
    #expect(largestExcess(left, right.map { 2 * $0 - 3 * $1 }, absolute: 5e-6) <= 0)
  }

  /// A pure tone on bin k of frames of `size`: `amplitude sqrt(size) / 4` there, half of it beside, nothing elsewhere.
  @Test(arguments: [64, 512, 4096]) func aToneIsThreeBins(size: Int) throws {
    let transform = try #require(ShortTimeFourierTransform(size: size, hop: size / 4))
    let k = size / 8
    let tone = (0..<2 * size).map { Float(cos(2 * Double.pi * Double(k * $0 % size) / Double(size))) }
    let peak = Float(Double(size).squareRoot() / 4)
    for frame in transform.frames(of: tone) {
      for bin in 0..<transform.binCount {
        let magnitude = hypot(frame[2 * bin], frame[2 * bin + 1])
        let expected = bin == k ? peak : abs(bin - k) == 1 ? peak / 2 : 0
        #expect(abs(magnitude - expected) < 1e-6 * peak)
      }
    }
  }

  @Test func refusesSizesThatCannotBe() {
    for size in [-2, 0, 1, 3, 15] { #expect(ShortTimeFourierTransform(size: size, hop: 1) == nil) }
    for hop in [-1, 0] { #expect(ShortTimeFourierTransform(size: 16, hop: hop) == nil) }
  }
}
