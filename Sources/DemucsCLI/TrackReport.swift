import AudioFiles
import Foundation
import Separation
import Tensors

/// What became of one song, as `--json` prints it: docs/json.md.
struct TrackReport: Encodable {
  enum Status: String, Encodable { case done, skipped, failed, stopped, planned }

  /// One file.
  struct Output: Encodable {
    let stem: String
    let path: String
    /// Base64, where the path is not UTF-8.
    let pathBytes: String?
    /// Largest magnitude before anything was done, at full scale 1.
    var peak: Double?
    /// What every sample was multiplied by.
    var gain: Double?
  }

  struct Levels: Encodable {
    struct Residual: Encodable {
      let handling: String
      /// Relative to the mix; absent if there is none.
      let decibels: Double?
    }

    let clipMode: String
    /// What was done, in words; absent if nothing was.
    let summary: String?
    let residual: Residual?
  }

  struct Model: Encodable {
    let name: String
    /// SHA-256 of each network's file.
    let networks: [String]
  }

  struct Failure: Encodable {
    let code: String
    let message: String

    init(_ failure: SongFailure) { (code, message) = (failure.code, failure.line) }
  }

  /// Of the schema.
  let version = 1
  let track: Int
  let total: Int
  let input: String
  let inputBytes: String?
  let status: Status
  let model: Model
  var outputs: [Output] = []
  var seconds: Double?
  var sampleRate: Int?
  let elapsed: Double
  var realTimeFactor: Double?
  let peakResidentBytes: Int
  var levels: Levels?
  var warnings: [String] = []
  var error: Failure?

  /// - Parameters:
  ///   - track: number of the song, from 1.
  ///   - elapsed: seconds that it took.
  init(song: Song, track: Int, of total: Int, status: Status, model: Model, elapsed: Double) {
    (self.track, self.total, self.status, self.model) = (track, total, status, model)
    (input, inputBytes) = Self.text(song.argument)
    self.elapsed = Self.rounded(elapsed)
    peakResidentBytes = PeakMemory.bytes
  }

  mutating func add(_ file: SeparatedFile) {
    outputs = zip(file.outputs, file.levels.stems).map { path, stem in
      Output(
        stem: stem.name, path: Self.text(path).text, pathBytes: Self.text(path).bytes, peak: Double(stem.peak),
        gain: Double(stem.gain))
    }
    (seconds, sampleRate) = (file.seconds, file.sampleRate)
    realTimeFactor = Self.rounded(file.seconds / max(elapsed, 0.001))
    levels = Levels(
      clipMode: file.levels.clipMode.rawValue, summary: file.levels.summary,
      residual: file.levels.residual.map {
        Levels.Residual(handling: $0.handling.rawValue, decibels: $0.decibels.isFinite ? $0.decibels : nil)
      })
  }

  mutating func add(_ song: FinishedSong) {
    plan(names: song.names, outputs: song.outputs, seconds: song.seconds)
    sampleRate = song.sampleRate
  }

  mutating func plan(names: [String], outputs: [FilePath], seconds: Double?) {
    self.outputs = zip(names, outputs).map { name, path in
      Output(stem: name, path: Self.text(path).text, pathBytes: Self.text(path).bytes)
    }
    self.seconds = seconds
  }

  /// One line.
  var line: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Numbers are finite and text is Unicode, so there is nothing that could not be encoded.
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// A path as text, with what is not UTF-8 as `\xFF`, and its bytes in base64 only then.
  static func text(_ path: FilePath) -> (text: String, bytes: String?) {
    guard let text = path.string else { return (path.description, Data(path.bytes).base64EncodedString()) }
    return (text, nil)
  }

  /// Three digits behind the point.
  static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
