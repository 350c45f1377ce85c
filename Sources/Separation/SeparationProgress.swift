/// How far a separation is.
public struct SeparationProgress: Equatable, Sendable {
  /// Segments that the network has separated, over all passes.
  public let chunksDone: Int
  /// Segments of all passes.
  public let totalChunks: Int
  /// Seconds of the track that are done; with several passes, the mean over the passes.
  public let secondsDone: Double
  /// Length of the track in seconds.
  public let totalSeconds: Double

  public init(chunksDone: Int, totalChunks: Int, secondsDone: Double, totalSeconds: Double) {
    self.chunksDone = chunksDone
    self.totalChunks = totalChunks
    self.secondsDone = secondsDone
    self.totalSeconds = totalSeconds
  }
}

/// Is told of progress before the first segment and after each; what it throws ends the separation.
public typealias ProgressHandler = (SeparationProgress) throws -> Void
