import AudioFiles
import Checkpoints
import Foundation

/// The recorded samples of a stem, block by block.
struct GoldenReference {
  private let stem: GoldenStem
  private let storage: GoldenRecord.Storage
  private let reader: SignalReader
  private var block = 0

  /// - Throws: `EvaluationError.badGolden`, and what is wrong with the file.
  init(_ stem: GoldenStem, storage: GoldenRecord.Storage, folder: String) throws {
    let path = PathParts.join(folder, stem.file)
    let signal = try Signal(path: path)
    let fits =
      switch storage {
      case .flac: signal.shape == nil && signal.channelCount == stem.channels
      case .samples: signal.shape == [stem.blocks.count, stem.channels, GoldenStem.samplesPerBlock]
      }
    guard fits else {
      throw EvaluationError.badGolden(path: path, reason: "it does not hold what golden.json says")
    }
    (self.stem, self.storage) = (stem, storage)
    reader = try storage == .flac ? signal.reader() : Self.rows(of: path).reader()
  }

  /// The samples of one block after another, whatever the shape.
  private static func rows(of path: String) throws -> Signal {
    Signal(path: path, audio: AudioBuffer(channels: [try NPYFile.read(path).values]), sampleRate: nil)
  }

  /// What is known of the next block, beside what `audio`, the whole block of another separation, has there.
  /// - Throws: `AudioFileError`.
  mutating func next(beside audio: AudioBuffer) throws -> (reference: AudioBuffer, estimate: AudioBuffer) {
    defer { block += 1 }
    switch storage {
    case .flac:
      // Undoes the power of two, and that a writer scales by 2^23 - 1 and a reader by 2^23.
      let factor = 0x1p23 / (0x1p23 - 1) * Double(sign: .plus, exponent: -stem.exponent, significand: 1)
      let read = try reader.read(stem.blockFrames)
      return (AudioBuffer(channels: read.channels.map { $0.map { Float(Double($0) * factor) } }), audio)
    case .samples:
      let count = GoldenStem.samplesPerBlock
      let values = try reader.read(count * stem.channels).channels[0]
      let positions = GoldenStem.positions(block: block, frames: audio.frameCount)
      return (
        AudioBuffer(
          channels: (0..<stem.channels).map { Array(values.dropFirst($0 * count).prefix(count)) }),
        AudioBuffer(channels: audio.channels.map { channel in positions.map { channel[$0] } })
      )
    }
  }
}
