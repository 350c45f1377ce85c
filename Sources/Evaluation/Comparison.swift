import AudioFiles
import Checkpoints
import Foundation

/// A reference and an estimate, compared stem by stem: `demucs-cli compare`.
public struct Comparison: Sendable, Equatable {
  public let tolerance: Tolerance
  public private(set) var stems: [StemComparison]
  /// Stems of the estimate that the reference lacks.
  public let extra: [String]

  /// Compares two files, or two folders of stems of the same names.
  /// - Throws: `EvaluationError`, `AudioFileError`, `CheckpointError`. A stem whose estimate cannot be read is a failed
  ///   one.
  public init(reference: String, estimate: String, tolerance: Tolerance = Tolerance()) throws {
    self.tolerance = tolerance
    switch (StemFiles.isFolder(reference), StemFiles.isFolder(estimate)) {
    case (nil, _): throw EvaluationError.notFound(reference)
    case (_, nil): throw EvaluationError.notFound(estimate)
    case (true, false): throw EvaluationError.fileAgainstFolder(file: estimate, folder: reference)
    case (false, true): throw EvaluationError.fileAgainstFolder(file: reference, folder: estimate)
    case (false, false):
      let name = PathParts.withoutExtension(PathParts.file(estimate))
      extra = []
      stems = [
        try StemComparison(
          name: name, reference: Signal(path: reference), estimate: Signal(path: estimate), tolerance: tolerance)
      ]
    default:
      let references = try StemFiles(in: reference, recursive: true, tensors: true)
      let estimates = try StemFiles(in: estimate, recursive: true, tensors: true)
      guard !references.paths.isEmpty else { throw EvaluationError.noStems(reference) }
      extra = estimates.names.filter { references.paths[$0] == nil }
      stems = try references.names.map { name in
        let path = references.paths[name] ?? ""
        guard let other = estimates.paths[name] else { return StemComparison(missing: name, referencePath: path) }
        return try Self.compare(name, path, other, tolerance)
      }
      try nameLookalikes()
    }
  }

  public var failedStems: [String] { stems.filter { $0.verdict == .failed }.map(\.name) }

  private static func compare(
    _ name: String, _ reference: String, _ estimate: String, _ tolerance: Tolerance
  ) throws -> StemComparison {
    let signal = try Signal(path: reference)
    do {
      return try StemComparison(
        name: name, reference: signal, estimate: Signal(path: estimate), tolerance: tolerance)
    } catch let error as AudioFileError {
      return unreadable(name, reference, "\(error)")
    } catch let error as CheckpointError {
      return unreadable(name, reference, "\(error)")
    }
  }

  private static func unreadable(_ name: String, _ reference: String, _ reason: String) -> StemComparison {
    var stem = StemComparison(missing: name, referencePath: reference)
    stem.failures = [reason]
    return stem
  }

  /// Which failed stems are in truth another one's.
  private mutating func nameLookalikes() throws {
    let candidates = stems.indices.filter { stems[$0].verdict == .failed && stems[$0].figures != nil }
    // References whose own estimate is missing or failed; a stem that is well is nobody else's.
    guard candidates.count > 1 else { return }
    for (index, other) in try StemMatching.lookalikes(among: candidates.map { stems[$0] }) {
      let (stem, likeness) = (candidates[index], candidates[other])
      stems[stem].resembles = stems[likeness].name
      stems[stem].notes.append("the estimate is the reference's \(stems[likeness].name)")
    }
    for index in candidates {
      guard let name = stems[index].resembles, let other = stems.firstIndex(where: { $0.name == name }), other > index,
        stems[other].resembles == stems[index].name
      else { continue }
      for (one, another) in [(index, other), (other, index)] {
        stems[one].notes.removeLast()
        stems[one].notes.append("\(stems[one].name) and \(stems[another].name) are swapped")
      }
    }
  }
}
