import Tensors

/// A stretch of a track that knows what lies around it: `demucs.apply.TensorChunk`.
///
/// A shifted pass is a stretch that begins in the silence before the track; a chunk of the pass is a stretch
/// of that stretch. Padding a chunk always reads the track itself, so a chunk in the middle of the song gets real
/// audio on both sides, even from beyond the pass it belongs to.
public struct TrackStretch<Track: TrackSamples> {
  public let track: Track
  /// First sample, counted from the start of the track; negative in the silence before it.
  public let offset: Int
  /// Samples, at least 1.
  public let length: Int

  public init(track: Track, offset: Int = 0, length: Int) {
    self.track = track
    self.offset = offset
    self.length = length
  }

  /// The stretch that `chunk` covers, its offset counted from the start of this one.
  public func stretch(_ chunk: Chunk) -> TrackStretch {
    TrackStretch(track: track, offset: offset + chunk.offset, length: chunk.length)
  }

  /// The samples of the stretch in the middle of `paddedLength` samples of the track.
  ///
  /// Of an odd number of samples to add, the extra one goes to the right.
  /// - Parameter paddedLength: at least `length`.
  /// - Returns: `[channels, paddedLength]`.
  public func padded(to paddedLength: Int) throws(Track.Failure) -> Tensor {
    try track.samples(from: offset - leadingPadding(to: paddedLength), count: paddedLength)
  }

  /// How many of the added samples lie before the stretch: where `demucs.utils.center_trim` cuts them off again.
  public func leadingPadding(to paddedLength: Int) -> Int { (paddedLength - length) / 2 }
}

extension TrackStretch: Sendable where Track: Sendable {}
