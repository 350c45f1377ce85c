import AudioFiles
import CCrypto
import Checkpoints
import Foundation
import Tensors

/// One stem of a golden record: hashes of all of its blocks, and a file with its samples or some of them.
public struct GoldenStem: Codable, Sendable, Equatable {
  public var name: String
  /// Relative to the folder of the record.
  public var file: String
  /// Hz
  public var sampleRate: Int
  public var channels: Int
  public var frames: Int
  /// Frames of a block; the last may be shorter.
  public var blockFrames: Int
  /// What is in a FLAC file was multiplied by 2 to this power, so that its peak is near full scale.
  public var exponent: Int
  /// Of each block the first 16 hexadecimal digits of the SHA-256 of its samples: float32, little-endian, one channel
  /// after another.
  public var blocks: [String]

  /// Samples that are kept of each block and channel, where not all are.
  static let samplesPerBlock = 128

  /// Whether numbers out of a file make sense together.
  var isSound: Bool {
    sampleRate > 0 && (1...1024).contains(channels) && frames > 0 && blockFrames > 0
      && (-200...200).contains(exponent) && frames <= Int.max - blockFrames
      && blocks.count == (frames + blockFrames - 1) / blockFrames
      // Recording again takes these files away: none may lie elsewhere.
      && !file.hasPrefix("/") && !file.split(separator: "/").contains("..")
  }

  /// Records a stem.
  /// - Parameters:
  ///   - signal: the stem, as 32-bit floats.
  ///   - path: where its samples go.
  ///   - file: the same relative to the folder of the record.
  /// - Throws: `AudioFileError`, `CheckpointError`.
  public init(
    recording signal: Signal, name: String, storage: GoldenRecord.Storage, to path: String, file: String
  ) throws {
    let rate = signal.sampleRate ?? 44100
    (self.name, self.file, sampleRate, channels) = (name, file, rate, signal.channelCount)
    (frames, blockFrames, exponent, blocks) = (0, rate, 0, [])
    var peak: Float = 0
    var samples: [Float] = []
    let reader = try signal.reader()
    while case let block = try reader.read(blockFrames), !block.isEmpty {
      let positions = Self.positions(block: blocks.count, frames: block.frameCount)
      for channel in block.channels {
        peak = channel.reduce(peak) { max($0, $1.magnitude) }
        if storage == .samples { samples += positions.map { channel[$0] } }
      }
      blocks.append(Self.hash(block))
      frames += block.frameCount
    }
    switch storage {
    case .samples:
      try NPYFile.write(
        Tensor(shape: [blocks.count, channels, Self.samplesPerBlock], values: samples), to: path)
    case .flac:
      // The peak comes to lie between a half and full scale.
      exponent = peak > 0 && peak.isFinite ? min(120, -Int(peak.exponent) - 1) : 0
      try writeFLAC(signal, to: path)
    }
  }

  private func writeFLAC(_ signal: Signal, to path: String) throws {
    let factor = Float(sign: .plus, exponent: exponent, significand: 1)
    let writer = try AudioFileWriter(
      path: path, sampleRate: sampleRate, channelCount: channels, container: .flac, sampleFormat: .int24)
    let reader = try signal.reader()
    while case let block = try reader.read(blockFrames), !block.isEmpty {
      try writer.write(block.scaled(by: factor))
    }
    try writer.finish()
  }

  /// Which samples of a block are kept: SplitMix64 of their number.
  static func positions(block: Int, frames: Int) -> [Int] {
    (0..<samplesPerBlock).map { index in
      var word = UInt64(truncatingIfNeeded: block &* samplesPerBlock &+ index &+ 1) &* 0x9E37_79B9_7F4A_7C15
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return Int((word ^ (word >> 31)) % UInt64(max(1, frames)))
    }
  }

  /// The hash of a block, as `blocks` has it.
  static func hash(_ block: AudioBuffer) -> String {
    let bytes = block.channels.flatMap { $0.map(\.bitPattern.littleEndian) }
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    _ = bytes.withUnsafeBytes {
      EVP_Digest($0.baseAddress, $0.count, &digest, nil, EVP_sha256(), nil)
    }
    return digest.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
