import AudioFiles
import Foundation

/// Makes the samples of the files out of the separated sources and the mix, block by block.
struct StemMixer {
  let outputs: [StemSelection.Output]
  let consistency: StemSelection.Consistency?
  let statistics: TrackStatistics
  let sourceCount: Int
  let channels: Int

  /// Sums of squares of the mix and of what the separation left of it, over all channels.
  private var mixEnergy = 0.0
  private var residualEnergy = 0.0

  init(selection: StemSelection, sources: [String], channels: Int, statistics: TrackStatistics) throws {
    outputs = try selection.outputs(sources: sources)
    consistency = selection.consistency
    sourceCount = sources.count
    self.statistics = statistics
    self.channels = channels
  }

  /// What became of the residual so far; nil if nothing was asked for.
  var residual: LevelReport.Residual? {
    consistency.map {
      LevelReport.Residual(handling: $0, decibels: 10 * log10(residualEnergy / max(mixEnergy, .leastNormalMagnitude)))
    }
  }

  /// Samples handled at a time, so that no copy of a long block is made.
  private static let pieceFrames = 1 << 14

  /// Gives `write` each piece of each file in order: the index of the file, and `[channels, samples]` at full scale 1.
  mutating func mix(_ block: FinishedBlock, write: (Int, AudioBuffer) throws -> Void) throws {
    for first in stride(from: 0, to: block.count, by: StemMixer.pieceFrames) {
      let range = first..<min(first + StemMixer.pieceFrames, block.count)
      // [sources][channels][samples]
      var sources = (0..<sourceCount).map { source in
        (0..<channels).map { channel in
          UnsafeBufferPointer(rebasing: block.row(source * channels + channel)[range]).map(statistics.restored)
        }
      }
      let inTrack = block.position + range.lowerBound..<block.position + range.upperBound
      let mix = needsMix ? try block.track.mix(inTrack) : []
      let residual = consistency == nil ? [] : takeResidual(of: &sources, mix: mix)
      for (index, output) in outputs.enumerated() {
        try write(index, AudioBuffer(channels: samples(output.recipe, sources, mix, residual)))
      }
    }
  }

  private var needsMix: Bool {
    consistency != nil
      || outputs.contains {
        if case .mixWithout = $0.recipe { true } else { false }
      }
  }

  private func samples(
    _ recipe: StemSelection.Recipe, _ sources: [[[Float]]], _ mix: [ArraySlice<Float>], _ residual: [[Float]]
  ) -> [[Float]] {
    switch recipe {
    case .source(let source): sources[source]
    case .residual: residual
    case .mixWithout(let source):
      zip(mix, sources[source]).map { mix, stem in zip(mix, stem).map { $0 - $1 } }
    case .others(let source):
      (0..<channels).map { channel in
        var sum = [Float](repeating: 0, count: sources[source][channel].count)
        for other in sources.indices where other != source {
          for index in sum.indices { sum[index] += sources[other][channel][index] }
        }
        return sum
      }
    }
  }

  /// The mix less all sources; given out to the sources in equal parts if that is wanted.
  private mutating func takeResidual(of sources: inout [[[Float]]], mix: [ArraySlice<Float>]) -> [[Float]] {
    (0..<channels).map { channel in
      var residual = Array(mix[channel])
      for sample in residual { mixEnergy += Double(sample) * Double(sample) }
      for source in sources.indices {
        for index in residual.indices { residual[index] -= sources[source][channel][index] }
      }
      for sample in residual { residualEnergy += Double(sample) * Double(sample) }
      guard consistency == .distribute else { return residual }
      let part = 1 / Float(sourceCount)
      for source in sources.indices {
        for index in residual.indices { sources[source][channel][index] += residual[index] * part }
      }
      return residual
    }
  }
}
