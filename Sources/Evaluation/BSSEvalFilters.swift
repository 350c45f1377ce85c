import AudioFiles
import Foundation
import Spectral
import Tensors

/// The distortion filters of BSSEval v4 of one song, and what they take an estimate apart into.
///
/// For each estimate two projections are found, in the sense of least squares over the whole song: onto its own true stem,
/// and onto all true stems, each delayed by 0 to 511 samples and in every channel (`_compute_projection_filters` of
/// `museval`). Of S stems with C channels the latter is a system of 512 S C equations.
package struct BSSEvalFilters {
  static let taps = 512

  /// Which SDR: against the true image (v4), or against the true image with its filters (`bss_eval_sources` of v2).
  let filtersTheTruth: Bool
  private let stems: Int
  private let channels: Int
  private let transform: DoubleFourierTransform
  /// Spectra, by [stem of the estimate][its channel][row of the references].
  private let all: [[[[Double]]]]
  /// The same with the rows of the stem's own reference alone.
  private let own: [[[[Double]]]]

  /// Reads the song once.
  /// - Parameters:
  ///   - references, estimates: by stem, all with as many channels.
  ///   - frames: how many frames to read; what a signal lacks is silence.
  ///   - window: samples of the frames that will be taken apart.
  /// - Throws: `EvaluationError`, `AudioFileError`.
  package init(
    references: [Signal], estimates: [Signal], frames: Int, window: Int, song: String, filtersTheTruth: Bool = false
  ) throws {
    let (stems, channels, taps) = (references.count, references.first?.channelCount ?? 0, Self.taps)
    let rows = stems * channels
    let correlations = try Correlations(rows: rows, columns: 2 * rows, taps: taps)
    let group = try SignalGroup(references + estimates)
    var left = frames
    while left > 0 {
      let count = min(left, correlations.block)
      let blocks = try group.next(frames: count) ?? []
      // A song whose signals have all ended goes on in silence, which adds nothing.
      if blocks.isEmpty { break }
      let padded = blocks.map { $0.padded(to: count) }
      let (x, y) = (padded[..<stems].flatMap(\.channels), padded.flatMap(\.channels))
      correlations.add(x, y)
      left -= count
    }
    let size = Self.size(window: window)
    guard let transform = DoubleFourierTransform(size: size) else { throw EvaluationError.noFourierTransform(size) }
    let system = FilterSystem(correlations: correlations, rows: rows, taps: taps)
    guard let wide = try system.filters(rows: 0..<rows, targets: 0..<rows) else {
      throw EvaluationError.noFilters(song)
    }
    var (all, own): ([[[[Double]]]], [[[[Double]]]]) = ([], [])
    for stem in 0..<stems {
      let range = stem * channels..<(stem + 1) * channels
      guard let narrow = try system.filters(rows: range, targets: range) else { throw EvaluationError.noFilters(song) }
      own.append(narrow.map { $0.map { transform.spectrum(of: $0) } })
      all.append(range.map { wide[$0].map { transform.spectrum(of: $0) } })
    }
    (self.stems, self.channels, self.transform) = (stems, channels, transform)
    (self.all, self.own, self.filtersTheTruth) = (all, own, filtersTheTruth)
  }

  /// The next power of two that a frame and the filters' tail fit in.
  private static func size(window: Int) -> Int {
    var size = 2
    while size < window + taps - 1 { size *= 2 }
    return size
  }

  /// The ratios of every stem in a frame: `_bss_decomp_mtifilt` and `_bss_crit`.
  func ratios(references: [AudioBuffer], estimates: [AudioBuffer]) -> [BSSEvalRatios] {
    let length = (references.first?.frameCount ?? 0) + Self.taps - 1
    let spectra = references.flatMap(\.channels).map { transform.spectrum(of: $0.map(Double.init)) }
    return (0..<stems).map { stem in
      var energies = Energies()
      for channel in 0..<channels {
        let range = stem * channels..<(stem + 1) * channels
        let filtered = transform.filtered(Array(spectra[range]), own[stem][channel], count: length)
        let projected = transform.filtered(spectra, all[stem][channel], count: length)
        energies.add(
          truth: references[stem].channels[channel], estimate: estimates[stem].channels[channel], filtered: filtered,
          projected: projected)
      }
      return energies.ratios(filtersTheTruth: filtersTheTruth)
    }
  }

  /// Energies of what an estimate is made of.
  private struct Energies {
    /// The true image, and with its filters; with the interference.
    var (truth, filtered, projected) = (0.0, 0.0, 0.0)
    /// Everything but the true image, and but the filtered one.
    var (error, filteredError) = (0.0, 0.0)
    var (spatial, interference, artifacts) = (0.0, 0.0, 0.0)

    mutating func add(truth: [Float], estimate: [Float], filtered: [Double], projected: [Double]) {
      for index in filtered.indices {
        let inside = index < truth.count
        let (s, e) = inside ? (Double(truth[index]), Double(estimate[index])) : (0, 0)
        let (f, p) = (filtered[index], projected[index])
        self.truth += s * s
        self.filtered += f * f
        self.projected += p * p
        error += (e - s) * (e - s)
        filteredError += (e - f) * (e - f)
        spatial += (f - s) * (f - s)
        interference += (p - f) * (p - f)
        artifacts += (e - p) * (e - p)
      }
    }

    func ratios(filtersTheTruth: Bool) -> BSSEvalRatios {
      func ratio(_ signal: Double, _ noise: Double) -> Double { noise == 0 ? .infinity : decibels(signal / noise) }
      return BSSEvalRatios(
        sdr: filtersTheTruth ? ratio(filtered, filteredError) : ratio(truth, error),
        isr: filtersTheTruth ? nil : ratio(truth, spatial), sir: ratio(filtered, interference),
        sar: ratio(projected, artifacts))
    }
  }
}

/// The equations that the filters solve.
private struct FilterSystem {
  /// By row of the references, then row of references and estimates: sums over t of x(t - lag) y(t).
  let sums: [[[Double]]]
  let references: Int
  let taps: Int

  init(correlations: Correlations, rows: Int, taps: Int) {
    sums = (0..<rows).map { row in (0..<2 * rows).map { correlations.sums(row, $0) } }
    (references, self.taps) = (rows, taps)
  }

  /// The filters that make, out of some rows of the references, what is closest to rows of the estimates.
  /// - Returns: by target and row, `taps` values; nil where there is no solution.
  /// - Throws: `EvaluationError.noOpenBLAS`.
  func filters(rows: Range<Int>, targets: Range<Int>) throws -> [[[Double]]]? {
    let size = rows.count * taps
    OutOfMemory.expect(size * size * MemoryLayout<Double>.stride)
    var matrix = [Double](repeating: 0, count: size * size)
    for (column, y) in rows.enumerated() {
      for (row, x) in rows.enumerated() {
        for delay in 0..<taps {
          let start = (column * taps + delay) * size + row * taps
          // The sum over t of x(t - other) y(t - delay).
          for other in 0..<taps {
            matrix[start + other] = other >= delay ? sums[x][y][other - delay] : sums[y][x][delay - other]
          }
        }
      }
    }
    // As museval: a hair on the diagonal.
    for index in 0..<size { matrix[index * size + index] += Double.ulpOfOne }
    let right = targets.map { target in rows.flatMap { sums[$0][references + target] } }
    return try LinearSystem.solve(&matrix, right)?.map { solution in
      rows.indices.map { row in
        let start = (row - rows.lowerBound) * taps
        return Array(solution[start..<start + taps])
      }
    }
  }
}

extension AudioBuffer {
  /// With silence at the end, or cut, so that it has `count` frames.
  func padded(to count: Int) -> AudioBuffer {
    AudioBuffer(
      channels: channels.map {
        $0.count < count ? $0 + [Float](repeating: 0, count: count - $0.count) : Array($0.prefix(count))
      })
  }
}

extension DoubleFourierTransform {
  /// The spectrum of some samples, silence after them.
  fileprivate func spectrum(of samples: [Double]) -> [Double] {
    for index in 0..<size { signal[index] = index < samples.count ? samples[index] : 0 }
    forward()
    return Array(spectrum.prefix(2 * binCount))
  }

  /// The sum of signals, each through its filter: the first `count` samples.
  fileprivate func filtered(_ signals: [[Double]], _ filters: [[Double]], count: Int) -> [Double] {
    for index in 0..<2 * binCount { spectrum[index] = 0 }
    for (a, b) in zip(signals, filters) {
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          for real in stride(from: 0, to: 2 * binCount, by: 2) {
            spectrum[real] += a[real] * b[real] - a[real + 1] * b[real + 1]
            spectrum[real + 1] += a[real] * b[real + 1] + a[real + 1] * b[real]
          }
        }
      }
    }
    inverse()
    return (0..<count).map { signal[$0] / Double(size) }
  }
}
