import AudioFiles
import Foundation
import Layers
import ModelStore

/// What stems depend on beside their song: the networks, the options that change a sample, and the way results are made.
public struct Provenance: Codable, Equatable, Sendable {
  /// Is raised when a new version of the program makes other stems, or stores them otherwise. 2: tags of the song go into
  /// its stems; songs of less than a frame at the model's rate have one.
  package static let currentResult = 2

  let result: Int
  /// SHA-256 of the file of each network.
  public let networks: [String]
  /// By the names of the command line.
  let options: [String: String]

  /// - Parameters:
  ///   - location: the model; its files are read for their checksums.
  ///   - sources: its stems.
  ///   - chunks: how songs are cut and joined.
  ///   - precision: what the networks compute in.
  ///   - check: is asked now and then whether to go on; what it throws ends the reading.
  /// - Throws: `ModelStoreError` for a file that cannot be read, `SeparationError` for stems that the model has not.
  public init(
    location: ModelLocation, sources: [String], chunks: SeparationOptions, writer: StemWriter,
    precision: PrecisionPolicy = PrecisionPolicy(.fp32), check: () throws -> Void = {}
  ) throws {
    result = Self.currentResult
    var known: [String: String] = [:]
    networks = try location.members.map { path in
      if let checksum = known[path] { return checksum }
      let checksum = try Checksum.sha256(of: path, check: check)
      known[path] = checksum
      return checksum
    }
    let chunks = chunks.effective
    var options = [
      "shifts": "\(chunks.shifts)", "overlap": "\(chunks.overlap)", "split": "\(chunks.isSplit)",
      "transition-power": "\(chunks.transitionPower)",
      "stems": try writer.selection.names(sources: sources).joined(separator: ","),
      "encoding": Self.text(writer.encoding), "rate": writer.rate.rawValue, "clip-mode": writer.clipMode.rawValue,
      "precision": Self.text(precision),
    ]
    // What makes no difference is left out, so that it is no difference.
    if chunks.shifts > 0 { options["seed"] = "\(chunks.seed)" }
    if !writer.copiesTags { options["no-tags"] = "true" }
    if let segment = chunks.segment { options["segment"] = "\(segment)" }
    if let consistency = writer.selection.consistency { options["mixture-consistent"] = consistency.rawValue }
    if let weights = location.weights { options["bag-weights"] = "\(weights)" }
    if let segment = location.segment { options["bag-segment"] = "\(segment)" }
    self.options = options
  }

  /// The names of the options in which two differ, for a person; `model` and `version` among them.
  func differences(from other: Provenance) -> [String] {
    let names = Set(options.keys).union(other.options.keys).filter { options[$0] != other.options[$0] }.sorted()
    return (networks == other.networks ? [] : ["model"]) + (result == other.result ? [] : ["version"]) + names
  }

  private static func text(_ encoding: AudioEncoding) -> String {
    switch encoding {
    case .wav(let format): "wav \(format)"
    case .flac(let format): "flac \(format)"
    case .mp3(let bitrate): "mp3 \(bitrate)"
    case .vorbis: "vorbis"
    case .opus: "opus"
    }
  }

  private static func text(_ policy: PrecisionPolicy) -> String {
    let rules = policy.rules.map { rule in
      "\(rule.operation.map { "\($0)" } ?? "*")@\(rule.modules ?? "*")="
        + "\(rule.storage?.rawValue ?? "-")/\(rule.compute?.rawValue ?? "-")"
    }
    return ([policy.preset.rawValue] + rules).joined(separator: " ")
  }
}
