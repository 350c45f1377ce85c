import AudioFiles
import Fuzzing

/// Reads damaged copies of sound audio files as a separation does: each must end in samples or in an `AudioFileError`.
public enum AudioFuzzer {
  /// Frames of a case that are read at most: a header may promise days of audio, and a file of zeros hold them.
  public static let frameLimit = 1 << 18

  /// - Parameters:
  ///   - seeds: sound files.
  ///   - path: where each case lies while it is read.
  public static func make(seeds: [[UInt8]], path: String) -> Fuzzer {
    Fuzzer(
      path: path,
      makeCase: { seed in
        var mutator = AudioMutator(seed: seed)
        let (one, other) = (seeds[mutator.below(seeds.count)], seeds[mutator.below(seeds.count)])
        return mutator.damaged(one, other: other)
      }, read: readEverything, judge: { fault(of: $0, path) })
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

  /// What is wrong with an error: its message is one line, names the file and ends.
  private static func fault(of error: any Error, _ path: String) -> String? {
    guard let error = error as? AudioFileError else { return "\(error)" }
    let line = error.description
    return line.hasPrefix("\(path): ") && line.hasSuffix(".") && !line.contains("\n") ? nil : "the message \(line)"
  }
}
