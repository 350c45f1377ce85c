import ArgumentParser
import Evaluation
import Foundation

/// `demucs-cli compare`: whether two files, or two folders of stems, are the same within a tolerance.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Compare stems with reference stems; exit 1 if they differ too much.",
    discussion: """
      Compares two files, or the files of the same names (without extension) in two folders and the folders in them. \
      Audio of any format and .npy arrays of floats are taken. Files are read in blocks, so they may be of any length.

      A stem passes if its SNR, the share of its samples outside |e - r| <= ATOL + RTOL |r|, and its largest difference \
      keep within the bounds. An SNR says nothing about a near-silent stem: where the reference is below --silence, the \
      RMS of the error has to be at most --floor instead, and the report says so. Lengths, sample rates, channels and \
      names have to be equal, and no sample may be NaN or infinite.

      What a difference comes from is named where it is plain: a shift, a factor, swapped channels, swapped stems, \
      rounding to 16 bits. SDR is that of the Music Demixing Challenge (nSDR).

        demucs-cli compare separated/open_6s/song other/song
        demucs-cli compare golden.npy mine.npy --min-snr 100 --json

      Exit status: 0 if all stems pass, 1 if one fails or cannot be compared, 64 for bad usage.
      """)

  @Argument(help: ArgumentHelp("A file, or a folder of stems.", valueName: "reference"))
  var reference: String

  @Argument(help: ArgumentHelp("The same, to be judged.", valueName: "estimate"))
  var estimate: String

  // A level begins with a dash, as options do.
  @Option(parsing: .unconditional, help: ArgumentHelp("Least SNR of a stem.", valueName: "dB"))
  var minSnr = Tolerance().minimumSNR

  @Option(parsing: .unconditional, help: ArgumentHelp("Relative tolerance of a sample.", valueName: "ratio"))
  var rtol = Tolerance().relative

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Absolute tolerance of a sample; full scale is 1.", valueName: "value"))
  var atol = Tolerance().absolute

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Largest share of samples that may be outside them, 0 to 1.", valueName: "share"))
  var maxOutside = Tolerance().maximumOutside

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Largest difference that any sample may have. (default: none)", valueName: "value"))
  var maxAbs: Double?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("RMS below which a reference is near-silent.", valueName: "dBFS"))
  var silence = Tolerance().silence

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Largest RMS of the error of a near-silent stem.", valueName: "dBFS"))
  var floor = Tolerance().floor

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  mutating func validate() throws {
    for (name, value) in [("--rtol", rtol), ("--atol", atol), ("--max-abs", maxAbs ?? 0)]
    where !(value >= 0 && value.isFinite) {
      throw ValidationError("\(name) is \(value); it must be 0 or more.")
    }
    for (name, value) in [("--min-snr", minSnr), ("--silence", silence), ("--floor", floor)] where !value.isFinite {
      throw ValidationError("\(name) is \(value); it must be a number of dB.")
    }
    guard maxOutside >= 0, maxOutside <= 1 else {
      throw ValidationError("--max-outside is \(maxOutside); it must be from 0 to 1.")
    }
  }

  private var tolerance: Tolerance {
    var tolerance = Tolerance()
    (tolerance.minimumSNR, tolerance.relative, tolerance.absolute) = (minSnr, rtol, atol)
    (tolerance.maximumOutside, tolerance.maximumDifference) = (maxOutside, maxAbs)
    (tolerance.silence, tolerance.floor) = (silence, floor)
    return tolerance
  }

  func run() throws {
    try runReporting { console, _ in
      let comparison = try Comparison(reference: reference, estimate: estimate, tolerance: tolerance)
      let report = ComparisonReport(comparison)
      console.result(json ? try report.json() : report.text)
      guard comparison.failedStems.isEmpty else {
        let (failed, count) = (comparison.failedStems, comparison.stems.count)
        console.problem("\(failed.count) of \(count) stems failed: \(failed.joined(separator: ", "))")
        throw ExitCode.failure
      }
    }
  }
}
