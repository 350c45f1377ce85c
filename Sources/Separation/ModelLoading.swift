import Checkpoints
import HTDemucs
import Layers
import Tensors

/// Builds the network that a model file describes.
/// - Parameters:
///   - path: a model file, as `ModelStore.locate` gives it.
///   - pool: the threads that the network works on.
///   - options: what to do beside separating.
/// - Throws: what is wrong with the file, with its name.
public func loadModel(
  at path: String, pool: WorkerPool, options: ModelOptions = ModelOptions()
) throws -> any SeparationModel {
  let model: HTDemucsModel
  do {
    model = try HTDemucsModel(
      try openCheckpoint(path, bagSegment: options.bagSegment), precision: options.precision, pool: pool)
  } catch let error as ConfigurationError {
    throw SeparationError.modelUnavailable(path: path, reason: "\(error)")
  }
  model.overflowHandler = options.overflowHandler
  guard let folder = options.tapFolder else { return ParallelModel(model, atOnce: options.segmentsAtOnce) }
  return try TappedModel(model, folder: folder)
}

/// Opens a model file of any format that is read.
/// - Parameter bagSegment: seconds of a segment that the bag of the model asks for, if it does.
/// - Throws: `CheckpointError`, with the file's name.
public func openCheckpoint(_ path: String, bagSegment: Double? = nil) throws -> Checkpoint {
  let checkpoint = try Checkpoint(opening: path)
  return try bagSegment.map(checkpoint.with(bagSegment:)) ?? checkpoint
}

/// What a model's file says of its network, whose weights are not read.
/// - Parameter bagSegment: as of `openCheckpoint`.
/// - Throws: what is wrong with the file, with its name.
public func openConfiguration(_ path: String, bagSegment: Double? = nil) throws -> Configuration {
  do {
    return try Configuration(openCheckpoint(path, bagSegment: bagSegment).modelDescription())
  } catch let error as ConfigurationError {
    throw SeparationError.modelUnavailable(path: path, reason: "\(error)")
  }
}

/// What a model is told when it is loaded, beside its weights.
public struct ModelOptions: Sendable {
  /// Folder that gets every intermediate result of the network; `nil` keeps none.
  public var tapFolder: String?

  /// Segments to separate at the same time, each by its share of the threads; `nil` chooses by cores, memory and the
  /// length of the song.
  public var segmentsAtOnce: Int?

  /// Which operations are rounded to what, as a device of less precision would; nothing is, by default.
  public var precision = PrecisionPolicy(.fp32)

  /// Is told, at most once a pass over a song, of the first module whose result a narrow format could not hold.
  public var overflowHandler: (@Sendable (_ module: String) -> Void)?

  /// Seconds of a segment that the bag of the model asks for, in place of what the network was trained on.
  var bagSegment: Double?

  public init(tapFolder: String? = nil, segmentsAtOnce: Int? = nil) {
    self.tapFolder = tapFolder
    self.segmentsAtOnce = segmentsAtOnce
  }
}

extension Configuration: SegmentLengths {}

extension HTDemucsModel: SeparationModel {
  public func separate(_ mix: Tensor) throws -> Tensor { try separate(mix, taps: nil, profile: nil) }

  public func prepare(segments: Int, samples: Int) -> Int {
    prepare(segments: segments, samples: samples, atOnce: nil)
  }

  public func whereNotFinite(_ mix: Tensor) -> String? { try? firstNotFinite(mix) }
}
