import Checkpoints
import Foundation
import HTDemucs
import Layers
import Tensors

/// A model that writes every intermediate tensor of every segment to a folder, for comparison with another port.
///
/// Segment n goes to `DIR/segment-n/`, a tensor to `NAME.npy`, where NAME is that of the PyTorch module whose output it is;
/// the second element of a tuple is `NAME#1.npy`. `order.txt` lists the names as they were computed.
final class TappedModel: SeparationModel, @unchecked Sendable {
  private let model: HTDemucsModel
  private let folder: URL
  private let lock = NSLock()
  private var segments = 0

  init(_ model: HTDemucsModel, folder: String) throws {
    self.model = model
    self.folder = URL(fileURLWithPath: folder)
    try Self.create(self.folder)
  }

  /// Makes a folder, or says in a sentence why not.
  private static func create(_ folder: URL) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw SeparationError.tapsUnwritable(folder: folder.path)
    }
  }

  var sources: [String] { model.sources }
  var sampleRate: Int { model.sampleRate }
  var audioChannels: Int { model.audioChannels }
  var segmentLength: Int { model.segmentLength }
  var usesTrainingSegment: Bool { model.usesTrainingSegment }
  var takesLongSegments: Bool { model.takesLongSegments }

  func check(segment samples: Int) throws { try model.check(segment: samples) }

  func whereNotFinite(_ mix: Tensor) -> String? { model.whereNotFinite(mix) }

  func separate(_ mix: Tensor) throws -> Tensor {
    let taps = TapRecorder()
    let result = try model.separate(mix, taps: taps)
    let segment = lock.withLock {
      defer { segments += 1 }
      return folder.appendingPathComponent("segment-\(segments)")
    }
    try Self.create(segment)
    for name in taps.names {
      guard let tensor = taps[name] else { continue }
      try NPYFile.write(tensor, to: segment.appendingPathComponent(name + ".npy").path)
    }
    guard
      (try? Data(taps.names.map { $0 + "\n" }.joined().utf8).write(to: segment.appendingPathComponent("order.txt")))
        != nil
    else { throw SeparationError.tapsUnwritable(folder: segment.path) }
    return result
  }
}
