import AudioFiles
import Foundation

/// What, done to the reference, gives the estimate but for a hundredth of the error's energy.
public struct Explanation: Sendable, Equatable, CustomStringConvertible {
  /// The estimate is late by so many frames.
  public private(set) var lag = 0
  /// Its amplitude is so many times the reference's; negative where the polarity is inverted.
  public private(set) var gain = 1.0
  /// Its channels are in reverse order.
  public private(set) var channelsAreSwapped = false

  /// Share of the error's energy that may remain.
  private static let remainder = 0.01

  /// Beyond so many channels no lag is searched: that is a tensor, not audio.
  private static let searchedChannels = 16

  /// The simplest explanation of a difference, if one is enough: a factor, swapped channels, a shift, or a factor with
  /// one of the others.
  /// - Parameters:
  ///   - pair: what a reading of the two has told; all samples finite.
  ///   - reference, estimate: the two, of as many channels.
  /// - Throws: `AudioFileError`.
  init?(_ pair: SignalPair, reference: Signal, estimate: Signal) throws {
    let plain = pair.sums
    guard plain.errorEnergy > 0, plain.referenceEnergy > 0, plain.estimateEnergy > 0 else { return nil }
    if plain.residualEnergy <= Self.remainder * plain.errorEnergy {
      gain = plain.gain
      return
    }
    if reference.channelCount > 1, let gain = Self.gain(explaining: pair.swapped, against: plain) {
      (self.gain, channelsAreSwapped) = (gain, true)
      return
    }
    guard reference.channelCount <= Self.searchedChannels,
      let lag = try LagSearch.lag(reference: reference, estimate: estimate), lag != 0
    else { return nil }
    let shifted = try Self.sums(reference: reference, estimate: estimate, lag: lag)
    guard 2 * shifted.count > plain.count, let gain = Self.gain(explaining: shifted, against: plain) else { return nil }
    (self.lag, self.gain) = (lag, gain)
  }

  /// With the estimate's frame `n + lag` beside the reference's frame `n`.
  private static func sums(reference: Signal, estimate: Signal, lag: Int) throws -> SignalSums {
    let group = try SignalGroup([reference, estimate], skipping: [max(0, -lag), max(0, lag)])
    var sums = SignalSums()
    while let blocks = try group.next() { sums.add(reference: blocks[0], estimate: blocks[1]) }
    return sums
  }

  /// The factor to go with `candidate` if that leaves next to nothing of the error of `plain`: 1 if it needs none.
  private static func gain(explaining candidate: SignalSums, against plain: SignalSums) -> Double? {
    if candidate.errorEnergy <= remainder * plain.errorEnergy,
      candidate.residualEnergy > remainder * candidate.errorEnergy || candidate.errorEnergy == 0
    {
      return 1
    }
    return candidate.residualEnergy <= remainder * plain.errorEnergy ? candidate.gain : nil
  }

  /// The factor in dB, whatever its sign.
  public var gainDecibels: Double { decibels(gain * gain) }

  public var description: String {
    var parts: [String] = []
    if channelsAreSwapped { parts.append("the channels are swapped") }
    if lag != 0 {
      parts.append("the estimate is \(abs(lag)) sample\(abs(lag) == 1 ? "" : "s") \(lag > 0 ? "late" : "early")")
    }
    if gain < 0 { parts.append("the polarity is inverted") }
    if abs(gainDecibels) >= 0.0005 {
      let amount = String(format: "%.3f", abs(gainDecibels))
      parts.append("the estimate is \(amount) dB \(gainDecibels > 0 ? "louder" : "quieter")")
    }
    return parts.joined(separator: ", ")
  }
}
