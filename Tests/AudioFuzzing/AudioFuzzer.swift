import AudioFiles
import Foundation

/// Reads damaged copies of sound audio files as a separation does: each must end in samples or in an `AudioFileError`.
///
/// Whatever kills the process, or takes longer than `secondsLimit`, leaves the file behind that did it.
public struct AudioFuzzer {
  /// What became of the cases.
  public struct Report {
    public var cases = 0
    /// Cases that gave audio, in spite of the damage.
    public var read = 0
    /// What must not be, and the case that did it.
    public var faults: [(number: Int, fault: String)] = []
    public var slowest: (number: Int, seconds: Double) = (0, 0)
    /// The case after which the process's memory had its peak, in KiB.
    public var largest: (number: Int, peak: Int) = (0, 0)

    public init() {}
  }

  /// After so many seconds a case is taken for one that never ends, and the process is killed by SIGALRM.
  public static let secondsLimit: UInt32 = 10

  /// Frames of a case that are read at most: a header may promise days of audio, and a file of zeros hold them.
  public static let frameLimit = 1 << 18

  private let seeds: [[UInt8]]
  private let path: String

  /// - Parameters:
  ///   - seeds: sound files.
  ///   - path: where each case lies while it is read.
  public init(seeds: [[UInt8]], path: String) {
    self.seeds = seeds
    self.path = path
  }

  /// Runs the cases numbered `range` of the seed. A case depends on the seeds, the seed and its number alone.
  public func run(_ range: Range<Int>, seed: UInt64) throws -> Report {
    var report = Report()
    for number in range {
      var mutator = AudioMutator(seed: seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
      let (one, other) = (seeds[mutator.below(seeds.count)], seeds[mutator.below(seeds.count)])
      try Data(mutator.damaged(one, other: other)).write(to: URL(filePath: path))
      let start = ContinuousClock.now
      alarm(AudioFuzzer.secondsLimit)
      do {
        if let fault = try AudioFuzzer.readEverything(path) { report.faults.append((number, fault)) }
        report.read += 1
      } catch let error as AudioFileError {
        if let fault = AudioFuzzer.fault(of: error, path) { report.faults.append((number, fault)) }
      } catch {
        report.faults.append((number, "\(error)"))
      }
      alarm(0)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      if seconds > report.slowest.seconds { report.slowest = (number, seconds) }
      let peak = AudioFuzzer.peakMemory
      if peak > report.largest.peak { report.largest = (number, peak) }
      report.cases += 1
    }
    return report
  }

  /// Reads a file twice from one input, as a separation does, resampled to two channels at 44.1 kHz.
  /// - Returns: what was wrong with the samples; nil if nothing.
  public static func readEverything(_ path: String) throws -> String? {
    let input = try AudioInput(path: FilePath(path))
    var counts: [Int] = []
    for _ in 0..<2 {
      let source = try AudioSource(input, sampleRate: 44100, channelCount: 2)
      _ = source.tags
      var count = 0
      while count < frameLimit, let block = try source.read(maximumFrames: 1 << 14) {
        count += block.frameCount
        guard block.channels.allSatisfy({ $0.count == block.frameCount && $0.allSatisfy(\.isFinite) }) else {
          return "samples that are not finite, or channels of unequal length"
        }
      }
      if count == 0 { return "neither samples nor an error" }
      if let warning = source.warnings.first(where: { $0.contains("\n") }) { return "a warning of lines: \(warning)" }
      counts.append(count)
    }
    return counts[0] == counts[1] ? nil : "\(counts[0]) frames, then \(counts[1])"
  }

  /// What is wrong with a message: it is one line, names the file and ends.
  private static func fault(of error: AudioFileError, _ path: String) -> String? {
    let line = error.description
    return line.hasPrefix("\(path): ") && line.hasSuffix(".") && !line.contains("\n") ? nil : "the message \(line)"
  }

  /// In KiB.
  private static var peakMemory: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }
}
