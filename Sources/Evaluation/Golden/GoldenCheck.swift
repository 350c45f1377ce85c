import AudioFiles
import Foundation

/// How a stem compares with its golden record: `demucs-cli golden check`.
public struct GoldenCheck: Sendable, Equatable {
  /// What a stem has to keep, block by block.
  public struct Tolerance: Sendable, Equatable {
    /// Least SNR of a block in dB.
    public var minimumSNR: Double
    /// RMS in dBFS that the error of a block may have whatever its SNR is: of a block that is nearly silent no SNR can
    /// be asked.
    public var floor: Double

    public init(minimumSNR: Double = 80, floor: Double = -100) {
      (self.minimumSNR, self.floor) = (minimumSNR, floor)
    }
  }

  /// A passage that is out of tolerance.
  public struct Drift: Sendable, Equatable {
    /// Seconds.
    public var start: Double
    public var end: Double
    /// Of its worst block, in dB; nil where the record is silent.
    public var worstSNR: Double?
    /// RMS of the error of its loudest block, in dBFS.
    public var errorLevel: Double
  }

  public let stem: String
  /// Every block has the recorded hash: the same bits.
  public let isIdentical: Bool
  /// Over all samples that are known, in dB; nil where the record is silent, infinite where no sample differs.
  public let snr: Double?
  public let errorLevel: Double
  public let drifts: [Drift]
  /// Why its samples were not compared.
  public let failure: String?
  /// False where something could not be read: then nothing is known of the stem.
  public let wasCompared: Bool

  public var passed: Bool { failure == nil && drifts.isEmpty }

  /// A stem that is another than the recorded one already by its form.
  public init(stem: String, failure: String) {
    self.init(stem: stem, isIdentical: false, sums: SignalSums(), drifts: [], failure: failure)
  }

  /// A stem of which the record, or the song, could not be read.
  public init(stem: String, unread failure: String) {
    self.init(
      stem: stem, isIdentical: false, sums: SignalSums(), drifts: [], failure: failure, wasCompared: false)
  }

  private init(
    stem: String, isIdentical: Bool, sums: SignalSums, drifts: [Drift], failure: String? = nil, wasCompared: Bool = true
  ) {
    (self.stem, self.isIdentical, self.drifts, self.failure) = (stem, isIdentical, drifts, failure)
    (snr, errorLevel, self.wasCompared) = (sums.snr, sums.errorLevel, wasCompared)
  }

  /// Compares a stem with its record.
  /// - Parameters:
  ///   - signal: the stem, as 32-bit floats.
  ///   - folder: that of the record.
  /// - Throws: `EvaluationError`, `AudioFileError`, `CheckpointError`.
  public init(
    _ stem: GoldenStem, storage: GoldenRecord.Storage, folder: String, against signal: Signal, tolerance: Tolerance
  ) throws {
    guard signal.sampleRate == stem.sampleRate, signal.channelCount == stem.channels else {
      self.init(
        stem: stem.name,
        failure: "\(signal.channelCount) channels at \(signal.sampleRate ?? 0) Hz, where \(stem.channels) at "
          + "\(stem.sampleRate) Hz are recorded")
      return
    }
    var reference = try GoldenReference(stem, storage: storage, folder: folder)
    let reader = try signal.reader()
    var (sums, drifts): (SignalSums, [Drift]) = (SignalSums(), [])
    var (isIdentical, frames, index) = (true, 0, 0)
    while case let audio = try reader.read(stem.blockFrames), !audio.isEmpty {
      let isSame = index < stem.blocks.count && GoldenStem.hash(audio) == stem.blocks[index]
      let known = try reference.next(beside: audio)
      var block = SignalSums()
      block.add(reference: known.reference, estimate: isSame ? known.reference : known.estimate)
      sums.add(block)
      if !isSame {
        isIdentical = false
        // NaN is never below.
        let isClose = block.errorLevel <= tolerance.floor || block.snr ?? -.infinity >= tolerance.minimumSNR
        if !isClose { Self.add(block, at: index, of: stem, to: &drifts) }
      }
      frames += audio.frameCount
      index += 1
    }
    guard frames == stem.frames else {
      self.init(stem: stem.name, failure: "\(frames) frames, where \(stem.frames) are recorded")
      return
    }
    self.init(stem: stem.name, isIdentical: isIdentical, sums: sums, drifts: drifts)
  }

  private static func add(_ block: SignalSums, at index: Int, of stem: GoldenStem, to drifts: inout [Drift]) {
    func seconds(_ index: Int) -> Double {
      Double(min(index * stem.blockFrames, stem.frames)) / Double(stem.sampleRate)
    }
    let new = Drift(
      start: seconds(index), end: seconds(index + 1), worstSNR: block.snr, errorLevel: block.errorLevel)
    guard let last = drifts.last, last.end == new.start else { return drifts.append(new) }
    drifts[drifts.count - 1].end = new.end
    drifts[drifts.count - 1].worstSNR = [last.worstSNR, new.worstSNR].compactMap(\.self).min()
    drifts[drifts.count - 1].errorLevel = max(last.errorLevel, new.errorLevel)
  }
}
