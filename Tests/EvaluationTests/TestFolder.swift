import AudioFiles
import Checkpoints
import Evaluation
import Foundation
import GoldenSupport
import Tensors

/// A folder of its own for one test; removed when the test is over.
final class TestFolder: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("evaluation-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Writes a WAV file, and the folders above it.
  @discardableResult func write(
    _ name: String, _ channels: [[Float]], rate: Int = 44100, format: SampleFormat = .float32
  ) throws -> String {
    let folder = PathParts.folder(self(name))
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let writer = try AudioFileWriter(
      path: self(name), sampleRate: rate, channelCount: channels.count, sampleFormat: format)
    try writer.write(AudioBuffer(channels: channels))
    try writer.finish()
    return self(name)
  }
}

/// White noise of a name, `[channels][frames]`, at an amplitude.
func noise(_ name: String, channels: Int = 2, frames: Int, amplitude: Float = 0.2) -> [[Float]] {
  let values = CounterGenerator.tensor(name, [channels, frames], scale: amplitude).values
  return (0..<channels).map { Array(values[$0 * frames..<($0 + 1) * frames]) }
}

extension [[Float]] {
  func scaled(_ factor: Double) -> [[Float]] { map { $0.map { Float(Double($0) * factor) } } }

  func plus(_ other: [[Float]]) -> [[Float]] {
    zip(self, other).map { zip($0, $1).map { $0 + $1 } }
  }

  /// Late by some frames, as long as before.
  func delayed(_ frames: Int) -> [[Float]] {
    map { [Float](repeating: 0, count: frames) + $0.dropLast(frames) }
  }
}
