import ArgumentParser
import Separation

/// Which stems are written.
struct StemArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Write these stems alone: names with commas between them.", valueName: "a,b"))
  var stems: String?

  @Option(help: ArgumentHelp("Write this stem and one of all the others.", valueName: "stem"))
  var twoStems: String?

  @Option(
    help: ArgumentHelp(
      "The second of two stems: no_STEM, the others added up; minus_STEM, the mix less the stem; or none.",
      valueName: "method"))
  var otherMethod = StemSelection.Complement.add

  @Option(
    help: ArgumentHelp(
      "Make the files add up to the mix: distribute what is in no stem over all stems, or write it as the stem "
        + "residual.", valueName: "way"))
  var mixtureConsistent: StemSelection.Consistency?

  mutating func validate() throws {
    if stems != nil, twoStems != nil {
      throw ValidationError("--stems and --two-stems exclude each other.")
    }
    if twoStems != nil, otherMethod == .minus, mixtureConsistent == .residual {
      throw ValidationError(
        "--other-method minus and --mixture-consistent residual exclude each other: the mix less a stem holds the residual "
          + "already, so that the two add up to the mix without it.")
    }
    if let stems, stems.split(separator: ",", omittingEmptySubsequences: false).contains(where: \.isEmpty) {
      throw ValidationError("--stems is '\(stems)'; give names with commas between them, such as drums,bass.")
    }
  }

  var selection: StemSelection {
    let choice: StemSelection.Choice =
      if let twoStems {
        .pair(twoStems, otherMethod)
      } else if let stems {
        .only(stems.split(separator: ",").map(String.init))
      } else {
        .all
      }
    return StemSelection(choice, consistency: mixtureConsistent)
  }
}

extension StemSelection.Complement: ExpressibleByArgument {}
extension StemSelection.Consistency: ExpressibleByArgument {}
