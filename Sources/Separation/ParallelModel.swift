import HTDemucs
import Tensors

/// A network with a say in how many segments it works on at the same time.
final class ParallelModel: SeparationModel {
  private let model: HTDemucsModel
  private let atOnce: Int?

  /// - Parameter atOnce: segments at the same time; nil leaves it to the network.
  init(_ model: HTDemucsModel, atOnce: Int?) {
    self.model = model
    self.atOnce = atOnce
  }

  var sources: [String] { model.sources }
  var sampleRate: Int { model.sampleRate }
  var audioChannels: Int { model.audioChannels }
  var segmentLength: Int { model.segmentLength }
  var usesTrainingSegment: Bool { model.usesTrainingSegment }
  var takesLongSegments: Bool { model.takesLongSegments }

  func check(segment samples: Int) throws { try model.check(segment: samples) }

  func whereNotFinite(_ mix: Tensor) -> String? { model.whereNotFinite(mix) }

  func separate(_ mix: Tensor) throws -> Tensor { try model.separate(mix) }

  func prepare(segments: Int, samples: Int) -> Int {
    model.prepare(segments: segments, samples: samples, atOnce: atOnce)
  }
}
