import Foundation
import Sensitivity
import Testing

/// When a stem is good enough.
struct StemNoiseTests {
  @Test func ratiosAreThoseOfTheStems() {
    let noise = StemNoise(signal: [1, 1, 0, 4, 1], noise: [0.001, 0, 0.1, .infinity, .nan], mix: 10)
    #expect(abs(noise.ratios[0] - 30) < 1e-9)
    #expect(noise.ratios[1...] == [.infinity, -.infinity, -.infinity, -.infinity])
    #expect(noise.worst == -.infinity)
    #expect(!noise.reaches(20))
    #expect(StemNoise(signal: [1, 1], noise: [0.001, 0], mix: 10).reaches(29.9))
    #expect(!StemNoise(signal: [1, 1], noise: [0.001, 0], mix: 10).reaches(30.1))
  }

  /// More than 25 dB below the mix an error 75 dB below the mix will do for 60 dB; a louder stem is held to its own ratio.
  @Test(arguments: [(-24.0, -84.0), (-24.9, -84.9), (-25.1, -75.0), (-40.0, -75.0), (-200.0, -75.0), (-10.0, -70.0)])
  func nearSilentStemsAreHeldAgainstTheMix(level: Double, allowed: Double) {
    func power(_ decibels: Double) -> Double { pow(10, decibels / 10) }
    func reaches(_ error: Double) -> Bool {
      StemNoise(signal: [3 * power(level)], noise: [3 * power(error)], mix: 3).reaches(60)
    }
    #expect(reaches(allowed - 0.01) && !reaches(allowed + 0.01))
  }
}
