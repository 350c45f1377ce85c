/// Lengths in samples that a model and the options fix for every track.
public struct ChunkGeometry: Equatable, Sendable {
  /// Samples of a whole chunk.
  public let segmentLength: Int
  /// Samples from the start of a chunk to the start of the next.
  public let stride: Int
  /// What every chunk is padded to before the network; `nil` leaves each at its own length.
  public let paddedLength: Int?

  /// Samples that no segment of any network exceeds.
  private static let longestSegment = 1 << 30

  /// Works out the lengths as `demucs.apply.apply_model` does, and asks the network whether it takes them.
  /// - Throws: as `init(lengths:options:)`, or what the model says of a segment of that length.
  public init(model: any SeparationModel, options: SeparationOptions) throws {
    try self.init(lengths: model, options: options)
    try model.check(segment: paddedLength ?? segmentLength)
  }

  /// Works out the lengths as `demucs.apply.apply_model` does.
  ///
  /// Products are taken in double precision and cut, never rounded, as Python's `int(samplerate * segment)` and
  /// `int((1 - overlap) * segment_length)`: an overlap of 0.8 of 343 980 samples is a stride of 68 795.
  /// - Throws: `SeparationError` for an overlap, transition power, shift count or segment out of its range.
  public init(lengths model: any SegmentLengths, options: SeparationOptions) throws {
    guard options.shifts >= 0 else { throw SeparationError.negativeShifts(options.shifts) }
    guard options.overlap >= 0, options.overlap < 1 else {
      throw SeparationError.overlapOutOfRange(options.overlap)
    }
    guard options.transitionPower >= 1, options.transitionPower.isFinite else {
      throw SeparationError.transitionPowerTooSmall(options.transitionPower)
    }
    let options = options.effective
    var segmentLength = model.segmentLength
    if let segment = options.segment {
      // Seconds are compared, not samples: 343 980 / 44 100 is the very double that "7.8" is.
      let most = model.takesLongSegments ? Self.longestSegment : model.segmentLength
      let longest = Double(most) / Double(model.sampleRate)
      guard segment <= longest else {
        throw SeparationError.segmentTooLong(seconds: segment, longest: longest)
      }
      segmentLength = Int(Double(model.sampleRate) * max(segment, 0))
      guard segmentLength > 0 else {
        throw SeparationError.segmentTooShort(seconds: segment, sampleRate: model.sampleRate)
      }
    }
    let stride = Int((1 - options.overlap) * Double(segmentLength))
    guard stride >= 1 else {
      throw SeparationError.strideIsZero(overlap: options.overlap, segmentLength: segmentLength)
    }
    // The first sample of a track is covered by one chunk alone and divided by its weight.
    let lowest = TransitionWeights.lowest(segmentLength: segmentLength, power: options.transitionPower)
    guard lowest > 0 else { throw SeparationError.transitionPowerTooLarge(options.transitionPower) }
    self.segmentLength = segmentLength
    self.stride = stride
    // `valid_length`: a segment that was asked for wins over the one the network was trained on.
    paddedLength =
      if model.takesLongSegments {
        nil
      } else if options.segment != nil {
        segmentLength
      } else if model.usesTrainingSegment {
        model.segmentLength
      } else {
        nil
      }
  }

  /// One chunk as long as a pass over a track: `apply_model` with `split=False`.
  /// - Throws: `SeparationError.tooLongToStayWhole`, or what the model says of a segment of that length.
  init(whole length: Int, model: any SeparationModel) throws {
    if model.takesLongSegments {
      try model.check(segment: length)
      (segmentLength, paddedLength) = (length, nil)
    } else {
      guard length <= model.segmentLength else {
        let rate = Double(model.sampleRate)
        throw SeparationError.tooLongToStayWhole(
          seconds: Double(length) / rate, longest: Double(model.segmentLength) / rate)
      }
      segmentLength = model.segmentLength
      paddedLength = model.usesTrainingSegment ? model.segmentLength : nil
    }
    stride = segmentLength
  }
}
