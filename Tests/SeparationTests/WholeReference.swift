import Foundation
import Separation
import Tensors

/// `apply_model` of a `BagOfModels` written down plainly, with everything in memory: what streaming must equal to the bit.
enum WholeReference {
  /// - Returns: samples by source and channel, still normalised.
  static func estimate(
    _ models: [any SeparationModel], weights: [[Double]]? = nil, _ track: NormalizedTrack, shifts: Shifts,
    options: SeparationOptions
  ) throws -> [[Float]] {
    var total: [[Float]] = []
    let each = shifts.offsets.count / models.count
    for (member, model) in models.enumerated() {
      let offsets = Array(shifts.offsets[member * each..<(member + 1) * each])
      let part = Shifts(offsets: offsets, sampleRate: model.sampleRate)
      let result = try estimate(model, track, shifts: part, options: options)
      for (row, samples) in result.enumerated() {
        let weight = Float(weights?[member][row / model.audioChannels] ?? 1)
        if member == 0 {
          total.append(weights == nil ? samples : samples.map { $0 * weight })
        } else {
          for index in samples.indices { total[row][index] += samples[index] * weight }
        }
      }
    }
    guard models.count > 1 else { return total }
    return total.enumerated().map { row, samples in
      let channels = models[0].audioChannels
      let divisor = Float(weights?.reduce(0) { $0 + $1[row / channels] } ?? Double(models.count))
      return samples.map { $0 / divisor }
    }
  }

  private static func estimate(
    _ model: any SeparationModel, _ track: NormalizedTrack, shifts: Shifts, options: SeparationOptions
  ) throws -> [[Float]] {
    let geometry = try ChunkGeometry(model: model, options: options)
    let rows = model.sources.count * model.audioChannels
    let passes = shifts.passes(length: track.length)
    var estimate = [[Float]](repeating: [Float](repeating: 0, count: track.length), count: rows)
    for pass in passes {
      let result = try run(model, geometry, options, track, pass, rows)
      for row in 0..<rows {
        for index in 0..<track.length { estimate[row][index] += result[row][pass.leadingSilence + index] }
      }
    }
    if passes.count == 1 { return estimate }
    return estimate.map { $0.map { $0 / Float(passes.count) } }
  }

  /// One pass, silence before the track included.
  private static func run(
    _ model: any SeparationModel, _ geometry: ChunkGeometry, _ options: SeparationOptions, _ track: NormalizedTrack,
    _ pass: Shifts.Pass, _ rows: Int
  ) throws -> [[Float]] {
    let segment = geometry.segmentLength
    let weight = TransitionWeights.triangle(segmentLength: segment, power: options.transitionPower)
    var sums = [[Float]](repeating: [Float](repeating: 0, count: pass.length), count: rows)
    var weightSum = [Float](repeating: 0, count: pass.length)
    for offset in stride(from: 0, to: pass.length, by: geometry.stride) {
      let length = min(segment, pass.length - offset)
      let stretch = TrackStretch(track: track, offset: offset - pass.leadingSilence, length: length)
      let padded = geometry.paddedLength ?? length
      let output = values(try model.separate(stretch.padded(to: padded)))
      for row in 0..<rows {
        let start = row * padded + (padded - length) / 2
        for index in 0..<length { sums[row][offset + index] += weight[index] * output[start + index] }
      }
      for index in 0..<length { weightSum[offset + index] += weight[index] }
    }
    return sums.map { zip($0, weightSum).map { $0 / $1 } }
  }
}
