import Checkpoints
import Evaluation
import Foundation
import Tensors
import Testing

/// What `compare` tells apart. Songs are longer than a block and than what a lag is searched in.
struct ComparisonTests {
  private static let frames = 150_001
  private let drums = noise("drums", frames: frames)
  private let bass = noise("bass", frames: frames, amplitude: 0.1)

  /// Compares drums as they are with what is made of them, as single files.
  private func compare(
    _ change: ([[Float]]) -> [[Float]], tolerance: Tolerance = Tolerance()
  ) throws -> StemComparison {
    let folder = try TestFolder()
    let comparison = try Comparison(
      reference: folder.write("a.wav", drums), estimate: folder.write("b.wav", change(drums)), tolerance: tolerance)
    return try #require(comparison.stems.first)
  }

  /// Compares folders of drums and bass.
  private func compareFolders(_ write: (TestFolder) throws -> Void) throws -> Comparison {
    let folder = try TestFolder()
    try folder.write("a/drums.wav", drums)
    try folder.write("a/bass.wav", bass)
    try FileManager.default.createDirectory(atPath: folder("b"), withIntermediateDirectories: true)
    try write(folder)
    return try Comparison(reference: folder("a"), estimate: folder("b"))
  }

  @Test func equalIsIdentical() throws {
    let stem = try compare { $0 }
    #expect(stem.verdict == .identical)
    #expect(stem.figures?.snr == .infinity && stem.figures?.maximumDifference == 0)
    #expect(stem.failures.isEmpty && stem.notes.isEmpty)
  }

  @Test(arguments: [1, 700, 16_000])
  func aShiftIsNamed(frames: Int) throws {
    let stem = try compare { $0.delayed(frames) }
    #expect(stem.verdict == .failed)
    #expect(stem.explanation?.lag == frames && stem.explanation?.gain == 1)
    #expect(stem.notes == ["the estimate is \(frames) sample\(frames == 1 ? "" : "s") late"])
  }

  @Test func anEarlyAndQuieterEstimateIsBoth() throws {
    let stem = try compare { $0.map { Array($0.dropFirst(3)) + [0, 0, 0] }.scaled(0.5) }
    #expect(stem.explanation?.lag == -3)
    #expect(stem.notes == ["the estimate is 3 samples early, the estimate is 6.021 dB quieter"])
  }

  @Test func aTenthOfADecibelIsNamed() throws {
    let factor = pow(10, 0.1 / 20)
    let stem = try compare { $0.scaled(factor) }
    #expect(stem.verdict == .failed)
    let (snr, siSDR) = (try #require(stem.figures?.snr), try #require(stem.figures?.siSDR))
    #expect(abs(snr + 20 * log10(factor - 1)) < 1e-4)
    // What the rounding to float32 leaves.
    #expect(siSDR > 140)
    #expect(abs((stem.explanation?.gainDecibels ?? 0) - 0.1) < 1e-5)
    #expect(stem.notes == ["the estimate is 0.100 dB louder"])
  }

  @Test func polarityIsNamed() throws {
    let stem = try compare { $0.scaled(-1) }
    #expect(stem.notes == ["the polarity is inverted"])
    #expect(abs((stem.figures?.snr ?? 0) + 20 * log10(2)) < 1e-9)
  }

  @Test func swappedChannelsAreNamed() throws {
    let stem = try compare { [$0[1], $0[0]] }
    #expect(stem.verdict == .failed)
    #expect(stem.explanation?.channelsAreSwapped == true)
    #expect(stem.notes == ["the channels are swapped"])
  }

  @Test func swappedStemsAreNamed() throws {
    let comparison = try compareFolders {
      try $0.write("b/drums.wav", bass)
      try $0.write("b/bass.wav", drums)
    }
    #expect(comparison.failedStems == ["drums", "bass"])
    #expect(comparison.stems.map(\.resembles) == ["bass", "drums"])
    #expect(comparison.stems[0].notes.contains("drums and bass are swapped"))
    #expect(comparison.stems[1].notes.contains("bass and drums are swapped"))
  }

  @Test func aStemUnderTwoNamesIsNamed() throws {
    let comparison = try compareFolders {
      try $0.write("b/drums.wav", bass.scaled(0.999))
      try $0.write("b/bass.wav", bass.scaled(0.99))
    }
    #expect(comparison.stems.map(\.resembles) == ["bass", nil])
    #expect(comparison.stems[0].notes.contains("the estimate is the reference's bass"))
  }

  @Test func aMissingStemFailsAndAnExtraOneDoesNot() throws {
    let comparison = try compareFolders {
      try $0.write("b/drums.wav", drums)
      try $0.write("b/hum.wav", drums)
    }
    #expect(comparison.failedStems == ["bass"])
    #expect(comparison.stems[1].failures == ["the estimate lacks this stem"])
    #expect(comparison.stems[0].verdict == .identical)
    #expect(comparison.extra == ["hum"])
  }

  @Test func aTruncatedStemFails() throws {
    let stem = try compare { $0.map { Array($0.dropLast(441)) } }
    #expect(stem.verdict == .failed)
    #expect(stem.frames == [Self.frames, Self.frames - 441])
    #expect(stem.failures == ["the estimate is 441 frames (0.010 s) shorter: 149560 against 150001"])
    #expect(stem.figures?.snr == .infinity)
  }

  @Test func roundingTo16BitsIsNamed() throws {
    let stem = try compare { $0.map { $0.map { ($0 * 32768).rounded() / 32768 } } }
    #expect(stem.verdict == .within)
    #expect(stem.notes == ["the estimate is rounded to 16 bits"])
    // Uniform noise of amplitude A against uniform noise of half a step.
    let expected = 20 * log10(0.2 / (0.5 / 32768))
    #expect(abs((stem.figures?.snr ?? 0) - expected) < 0.1)
    // As a file of 16 bits, with the writer's scale of 2^15 - 1.
    let folder = try TestFolder()
    let comparison = try Comparison(
      reference: folder.write("a.wav", drums), estimate: folder.write("b.wav", drums, format: .int16))
    #expect(comparison.stems[0].notes == ["the estimate is rounded to 16 bits"])
    #expect(comparison.failedStems.isEmpty)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func numbersThatAreNoneFail(value: Float) throws {
    let stem = try compare { channels in
      var channels = channels
      channels[1][100_000] = value
      channels[0][120_000] = value
      return channels
    }
    #expect(stem.verdict == .failed && stem.figures == nil)
    #expect(stem.failures == ["2 samples of the estimate are NaN or infinite, the first at frame 100000"])
  }

  @Test func theReferenceMayBeAtFault() throws {
    let folder = try TestFolder()
    var broken = drums
    broken[0][7] = .nan
    let comparison = try Comparison(
      reference: folder.write("a.wav", broken), estimate: folder.write("b.wav", drums))
    #expect(comparison.stems[0].failures == ["1 samples of the reference are NaN or infinite, the first at frame 7"])
  }

  @Test func silenceAgainstSilenceIsItsOwnCase() throws {
    let folder = try TestFolder()
    let silence = drums.scaled(0)
    let comparison = try Comparison(
      reference: folder.write("a.wav", silence), estimate: folder.write("b.wav", silence))
    #expect(comparison.stems[0].verdict == .silent)
    #expect(comparison.stems[0].figures?.snr == nil && comparison.stems[0].figures?.siSDR == nil)
  }

  /// Uniform noise of amplitude A has an RMS of A / sqrt 3.
  @Test(arguments: [(0.5, true), (0.98, true), (1.02, false)])
  func aNearSilentStemIsHeldAgainstTheFloor(share: Double, passes: Bool) throws {
    let folder = try TestFolder()
    let quiet = noise("quiet", frames: Self.frames, amplitude: 1e-4)
    let error = noise("error", frames: Self.frames, amplitude: Float(share * 1e-5 * 3.0.squareRoot()))
    let comparison = try Comparison(
      reference: folder.write("a.wav", quiet), estimate: folder.write("b.wav", quiet.plus(error)))
    let stem = comparison.stems[0]
    #expect(stem.rule == .floor)
    #expect((stem.verdict == .within) == passes, "\(stem.failures) \(stem.notes)")
    let note = stem.notes.first ?? ""
    #expect(note.hasPrefix("near-silent reference (-84.8 dBFS)") && note.hasSuffix("floor -100.0 dBFS"))
  }

  @Test func aSilentReferenceAllowsNoMoreThanTheFloor() throws {
    let folder = try TestFolder()
    let comparison = try Comparison(
      reference: folder.write("a.wav", drums.scaled(0)), estimate: folder.write("b.wav", drums))
    #expect(comparison.failedStems == ["b"])
    #expect(comparison.stems[0].notes[0].hasPrefix("near-silent reference (silent)"))
    let other = try Comparison(
      reference: folder.write("a.wav", drums), estimate: folder.write("b.wav", drums.scaled(0)))
    #expect(other.failedStems == ["b"])
    #expect(other.stems[0].notes == ["the estimate is silent"])
    #expect(abs(other.stems[0].figures?.snr ?? 1) < 1e-12)
  }

  @Test func everyBoundCanFail() throws {
    var tolerance = Tolerance()
    tolerance.minimumSNR = 20
    let offset = { (channels: [[Float]]) in channels.map { $0.map { $0 + 2e-4 } } }
    #expect(try compare(offset, tolerance: tolerance).failures.map { $0.contains("outside rtol 0.001") } == [true])
    tolerance.absolute = 1e-3
    #expect(try compare(offset, tolerance: tolerance).verdict == .within)
    tolerance.maximumDifference = 1e-4
    #expect(try compare(offset, tolerance: tolerance).failures.map { $0.contains("largest difference") } == [true])
    tolerance.maximumDifference = nil
    tolerance.minimumSNR = 80
    #expect(try compare(offset, tolerance: tolerance).failures.map { $0.hasPrefix("SNR") } == [true])
  }

  @Test func figuresAreThoseOfTheirDefinitions() throws {
    let folder = try TestFolder()
    let (r, e): ([Float], [Float]) = ([0.5, -0.25, 0, 1], [0.5, -0.5, 0.125, 0.75])
    let comparison = try Comparison(reference: folder.write("a.wav", [r]), estimate: folder.write("b.wav", [e]))
    let figures = try #require(comparison.stems[0].figures)
    let (signal, error) = (1.3125, 0.140625)
    #expect(figures.maximumDifference == 0.25 && figures.meanDifference == 0.15625)
    // The sample that is 0 has no relative error.
    #expect(figures.meanRelativeError == (0.0 + 1 + 0.25) / 3)
    #expect(figures.shareOutside == 0.75)
    #expect(abs((figures.snr ?? 0) - 10 * log10(signal / error)) < 1e-12)
    #expect(abs(figures.nsdr - 10 * log10((signal + 1e-7) / (error + 1e-7))) < 1e-12)
    let gain = 1.125 / signal
    let target = gain * gain * signal
    #expect(abs((figures.siSDR ?? 0) - 10 * log10(target / (1.078125 - target))) < 1e-9)
    #expect(abs(figures.errorLevel - 10 * log10(error / 4)) < 1e-12)
  }

  /// What is left beside a factor is found where it is far below either of the two: sums of the difference, or of the
  /// estimate, lose nothing.
  @Test(arguments: [
    // The estimate is the reference but for 180 dB; and next to nothing of the reference is in it.
    (estimate: [Float(1), 1e-9], ratio: 180.0), (estimate: [1e-12, 1e-9], ratio: -60.0),
  ]) func theRemainderDoesNotCancel(estimate: [Float], ratio: Double) throws {
    let folder = try TestFolder()
    let comparison = try Comparison(
      reference: folder.write("a.wav", [[1, 0]]), estimate: folder.write("b.wav", [estimate]))
    #expect(abs((comparison.stems[0].figures?.siSDR ?? 0) - ratio) < 1e-3)
  }

  @Test func ratesAndChannelsHaveToBeEqual() throws {
    let folder = try TestFolder()
    let reference = try folder.write("a.wav", drums)
    let rate = try Comparison(reference: reference, estimate: folder.write("b.wav", drums, rate: 48000))
    #expect(rate.stems[0].failures == ["the sample rates differ: 44100 and 48000 Hz"])
    let mono = try Comparison(reference: reference, estimate: folder.write("b.wav", [drums[0]]))
    #expect(mono.stems[0].failures == ["the channels differ: 2 and 1"])
  }

  @Test func tensorsAreCompared() throws {
    let folder = try TestFolder()
    let values = noise("tensor", channels: 1, frames: 24_000)[0]
    try NPYFile.write(Tensor(shape: [3, 2, 4000], values: values), to: folder("a.npy"))
    try NPYFile.write(Tensor(shape: [3, 2, 4000], values: values.map { $0 * 1.00001 }), to: folder("b.npy"))
    try NPYFile.write(Tensor(shape: [2, 3, 4000], values: values), to: folder("c.npy"))
    let close = try Comparison(reference: folder("a.npy"), estimate: folder("b.npy"))
    #expect(close.failedStems.isEmpty)
    #expect(abs((close.stems[0].figures?.snr ?? 0) - 100) < 0.5)
    let other = try Comparison(reference: folder("a.npy"), estimate: folder("c.npy"))
    #expect(other.stems[0].failures == ["the shapes differ: [3, 2, 4000] and [2, 3, 4000]"])
  }

  @Test func whatCannotBeComparedIsNamed() throws {
    let folder = try TestFolder()
    let file = try folder.write("a/x.wav", drums)
    #expect(throws: EvaluationError.notFound(folder("none"))) {
      try Comparison(reference: file, estimate: folder("none"))
    }
    #expect(throws: EvaluationError.fileAgainstFolder(file: file, folder: folder("a"))) {
      try Comparison(reference: folder("a"), estimate: file)
    }
    try FileManager.default.createDirectory(atPath: folder("empty"), withIntermediateDirectories: true)
    #expect(throws: EvaluationError.noStems(folder("empty"))) {
      try Comparison(reference: folder("empty"), estimate: folder("a"))
    }
    // A damaged estimate fails its stem; the others are still compared.
    try folder.write("b/y.wav", bass)
    try folder.write("a/y.wav", bass)
    try Data("no audio".utf8).write(to: URL(fileURLWithPath: folder("b/x.wav")))
    let comparison = try Comparison(reference: folder("a"), estimate: folder("b"))
    #expect(comparison.failedStems == ["x"])
    #expect(comparison.stems[0].failures[0].contains("cannot be read as audio"))
  }
}
