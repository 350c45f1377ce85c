import AudioFiles

/// All that one reading of a reference and an estimate tells.
struct SignalPair {
  /// Of the frames that both have.
  private(set) var sums = SignalSums()
  /// The same with the estimate's channels in reverse order; nothing for one channel.
  private(set) var swapped = SignalSums()
  private(set) var differences = Differences()
  private(set) var reference = Content()
  private(set) var estimate = Content()

  /// What a signal holds.
  struct Content: Equatable {
    var frames = 0
    /// Samples that are NaN or infinite, and the frame of the first.
    var nonFinite = 0
    var firstNonFinite: Int?
    /// Whether every sample is a multiple of 2^-15, as those of 16-bit files are.
    var has16Bits = true
    var warnings: [String] = []

    mutating func add(_ block: AudioBuffer) {
      for channel in block.channels {
        channel.withUnsafeBufferPointer { samples in
          for index in samples.indices {
            if !samples[index].isFinite {
              nonFinite += 1
              firstNonFinite = min(firstNonFinite ?? .max, frames + index)
            }
            // From 2^24 on every float is a whole number.
            let scaled = samples[index] * 32768
            if has16Bits, scaled.magnitude < 0x1p24, Float(Int32(scaled)) != scaled { has16Bits = false }
          }
        }
      }
      frames += block.frameCount
    }
  }

  /// Reads both to their ends.
  /// - Parameters:
  ///   - reference, estimate: of as many channels.
  ///   - tolerance: says which samples are outside.
  /// - Throws: `AudioFileError`.
  init(reference: Signal, estimate: Signal, tolerance: Tolerance) throws {
    let group = try SignalGroup([reference, estimate])
    while let blocks = try group.next() {
      let (reference, estimate) = (blocks[0], blocks[1])
      sums.add(reference: reference, estimate: estimate)
      if reference.channelCount > 1 {
        swapped.add(reference: reference, estimate: AudioBuffer(channels: estimate.channels.reversed()))
      }
      for (reference, estimate) in zip(reference.channels, estimate.channels) {
        differences.add(reference, estimate, tolerance: tolerance)
      }
      self.reference.add(reference)
      self.estimate.add(estimate)
    }
    self.reference.warnings = group.readers[0].warnings
    self.estimate.warnings = group.readers[1].warnings
  }
}

/// The differences of two signals, sample by sample.
struct Differences: Equatable {
  /// The largest |e - r|.
  private(set) var largest = 0.0
  private(set) var count = 0
  private var sum = 0.0
  private var relativeSum = 0.0
  private var audible = 0
  private var outside = 0

  mutating func add(_ reference: [Float], _ estimate: [Float], tolerance: Tolerance) {
    let frames = min(reference.count, estimate.count)
    reference.withUnsafeBufferPointer { reference in
      estimate.withUnsafeBufferPointer { estimate in
        for index in 0..<frames {
          let r = Double(reference[index])
          let (difference, magnitude) = ((Double(estimate[index]) - r).magnitude, r.magnitude)
          largest = max(largest, difference)
          sum += difference
          if difference > tolerance.absolute + tolerance.relative * magnitude { outside += 1 }
          if magnitude > tolerance.absolute {
            relativeSum += difference / magnitude
            audible += 1
          }
        }
      }
    }
    count += frames
  }

  /// The mean of |e - r|.
  var mean: Double { sum / Double(max(1, count)) }

  /// The mean of |e - r| / |r| where |r| is more than the absolute tolerance; nil where it nowhere is. Beside zero
  /// crossings any difference is relatively infinite.
  var meanRelative: Double? { audible > 0 ? relativeSum / Double(audible) : nil }

  /// Share of the samples with |e - r| > absolute + relative |r|.
  var shareOutside: Double { Double(outside) / Double(max(1, count)) }
}
