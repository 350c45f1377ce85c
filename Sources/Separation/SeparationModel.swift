import Tensors

/// How long segments of a network are, which is known without its weights.
public protocol SegmentLengths {
  /// Sample rate in Hz of what goes in and comes out.
  var sampleRate: Int { get }
  /// Length in samples of the segments that the network was trained on.
  var segmentLength: Int { get }
  /// Whether the network takes no more than `segmentLength` samples and pads shorter input up to it
  /// (`use_train_segment` of `demucs.htdemucs.HTDemucs`).
  var usesTrainingSegment: Bool { get }
  /// Whether segments may be longer than `segmentLength`, and none is ever padded: what `demucs` does with any network but
  /// an HTDemucs.
  var takesLongSegments: Bool { get }
}

/// A network that splits one segment of audio into sources; what `Separator` needs to know of it.
public protocol SeparationModel: SegmentLengths, AnyObject, Sendable {
  /// Names of the stems, in the order of the first axis of `separate`'s result.
  var sources: [String] { get }
  /// Audio channels of what goes in and comes out.
  var audioChannels: Int { get }

  /// Separates one segment: `forward` of the PyTorch module.
  /// - Parameter mix: `[audioChannels, samples]`.
  /// - Returns: `[sources, audioChannels, samples]`.
  func separate(_ mix: Tensor) throws -> Tensor

  /// Says in time if a segment of that many samples cannot be separated.
  /// - Throws: why not.
  func check(segment samples: Int) throws

  /// Gets ready for a song.
  /// - Parameters:
  ///   - segments: segments that will be separated.
  ///   - samples: the most samples of one.
  /// - Returns: how many calls of `separate` may run at the same time, at least 1.
  func prepare(segments: Int, samples: Int) -> Int

  /// Where, inside the network, the first infinity or NaN of a segment arises; nil if there is none, or nobody knows.
  func whereNotFinite(_ mix: Tensor) -> String?
}

extension SeparationModel {
  public var takesLongSegments: Bool { false }

  /// Any segment is tried.
  public func check(segment samples: Int) throws {}

  /// One segment after the other.
  public func prepare(segments: Int, samples: Int) -> Int { 1 }

  /// Nobody knows.
  public func whereNotFinite(_ mix: Tensor) -> String? { nil }
}
