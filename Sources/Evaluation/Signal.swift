import AudioFiles
import Checkpoints

/// Something that can be measured, from its start and any number of times: an audio file, or the tensor of an npy file.
///
/// Of a file no more than a block is ever in memory.
public struct Signal: Sendable {
  public let path: String
  public let channelCount: Int
  /// Hz; nil for a tensor.
  public let sampleRate: Int?
  /// The shape of a tensor; nil for audio.
  public let shape: [Int]?
  private let content: Content

  private enum Content: Sendable {
    case file
    case converted(sampleRate: Int)
    case memory(AudioBuffer)
  }

  /// More leading rows than any sources x channels of audio have.
  private static let mostChannels = 64

  /// An audio file at its own rate, with its own channels, NaN and infinity as they are; or a tensor, whose last axis is
  /// its frames. The other axes of a tensor are the channels, if these are few, or else all of it is one channel.
  /// - Throws: `AudioFileError`, `CheckpointError`.
  public init(path: String) throws {
    self.path = path
    guard path.lowercased().hasSuffix(".npy") else {
      let format = try AudioFileReader(path: path).format
      (channelCount, sampleRate, shape, content) = (format.channelCount, format.sampleRate, nil, .file)
      return
    }
    let tensor = try NPYFile.read(path)
    let frames = tensor.shape.last ?? 1
    let rows = tensor.shape.dropLast().reduce(1, *)
    let values = tensor.values
    guard !values.isEmpty else { throw AudioFileError.noAudio(FilePath(path)) }
    let channels =
      rows > Self.mostChannels ? [values] : (0..<rows).map { Array(values[$0 * frames..<($0 + 1) * frames]) }
    (channelCount, sampleRate, shape) = (channels.count, nil, tensor.shape)
    content = .memory(AudioBuffer(channels: channels))
  }

  /// Audio that is in memory; `path` is what errors call it.
  package init(path: String, audio: AudioBuffer, sampleRate: Int?) {
    (self.path, self.sampleRate, shape) = (path, sampleRate, nil)
    (channelCount, content) = (audio.channelCount, .memory(audio))
  }

  /// An audio file as a network would get it: `AudioSource`.
  /// - Parameters:
  ///   - sampleRate: Hz to which it is resampled where it has another rate.
  ///   - channelCount: mono is replicated, of more channels the first are used.
  /// - Throws: `AudioFileError`.
  public init(path: String, sampleRate: Int, channelCount: Int) throws {
    _ = try AudioSource(path: path, sampleRate: sampleRate, channelCount: channelCount)
    (self.path, self.channelCount, self.sampleRate) = (path, channelCount, sampleRate)
    (shape, content) = (nil, .converted(sampleRate: sampleRate))
  }

  /// Begins to read at the start.
  func reader() throws -> SignalReader {
    switch content {
    case .file:
      let reader = try AudioFileReader(path: path)
      return SignalReader(
        channelCount: channelCount, block: { try reader.read(maximumFrames: $0) }, warnings: { reader.warnings })
    case .converted(let sampleRate):
      let source = try AudioSource(path: path, sampleRate: sampleRate, channelCount: channelCount)
      return SignalReader(
        channelCount: channelCount, block: { try source.read(maximumFrames: $0) }, warnings: { source.warnings })
    case .memory(let audio):
      var start = 0
      return SignalReader(channelCount: channelCount) { frames in
        let end = start + min(frames, audio.frameCount - start)
        defer { start = end }
        return end > start ? AudioBuffer(channels: audio.channels.map { Array($0[start..<end]) }) : nil
      }
    }
  }
}

/// One reading of a signal, from its start to its end.
final class SignalReader {
  let channelCount: Int
  private let block: (Int) throws -> AudioBuffer?
  private let lines: () -> [String]

  /// - Parameters:
  ///   - block: gives the next frames, nil at the end.
  ///   - warnings: gives what is odd so far.
  init(
    channelCount: Int, block: @escaping (Int) throws -> AudioBuffer?, warnings: @escaping () -> [String] = { [] }
  ) {
    (self.channelCount, self.block, lines) = (channelCount, block, warnings)
  }

  /// The next `frames`, fewer only at the end, none after it.
  func read(_ frames: Int) throws -> AudioBuffer {
    try block(frames) ?? AudioBuffer(channelCount: channelCount, frameCount: 0)
  }

  /// Passes over frames.
  func skip(_ frames: Int) throws {
    var left = frames
    while left > 0 {
      let count = try read(min(left, SignalGroup.blockFrames)).frameCount
      if count == 0 { return }
      left -= count
    }
  }

  /// What is odd about the file, such as that it is cut short, one line each; complete at the end.
  var warnings: [String] { lines() }
}

/// Several signals that are read in step.
struct SignalGroup {
  /// Frames of a block: 1.5 s at 44.1 kHz.
  static let blockFrames = 1 << 16

  let readers: [SignalReader]

  /// - Parameter skipping: frames at the start of each signal to pass over; none if there are fewer numbers.
  init(_ signals: [Signal], skipping: [Int] = []) throws {
    readers = try signals.map { try $0.reader() }
    for (reader, frames) in zip(readers, skipping) { try reader.skip(frames) }
  }

  /// The next `frames` of each signal, fewer from one that ends there; nil when all have ended.
  func next(frames: Int = blockFrames) throws -> [AudioBuffer]? {
    let blocks = try readers.map { try $0.read(frames) }
    return blocks.allSatisfy(\.isEmpty) ? nil : blocks
  }
}
