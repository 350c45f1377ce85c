import Tensors

/// Samples of a track that are separated and will not change any more.
struct FinishedBlock {
  /// `[sources x channels, samples]`, normalised.
  let samples: Tensor
  /// The first of the samples, counted from the start of the track.
  let position: Int
  /// Where the same samples of the mix are still to be had.
  let track: TrackWindow

  /// Samples of a row.
  var count: Int { samples.shape[1] }

  /// One channel of one source.
  func row(_ row: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: samples.data + row * count, count: count)
  }
}
