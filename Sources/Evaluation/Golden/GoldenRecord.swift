import Foundation
import Layers

/// What `demucs-cli golden record` writes beside the stems: `golden.json`, described in docs/evaluation.md.
public struct GoldenRecord: Codable, Sendable, Equatable {
  public static let currentFormat = 1
  public static let fileName = "golden.json"

  /// How the samples of the stems are kept; hashes of all of them are kept in any case.
  public enum Storage: String, Codable, Sendable, CaseIterable {
    /// All of them, as 24-bit FLAC.
    case flac
    /// A few of each second, as float32 in npy files.
    case samples
  }

  /// A file and its SHA-256, in hexadecimal.
  public struct File: Codable, Sendable, Equatable {
    /// Relative to the folder of the record, if it is a path.
    public var path: String
    public var sha256: String

    public init(path: String, sha256: String) { (self.path, self.sha256) = (path, sha256) }
  }

  public struct Model: Codable, Sendable, Equatable {
    /// What it is asked for by; relative to the folder of the record, if `isPath`.
    public var name: String
    public var isPath: Bool
    /// Names and checksums of its files.
    public var files: [File]

    public init(name: String, isPath: Bool, files: [File]) {
      (self.name, self.isPath, self.files) = (name, isPath, files)
    }
  }

  /// How songs were cut and joined, and how the network computed.
  public struct Options: Codable, Sendable, Equatable {
    public var shifts: Int
    public var overlap: Double
    public var segment: Double?
    public var transitionPower: Double
    public var seed: UInt64
    /// Missing in a record of fp32.
    private var precision: PrecisionPolicy?

    /// What was rounded.
    public var policy: PrecisionPolicy { precision ?? PrecisionPolicy(.fp32) }

    public init(
      shifts: Int, overlap: Double, segment: Double?, transitionPower: Double, seed: UInt64,
      policy: PrecisionPolicy = PrecisionPolicy(.fp32)
    ) {
      (self.shifts, self.overlap, self.segment) = (shifts, overlap, segment)
      (self.transitionPower, self.seed) = (transitionPower, seed)
      precision = policy == PrecisionPolicy(.fp32) ? nil : policy
    }
  }

  public struct Song: Codable, Sendable, Equatable {
    /// The file's name without its extension.
    public var name: String
    public var file: File
    public var stems: [GoldenStem]

    public init(name: String, file: File, stems: [GoldenStem]) {
      (self.name, self.file, self.stems) = (name, file, stems)
    }
  }

  public var format = currentFormat
  /// The program's version, the processor and the instruction set of the kernels: told where something drifted.
  public var version: String
  public var processor: String
  public var instructionSet: String
  public var model: Model
  public var options: Options
  public var storage: Storage
  public var songs: [Song]

  public init(
    version: String, processor: String, instructionSet: String, model: Model, options: Options, storage: Storage,
    songs: [Song]
  ) {
    (self.version, self.processor, self.instructionSet) = (version, processor, instructionSet)
    (self.model, self.options, self.storage, self.songs) = (model, options, storage, songs)
  }

  /// Reads the record of a folder.
  /// - Throws: `EvaluationError.notFound`, `.recordIsFile`, `.badGolden`.
  public init(in folder: String) throws {
    let path = Self.path(in: folder)
    guard let isFolder = StemFiles.isFolder(folder) else { throw EvaluationError.notFound(folder) }
    guard isFolder else { throw EvaluationError.recordIsFile(folder) }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw EvaluationError.badGolden(path: path, reason: "there is no such file, or it cannot be read")
    }
    guard let head = try? JSONDecoder().decode(Head.self, from: data) else {
      throw EvaluationError.badGolden(path: path, reason: "it is not JSON of this program")
    }
    guard head.format == Self.currentFormat else {
      throw EvaluationError.badGolden(
        path: path, reason: "its format is \(head.format), and this program knows \(Self.currentFormat)")
    }
    do {
      self = try JSONDecoder().decode(GoldenRecord.self, from: data)
    } catch {
      throw EvaluationError.badGolden(path: path, reason: "entries are missing or of the wrong kind")
    }
    guard songs.allSatisfy({ $0.stems.allSatisfy(\.isSound) }) else {
      throw EvaluationError.badGolden(path: path, reason: "its numbers do not fit each other")
    }
  }

  private struct Head: Decodable { let format: Int }

  /// Writes `golden.json`, whole or not at all.
  /// - Throws: `EvaluationError.unwritable`.
  public func write(to folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let path = Self.path(in: folder)
    do {
      try (encoder.encode(self) + Data("\n".utf8)).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw EvaluationError.unwritable(path: path, error: error)
    }
  }

  /// The record that one in `folder` would take the place of; nil if there is none.
  /// - Throws: `EvaluationError.recordIsFile`, and `.notOurs` for a `golden.json` that is no record.
  public static func replaced(in folder: String) throws -> GoldenRecord? {
    if StemFiles.isFolder(folder) == false { throw EvaluationError.recordIsFile(folder) }
    guard FileManager.default.fileExists(atPath: path(in: folder)) else { return nil }
    do {
      return try GoldenRecord(in: folder)
    } catch EvaluationError.badGolden(let path, let reason) {
      throw EvaluationError.notOurs(path: path, reason: reason)
    }
  }

  /// The files of all stems, relative to the folder of the record.
  public var stemFiles: [String] { songs.flatMap { $0.stems.map(\.file) } }

  private static func path(in folder: String) -> String { PathParts.join(folder, fileName) }
}
