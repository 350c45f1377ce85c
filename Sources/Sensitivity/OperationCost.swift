import Layers

/// What operations cost a device, by the sizes of the tensors that a run has shown.
public struct OperationCost: Sendable, Equatable {
  /// Additions and multiplications of products.
  public var operations = 0.0
  /// Numbers that are stored: weights, biases and results.
  public var numbers = 0.0

  static func += (sum: inout OperationCost, other: OperationCost) {
    sum.operations += other.operations
    sum.numbers += other.numbers
  }
}

/// Counts what each operation of a plan does.
struct CostModel {
  private let counts: [String: Double]
  /// Features of a token in the transformer.
  private let width: Double

  /// - Parameters:
  ///   - statistics: of a run with taps.
  ///   - operations: of the network.
  init(_ statistics: [(name: String, values: TapStatistics)], _ operations: [PrecisionPlan.Operation]) {
    counts = Dictionary(statistics.map { ($0.name, Double($0.values.count)) }) { first, _ in first }
    width = Double(operations.first { $0.operation == .linear && $0.module.hasSuffix("_attn") }?.depth ?? 1)
  }

  private func count(_ name: String) -> Double { counts[name] ?? 0 }

  /// The cost of one operation.
  func cost(_ entry: PrecisionPlan.Operation) -> OperationCost {
    let results = self.results(entry)
    // Of an attention the scores and the weighted values: as many products.
    let operations =
      entry.operation == .attentionProduct ? 4 * results * keys(entry.module) : 2 * Double(entry.depth) * results
    return OperationCost(operations: operations, numbers: Double(entry.parameters) + results)
  }

  /// Numbers that the operation stores. Modules have taps under their names; functions are counted by their neighbours'.
  private func results(_ entry: PrecisionPlan.Operation) -> Double {
    let module = entry.module
    switch entry.operation {
    case .activation where counts[module + ".conv"] != nil: return count(module + ".conv") + count(module)
    case .activation where counts[module + ".conv_tr"] != nil: return count(module + ".rewrite") / 2 + count(module)
    case .activation where counts[module + ".linear1"] != nil: return count(module + ".linear1")
    // Queries of one sequence, keys and values of that or the other.
    case .linear where module.hasSuffix("_attn"): return count(module) + 2 * keys(module) * width
    case .addition where counts[module + ".linear2"] != nil: return 2 * count(module)
    case .addition where module == "freq_emb": return count("encoder.0")
    // A softmax need not be stored whole.
    case .softmax: return 0
    case .stft: return count("input.spectrogram") + count("output")
    case .standardisation: return count("input.spectrogram") + count("output.spectrogram") + count("output.waveform")
    default: return count(module) + (module == "crosstransformer" ? count(module + "#1") : 0)
    }
  }

  /// Tokens that the queries of an attention look at.
  private func keys(_ module: String) -> Double {
    let isTime = module.contains(".layers_t.") != module.hasSuffix(".cross_attn")
    return count("crosstransformer" + (isTime ? "#1" : "")) / width
  }
}
