import AudioFiles
import Foundation

/// A song whose true stems are known: a folder with one file a stem and, perhaps, `mixture.*`.
public struct SongFolder: Sendable, Equatable {
  /// The folder's name.
  public let name: String
  public let path: String
  /// Paths by the name of the stem.
  public let stems: [String: String]
  /// Path of the mixture; nil where it is the sum of the stems.
  public let mixture: String?

  private static let mixtureName = "mixture"

  private init?(path: String) throws {
    var stems = try StemFiles(in: path, recursive: false).paths
    mixture = stems.removeValue(forKey: Self.mixtureName)
    guard !stems.isEmpty else { return nil }
    self.stems = stems
    self.path = path
    name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
  }

  /// The songs of a folder: itself if it holds stems, else those of its folders that do, by name.
  /// - Throws: `EvaluationError`.
  public static func songs(in folder: String) throws -> [SongFolder] {
    guard let isFolder = StemFiles.isFolder(folder) else { throw EvaluationError.notFound(folder) }
    guard isFolder else { throw EvaluationError.noStems(folder) }
    if let song = try SongFolder(path: folder) { return [song] }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw EvaluationError.unreadableFolder(folder)
    }
    let songs = try names.sorted().filter { !$0.hasPrefix(".") }.compactMap { name in
      let path = PathParts.join(folder, name)
      return StemFiles.isFolder(path) == true ? try SongFolder(path: path) : nil
    }
    guard !songs.isEmpty else { throw EvaluationError.noStems(folder) }
    return songs
  }

  /// The estimates of its stems below a folder, paths by name: those in the folder of the song's name or, where it is the
  /// only song, in the folder itself.
  /// - Throws: `EvaluationError`.
  public func estimates(in folder: String, isOnlySong: Bool) throws -> [String: String] {
    guard StemFiles.isFolder(folder) == true else { throw EvaluationError.notFound(folder) }
    let own = PathParts.join(folder, name)
    for place in [own] + (isOnlySong ? [folder] : []) where StemFiles.isFolder(place) == true {
      let paths = try StemFiles(in: place, recursive: false).paths
      if stems.keys.contains(where: { paths[$0] != nil }) { return paths }
    }
    throw EvaluationError.noEstimates(song: name, folder: folder)
  }

  /// Writes the sum of the stems as 32-bit floats, at the rate and with the channels of the first.
  /// - Throws: `AudioFileError`.
  public func writeMixture(to path: String) throws {
    let names = stems.keys.sorted(by: StemFiles.precedes)
    let first = try Signal(path: stems[names[0]] ?? "")
    let (rate, channels) = (first.sampleRate ?? 44100, first.channelCount)
    let group = try SignalGroup(
      names.map { try Signal(path: stems[$0] ?? "", sampleRate: rate, channelCount: channels) })
    let writer = try AudioFileWriter(path: path, sampleRate: rate, channelCount: channels, sampleFormat: .float32)
    while let blocks = try group.next() { try writer.write(AudioBuffer.sum(blocks)) }
    try writer.finish()
  }
}

extension AudioBuffer {
  /// The sum of blocks of as many channels; the shorter ones end in silence.
  static func sum(_ blocks: [AudioBuffer]) -> AudioBuffer {
    let frames = blocks.map(\.frameCount).max() ?? 0
    var sum = AudioBuffer(channelCount: blocks.first?.channelCount ?? 0, frameCount: frames)
    for block in blocks {
      for (channel, samples) in block.channels.enumerated() {
        for (frame, sample) in samples.enumerated() { sum.channels[channel][frame] += sample }
      }
    }
    return sum
  }

  /// Every sample times a factor.
  func scaled(by factor: Float) -> AudioBuffer {
    AudioBuffer(channels: channels.map { $0.map { $0 * factor } })
  }
}
