import Checkpoints
import ModelStore
import Tensors

extension ModelBag {
  /// The networks of a model that was found.
  /// - Parameters:
  ///   - location: as `ModelStore.locate` gives it.
  ///   - pool: the threads that the networks work on.
  ///   - options: what to do beside separating.
  /// - Throws: `SeparationError`. What is wrong with a network's file is found when that is loaded.
  public init(_ location: ModelLocation, pool: WorkerPool, options: ModelOptions = ModelOptions()) throws {
    if options.tapFolder != nil, location.members.count > 1 {
      throw SeparationError.modelUnavailable(
        path: location.path,
        reason: "the intermediate tensors of a bag of \(location.members.count) networks cannot be told apart; give "
          + "the path of one of them, such as \(location.members[0])")
    }
    var options = options
    options.bagSegment = location.segment
    try self.init(
      location.members.map { [options] path in
        Member(name: path) { try loadModel(at: path, pool: pool, options: options) }
      }, weights: location.weights)
  }
}

extension Checkpoint {
  /// The checkpoint with the segment of a bag: what `BagOfModels` does with `segment`. A Transformer keeps its own where
  /// that is shorter, as it cannot take more than it was trained on.
  func with(bagSegment segment: Double) throws -> Checkpoint {
    let description = try modelDescription()
    let isTransformer = description.klass.hasSuffix(".HTDemucs")
    if isTransformer, segment > description.kwargs["segment"]?.doubleValue ?? 10 { return self }
    let kwargs = description.kwargs.merging(["segment": .number(segment)]) { $1 }
    return Checkpoint(
      self, description: ModelDescription(klass: description.klass, args: description.args, kwargs: kwargs))
  }
}
