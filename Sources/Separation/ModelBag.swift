import Synchronization

/// One network or several whose results are averaged: `demucs.apply.BagOfModels`.
///
/// The networks of a bag separate a whole track one after another, each loaded when it is its turn and let go when it is
/// the next one's: memory stays that of one.
public struct ModelBag: Sendable {
  /// A network that is loaded when it is needed.
  public struct Member: Sendable {
    /// What errors call it, and by what it is told from others: the path of its file.
    public let name: String
    let load: @Sendable () throws -> any SeparationModel

    public init(name: String, load: @escaping @Sendable () throws -> any SeparationModel) {
      self.name = name
      self.load = load
    }
  }

  /// In the order in which they work and draw their shifts; at least one.
  public let members: [Member]
  /// For each member the weight of each source; nil weighs all alike.
  public let weights: [[Double]]?

  /// - Throws: `SeparationError.emptyBag`, `.wrongWeights`.
  public init(_ members: [Member], weights: [[Double]]? = nil) throws {
    guard !members.isEmpty else { throw SeparationError.emptyBag }
    if let weights, weights.count != members.count {
      throw SeparationError.wrongWeights("\(weights.count) rows for \(members.count) networks")
    }
    self.members = members
    self.weights = weights
  }

  /// A network that is there already, for itself.
  public init(_ model: any SeparationModel) {
    members = [Member(name: "model") { model }]
    weights = nil
  }

  /// The sum of the weights of each source.
  /// - Throws: `SeparationError.wrongWeights` if there is not one weight a source, or a sum that nothing can be divided by.
  func totals(sources: [String]) throws -> [Float]? {
    guard let weights else { return members.count > 1 ? sources.map { _ in Float(members.count) } : nil }
    if let row = weights.first(where: { $0.count != sources.count }) {
      throw SeparationError.wrongWeights("\(row.count) weights in a row for \(sources.count) sources")
    }
    return try sources.enumerated().map { index, source in
      let total = Float(weights.reduce(0) { $0 + $1[index] })
      guard total != 0, total.isFinite else {
        throw SeparationError.wrongWeights("the weights of \(source) add up to \(total)")
      }
      return total
    }
  }
}

/// The network of a bag that was used last.
final class LoadedMember: Sendable {
  private let last = Mutex<(name: String, model: any SeparationModel)?>(nil)

  /// Loads a network, unless it is there; the one before is let go first.
  func model(_ member: ModelBag.Member) throws -> any SeparationModel {
    try last.withLock { last in
      if let last, last.name == member.name { return last.model }
      last = nil
      let model = try member.load()
      last = (member.name, model)
      return model
    }
  }
}
