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
  /// Files that are called like a mixture, and so are no stems.
  let otherMixtures: [String]
  /// Why a song, one of many, cannot be read: it then has no stems. Nil of one that can.
  public let fault: EvaluationError?

  private static let mixtureName = "mixture"

  private init?(path: String) throws {
    var stems = try StemFiles(in: path, recursive: false).withPlainNames().paths
    mixture = stems.removeValue(forKey: Self.mixtureName)
    let others = stems.filter { Self.isMixture($0.key) }
    for stem in others.keys { stems[stem] = nil }
    guard !stems.isEmpty else { return nil }
    self.stems = stems
    self.path = path
    otherMixtures = others.values.map(PathParts.file).sorted()
    fault = nil
    name = Self.name(of: path)
  }

  private init(path: String, fault: EvaluationError) {
    (self.path, self.fault, name) = (path, fault, Self.name(of: path))
    (stems, mixture, otherMixtures) = ([:], nil, [])
  }

  private static func name(of path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
  }

  /// `linear_mixture` of musdb and the like.
  private static func isMixture(_ stem: String) -> Bool {
    let stem = stem.lowercased()
    return stem.contains(mixtureName) || stem == "mix"
  }

  /// The songs of a folder: itself if it holds stems, else those of its folders that do, by name. One of those that cannot
  /// be read has a `fault`, so that it does not stop the others.
  /// - Throws: `EvaluationError`.
  public static func songs(in folder: String) throws -> [SongFolder] {
    guard let isFolder = StemFiles.isFolder(folder) else { throw EvaluationError.notFound(folder) }
    guard isFolder else { throw EvaluationError.isFile(folder) }
    if let song = try SongFolder(path: folder) { return [song] }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw EvaluationError.unreadableFolder(folder)
    }
    let songs = try names.sorted().filter { !$0.hasPrefix(".") }.compactMap { name -> SongFolder? in
      let path = PathParts.join(folder, name)
      guard StemFiles.isFolder(path) == true else { return nil }
      do { return try SongFolder(path: path) } catch let error as EvaluationError {
        return SongFolder(path: path, fault: error)
      }
    }
    guard !songs.isEmpty else { throw EvaluationError.noStems(folder) }
    return songs
  }

  /// The estimates of its stems below a folder, paths by name: those in the folder of the song's name or, where it is the
  /// only song, in the folder itself.
  /// - Throws: `EvaluationError`.
  public func estimates(in folder: String, isOnlySong: Bool) throws -> [String: String] {
    try Self.checkEstimates(folder)
    for place in [PathParts.join(folder, name)] + (isOnlySong ? [folder] : []) {
      if let paths = try estimates(at: place) { return paths }
    }
    // `separate` puts a folder with the name of the model between.
    let folders = try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    let instead = try? folders?.map { PathParts.join(folder, $0) }
      .first { try estimates(at: PathParts.join($0, name)) != nil }
    throw EvaluationError.noEstimates(song: name, folder: folder, instead: instead)
  }

  /// Makes sure that there is a folder of estimates at all.
  /// - Throws: `EvaluationError`.
  public static func checkEstimates(_ folder: String) throws {
    guard let isFolder = StemFiles.isFolder(folder) else { throw EvaluationError.notFound(folder) }
    guard isFolder else { throw EvaluationError.isFile(folder) }
  }

  private func estimates(at place: String) throws -> [String: String]? {
    guard StemFiles.isFolder(place) == true else { return nil }
    let paths = try StemFiles(in: place, recursive: false).withPlainNames().paths
    return stems.keys.contains { paths[$0] != nil } ? paths : nil
  }

  /// Writes the sum of the stems as 32-bit floats, at the rate and with the channels of the first.
  /// - Parameter check: called for every block; what it throws ends the work.
  /// - Throws: `AudioFileError`.
  public func writeMixture(to path: String, check: () throws -> Void = {}) throws {
    let names = stems.keys.sorted(by: StemFiles.precedes)
    let first = try Signal(path: stems[names[0]] ?? "")
    let (rate, channels) = (first.sampleRate ?? 44100, first.channelCount)
    let group = try SignalGroup(
      names.map { try Signal(path: stems[$0] ?? "", sampleRate: rate, channelCount: channels) })
    let writer = try AudioFileWriter(path: path, sampleRate: rate, channelCount: channels, sampleFormat: .float32)
    while let blocks = try group.next() {
      try check()
      try writer.write(AudioBuffer.sum(blocks))
    }
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
