import AudioFiles

/// The ratios of BSSEval v4 of one stem in one frame, in dB: as `museval` 0.4.1.
public struct BSSEvalRatios: Sendable, Equatable {
  /// Signal to distortion.
  public var sdr: Double
  /// Image to spatial distortion, signal to interference, signal to artifacts: they need the filters.
  public var isr: Double?
  public var sir: Double?
  public var sar: Double?
}

/// BSSEval v4 frame by frame: frames of `window` samples that do not overlap; `museval.evaluate` has one second.
///
/// It takes an estimate apart into the true image, spatial distortion, interference and artifacts, with filters of 512
/// taps that are found over the whole song. The SDR of images weighs the true image against the sum of the other three,
/// and that sum is the estimate less the true image whatever the filters: they cancel, so that SDR needs none.
///
/// A frame in which the channels of any true or estimated stem add up to 0 in every sample is left out for all stems, as
/// there. What is left at the end is in no frame, unless it is all there is.
public struct BSSEval {
  /// By frame and stem; nil for a frame that is left out.
  public private(set) var frames: [[BSSEvalRatios]?] = []
  private let stems: Int
  private let isOnlyFrame: Bool
  /// Estimates that are silent throughout, which `museval` refuses, and which leave no frame out here.
  private let silentEstimates: Set<Int>

  /// - Parameters:
  ///   - stems: how many.
  ///   - silentEstimates: indices of the estimates that are silent in the whole song.
  ///   - isOnlyFrame: whether the song is shorter than a frame.
  package init(stems: Int, silentEstimates: Set<Int>, isOnlyFrame: Bool) {
    (self.stems, self.silentEstimates, self.isOnlyFrame) = (stems, silentEstimates, isOnlyFrame)
  }

  /// Adds a frame.
  /// - Parameters:
  ///   - references, estimates: `[channels, frames]` of each stem, in the same order.
  ///   - window: frames of a whole one; a shorter one is added only where it is all there is.
  ///   - filters: take the estimates apart; without them there is only an SDR.
  package mutating func add(
    references: [AudioBuffer], estimates: [AudioBuffer], window: Int, filters: BSSEvalFilters? = nil
  ) {
    guard let length = references.first?.frameCount, length == window || isOnlyFrame else { return }
    let judged = references + estimates.enumerated().filter { !silentEstimates.contains($0.offset) }.map(\.element)
    guard !judged.contains(where: Self.isSilent) else { return frames.append(nil) }
    if let filters {
      frames.append(filters.ratios(references: references, estimates: estimates))
      return
    }
    frames.append(
      zip(references, estimates).map { reference, estimate in
        var sums = SignalSums()
        sums.add(reference: reference, estimate: estimate)
        return BSSEvalRatios(sdr: sums.snr ?? -.infinity)
      })
  }

  /// The median of another ratio over the frames that count; nil where there is none.
  public func median(_ stem: Int, _ ratio: KeyPath<BSSEvalRatios, Double?>) -> Double? {
    Self.median(frames.compactMap { $0?[stem][keyPath: ratio] })
  }

  /// The median SDR in dB over the frames that count; nil where there is none.
  public func medianSDR(_ stem: Int) -> Double? { Self.median(frames.compactMap { $0?[stem].sdr }) }

  static func isSilent(_ audio: AudioBuffer) -> Bool {
    (0..<audio.frameCount).allSatisfy { frame in audio.channels.reduce(0.0) { $0 + Double($1[frame]) } == 0 }
  }

  /// The middle of the values, or the mean of the two in the middle; nil where there are none.
  static func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
