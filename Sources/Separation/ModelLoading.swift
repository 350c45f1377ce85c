import Tensors

/// What a model is told when it is loaded, beside its weights.
public struct ModelOptions: Sendable, Equatable {
  /// Folder that gets every intermediate result of the network; `nil` keeps none.
  public var tapFolder: String?

  public init(tapFolder: String? = nil) { self.tapFolder = tapFolder }
}

/// Builds the network that a model file describes.
/// - Parameters:
///   - path: a model file, as `ModelStore.locate` gives it.
///   - pool: the threads that the network works on.
///   - options: what to do beside separating.
/// - Throws: `SeparationError.modelUnavailable`, or what is wrong with the file.
public func loadModel(
  at path: String, pool: WorkerPool, options: ModelOptions = ModelOptions()
) throws -> any SeparationModel {
  throw SeparationError.modelUnavailable(path: path, reason: "the network is not available in this build")
}
