import Foundation
import Layers
import Tensors

/// What `demucs-cli bench` has measured, as text or as JSON.
struct BenchReport {
  let model: String
  let threads: Int
  /// Seconds of each run.
  let times: [Double]
  let loadSeconds: Double
  /// Length of the segment in seconds.
  let audioSeconds: Double
  let entries: [Profile.Entry]
  /// What a large product reaches on all threads.
  let peak: PeakRate
  /// Bytes of the process at their highest.
  let peakMemory: Int
  /// Bytes of them that hold activations.
  let workspaceBytes: Int

  private var sorted: [Double] { times.sorted() }
  var median: Double {
    let middle = times.count / 2
    return times.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
  private var peakRate: Double { peak.operationsPerSecond }
  private var operations: Double { entries.reduce(0) { $0 + $1.operations } }
  /// Share of the peak that the whole network reaches, STFT and all.
  private var share: Double { operations / median / peakRate }

  /// Share of the peak inside the products of one kind of step.
  private func productShare(_ entry: Profile.Entry) -> Double? {
    entry.productSeconds > 0 ? entry.operations / entry.productSeconds * Double(threads) / peakRate : nil
  }

  var text: String {
    var lines = [
      "model              \(model)",
      "threads            \(threads) (\(Processor.instructionSet))",
      "load               \(format(loadSeconds, 3)) s",
      "segment            \(format(audioSeconds, 2)) s of audio",
      "time per segment   \(format(median, 3)) s (median of \(times.count); \(format(sorted[0], 3)) to"
        + " \(format(sorted[times.count - 1], 3)))",
      "real-time factor   \(format(audioSeconds / median, 2))x",
      "rate               \(format(operations / median * 1e-9, 1)) GFLOP/s of \(format(operations * 1e-9, 1)) GFLOP,"
        + " \(format(100 * share, 0)) % of the \(format(peakRate * 1e-9, 1)) GFLOP/s of a large product"
        + " (\(peak.library))",
      "peak memory        \(peakMemory >> 20) MiB (activations \(workspaceBytes >> 20) MiB)",
      "",
      row("step", "count", "GFLOP", "ms", "% time", "% of peak", "in products"),
    ]
    let total = entries.reduce(0) { $0 + $1.seconds }
    for entry in entries.sorted(by: { $0.seconds > $1.seconds }) {
      let rate = entry.operations / entry.seconds / peakRate
      lines.append(
        row(
          entry.kind, "\(entry.count)", format(entry.operations * 1e-9, 2), format(entry.seconds * 1000, 1),
          format(100 * entry.seconds / total, 1), entry.operations > 0 ? format(100 * rate, 0) : "",
          productShare(entry).map { format(100 * $0, 0) } ?? ""))
    }
    return lines.joined(separator: "\n")
  }

  private func format(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  private func row(_ name: String, _ cells: String...) -> String {
    let widths = [7, 9, 9, 8, 11, 13]
    return name.padding(toLength: 36, withPad: " ", startingAt: 0)
      + zip(cells, widths).map { String(repeating: " ", count: max(1, $1 - $0.count)) + $0 }.joined()
  }

  private struct Document: Encodable {
    struct Step: Encodable {
      let kind: String
      let count: Int
      let gflop: Double
      let milliseconds: Double
      let shareOfPeak: Double
      let productShareOfPeak: Double?
    }
    let model: String
    let threads: Int
    let instructionSet: String
    let peakLibrary: String
    let loadSeconds: Double
    let segmentSeconds: Double
    let seconds: [Double]
    let medianSeconds: Double
    let realTimeFactor: Double
    let gflop: Double
    let gflopPerSecond: Double
    let peakGflopPerSecond: Double
    let shareOfPeak: Double
    let peakMemoryBytes: Int
    let activationBytes: Int
    let steps: [Step]
  }

  func json() throws -> String {
    let document = Document(
      model: model, threads: threads, instructionSet: Processor.instructionSet,
      peakLibrary: peak.library, loadSeconds: loadSeconds, segmentSeconds: audioSeconds,
      seconds: times, medianSeconds: median, realTimeFactor: audioSeconds / median, gflop: operations * 1e-9,
      gflopPerSecond: operations / median * 1e-9, peakGflopPerSecond: peakRate * 1e-9, shareOfPeak: share,
      peakMemoryBytes: peakMemory, activationBytes: workspaceBytes,
      steps: entries.map {
        .init(
          kind: $0.kind, count: $0.count, gflop: $0.operations * 1e-9, milliseconds: $0.seconds * 1000,
          shareOfPeak: $0.operations / $0.seconds / peakRate, productShareOfPeak: productShare($0))
      })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }
}
