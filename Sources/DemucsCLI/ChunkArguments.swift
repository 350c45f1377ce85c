import ArgumentParser
import Separation

/// How songs are cut and joined.
struct ChunkArguments: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Passes over the song, each shifted by another random time, averaged. More is slower and slightly better.",
      valueName: "n"))
  var shifts = 1

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Overlap between segments, from 0 to below 1.", valueName: "share"))
  var overlap = 0.25

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Length of a segment. (default: the model's)", valueName: "seconds"))
  var segment: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Seed of the random shifts: the same seed gives the same files.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How sharp the joins of segments are: their triangle to this power, 1 or more.", valueName: "n"))
  var transitionPower = 1.0

  /// Whether one of them is another than it is by itself.
  var isGiven: Bool { shifts != 1 || overlap != 0.25 || segment != nil || seed != 0 || transitionPower != 1 }

  /// What was asked for and makes no difference; `SeparationOptions.effective` sees to that.
  /// - Parameter isSplit: whether songs are cut into segments.
  func notes(isSplit: Bool) -> [String] {
    var notes: [String] = []
    if !isSplit, overlap != 0.25 { notes.append("--overlap makes no difference with --no-split: there are no joins.") }
    if transitionPower != 1, !isSplit || overlap == 0 {
      let reason = isSplit ? "--overlap 0" : "--no-split"
      notes.append("--transition-power makes no difference with \(reason): there are no joins.")
    }
    if shifts == 0, seed != 0 { notes.append("--seed makes no difference with --shifts 0.") }
    return notes
  }

  /// Passes over a song beyond which nobody hears a difference, and each takes its time and 5 MB.
  private static let mostShifts = 1000

  mutating func validate() throws {
    guard (0...ChunkArguments.mostShifts).contains(shifts) else {
      throw ValidationError("--shifts is \(shifts); it must be 0 to \(ChunkArguments.mostShifts).")
    }
    guard overlap >= 0, overlap < 1 else {
      throw ValidationError("--overlap is \(overlap); it must be at least 0 and below 1.")
    }
    if let segment, !(segment > 0) {
      throw ValidationError("--segment is \(segment); it must be more than 0 seconds.")
    }
    guard transitionPower >= 1, transitionPower.isFinite else {
      throw ValidationError("--transition-power is \(transitionPower); it must be 1 or more.")
    }
  }

  /// Does what needs the options and a model.
  /// - Throws: `ValidationError` where the model makes an option one that cannot be, or what `body` throws.
  static func refusing<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error where errorCode(of: error) == "options-out-of-range" {
      throw ValidationError("\(error)")
    }
  }

  var options: SeparationOptions {
    SeparationOptions(
      shifts: shifts, overlap: overlap, segment: segment, transitionPower: transitionPower, seed: seed)
  }
}
