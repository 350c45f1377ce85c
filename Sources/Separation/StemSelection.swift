/// Which files are made of what a network separated.
public struct StemSelection: Sendable, Equatable {
  /// Which stems are written.
  public enum Choice: Sendable, Equatable {
    /// Every source of the model.
    case all
    /// Some of them, in the order of the model.
    case only([String])
    /// One, and what the others are: `--two-stems` of `demucs`.
    case pair(String, Complement)
  }

  /// What stands beside the stem of a pair: `--other-method` of `demucs`.
  public enum Complement: String, CaseIterable, Sendable {
    /// `no_STEM`, the sum of the other stems.
    case add
    /// `minus_STEM`, the mix less the stem.
    case minus
    /// Nothing.
    case none
  }

  /// What becomes of the residual, which is the mix less all stems.
  public enum Consistency: String, CaseIterable, Sendable {
    /// Every stem gets an equal part of it, so that they add up to the mix.
    case distribute
    /// It becomes a stem of its own, so that all files add up to the mix.
    case residual
  }

  public var choice: Choice
  /// `nil` leaves the residual alone.
  public var consistency: Consistency?

  public init(_ choice: Choice = .all, consistency: Consistency? = nil) {
    self.choice = choice
    self.consistency = consistency
  }

  /// Whether the files hold all of what the network found in the mix.
  var addsUp: Bool {
    switch choice {
    case .all, .pair(_, .add), .pair(_, .minus): true
    case .only, .pair(_, .none): false
    }
  }

  /// How the samples of a file come about.
  enum Recipe: Equatable, Sendable {
    /// A source of the model, by its index.
    case source(Int)
    /// The sum of all sources but one.
    case others(Int)
    /// The mix less a source.
    case mixWithout(Int)
    /// The mix less all sources.
    case residual
  }

  /// A file to write.
  struct Output: Equatable, Sendable {
    let name: String
    let recipe: Recipe
  }

  /// The files to write for a model of these sources, in order.
  /// - Throws: `SeparationError.unknownStem`, `.ambiguousStem`.
  func outputs(sources: [String]) throws -> [Output] {
    func index(_ name: String) throws -> Int {
      guard let index = sources.firstIndex(of: name) else {
        throw SeparationError.unknownStem(name, sources: sources)
      }
      return index
    }
    var outputs: [Output]
    switch choice {
    case .all: outputs = sources.enumerated().map { Output(name: $1, recipe: .source($0)) }
    case .only(let names):
      outputs = try Set(names.map(index)).sorted().map { Output(name: sources[$0], recipe: .source($0)) }
    case .pair(let name, let complement):
      let stem = try index(name)
      outputs = [Output(name: name, recipe: .source(stem))]
      switch complement {
      case .add: outputs.append(Output(name: "no_" + name, recipe: .others(stem)))
      case .minus: outputs.append(Output(name: "minus_" + name, recipe: .mixWithout(stem)))
      case .none: break
      }
    }
    if consistency == .residual { outputs.append(Output(name: "residual", recipe: .residual)) }
    let names = outputs.map(\.name)
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw SeparationError.ambiguousStem(twice)
    }
    return outputs
  }

  /// The names of the files to write, in order, for a model of these sources.
  /// - Throws: `SeparationError.unknownStem`, `.ambiguousStem`.
  public func names(sources: [String]) throws -> [String] { try outputs(sources: sources).map(\.name) }
}
