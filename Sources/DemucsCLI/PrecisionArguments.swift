import ArgumentParser
import Layers
import Tensors

/// In which precision a network computes.
struct PrecisionArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Compute as a device of that precision would. (default: fp32 in separate, mixed in precision)",
      valueName: "preset"))
  var precision: PrecisionPolicy.Preset?

  @Option(help: ArgumentHelp("Precision of each operation, from a JSON file.", valueName: "file"))
  var policy: String?

  @Option(
    help: ArgumentHelp(
      "Operations to keep in fp32: classes such as softmax, modules such as 'encoder.0*', or norm@'encoder.*'.",
      valueName: "list"))
  var fp32Ops: String?

  @Option(help: ArgumentHelp("Operations to round to fp16, likewise.", valueName: "list"))
  var fp16Ops: String?

  mutating func validate() throws {
    guard precision == nil || policy == nil else {
      throw ValidationError("--precision and --policy exclude each other; a policy names its preset itself.")
    }
    do {
      for (list, format) in [(fp16Ops, NumberFormat.fp16), (fp32Ops, .fp32)] {
        if let list { _ = try PrecisionPolicy.rules(list, in: format) }
      }
    } catch let error as PolicyError {
      throw ValidationError("\(error)")
    }
  }

  /// Whether any of the options is there.
  var isGiven: Bool { precision != nil || policy != nil || fp32Ops != nil || fp16Ops != nil }

  /// The policy that the options make; of two that name the same operation, `--fp32-ops` counts.
  /// - Throws: `PolicyError` for a file that is none.
  func makePolicy(base: PrecisionPolicy.Preset = .fp32) throws -> PrecisionPolicy {
    var result = try policy.map { try PrecisionPolicy(contentsOf: $0) } ?? PrecisionPolicy(precision ?? base)
    for (list, format) in [(fp16Ops, NumberFormat.fp16), (fp32Ops, .fp32)] {
      if let list { result.rules += try PrecisionPolicy.rules(list, in: format) }
    }
    return result
  }
}

extension PrecisionPolicy.Preset: ExpressibleByArgument {}
