import ArgumentParser
import Foundation
import Separation

/// Which stems are written.
struct StemArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Write these stems alone: names with commas between them.", valueName: "a,b"))
  var stems: [String] = []

  @Option(help: ArgumentHelp("Write this stem and one of all the others.", valueName: "stem"))
  var twoStems: String?

  @Option(
    help: ArgumentHelp(
      "The second of two stems: no_STEM, the others added up; minus_STEM, the mix less the stem; or none. (default: add)",
      valueName: "method"))
  var otherMethod: StemSelection.Complement?

  @Option(
    help: ArgumentHelp(
      "Make the files add up to the mix: distribute what is in no stem over all stems, or write it as the stem "
        + "residual.", valueName: "way"))
  var mixtureConsistent: StemSelection.Consistency?

  mutating func validate() throws {
    if !stems.isEmpty, twoStems != nil {
      throw ValidationError("--stems and --two-stems exclude each other.")
    }
    if twoStems != nil, otherMethod == .minus, mixtureConsistent == .residual {
      throw ValidationError(
        "--other-method minus and --mixture-consistent residual exclude each other: the mix less a stem holds the residual "
          + "already, so that the two add up to the mix without it.")
    }
    if names.contains(where: \.isEmpty) {
      throw ValidationError(
        "--stems is '\(stems.joined(separator: ","))'; give names with commas between them, such as drums,bass.")
    }
  }

  /// What was asked for and makes no difference.
  var notes: [String] {
    otherMethod != nil && twoStems == nil ? ["--other-method makes no difference without --two-stems."] : []
  }

  /// The names of `--stems`, without the blanks that may be beside a comma.
  private var names: [String] {
    stems.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }

  var selection: StemSelection {
    let choice: StemSelection.Choice =
      if let twoStems {
        .pair(twoStems, otherMethod ?? .add)
      } else if !stems.isEmpty {
        .only(names)
      } else {
        .all
      }
    return StemSelection(choice, consistency: mixtureConsistent)
  }
}

extension StemSelection.Complement: ExpressibleByArgument {}
extension StemSelection.Consistency: ExpressibleByArgument {}
