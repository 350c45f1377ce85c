import Separation
import Tensors

/// The network of scripts/make_separation_goldens.py: no weights, but a result that shows the position of every
/// sample in the segment and the padding at both ends.
final class ToyModel: SeparationModel {
  let sources = ["ramp", "mirror"]
  let sampleRate: Int
  let audioChannels = 2
  let segmentLength: Int
  let usesTrainingSegment: Bool

  init(sampleRate: Int = 20, segmentLength: Int = 47, usesTrainingSegment: Bool = true) {
    self.sampleRate = sampleRate
    self.segmentLength = segmentLength
    self.usesTrainingSegment = usesTrainingSegment
  }

  func separate(_ mix: Tensor) -> Tensor {
    let length = mix.shape[1]
    let result = Tensor(shape: [2, 2, length])
    for channel in 0..<2 {
      let own = mix.data + channel * length
      let other = mix.data + (1 - channel) * length
      for index in 0..<length {
        result.data[channel * length + index] = own[index] * Float(index + 1) / 256
        result.data[(2 + channel) * length + index] =
          other[length - 1 - index] + 2 * own[0] + 4 * own[length - 1]
      }
    }
    return result
  }

  /// The input of the goldens: `[2, length]` in steps of 1/128.
  static func signal(_ length: Int) -> [[Float]] {
    (0..<2).map { channel in
      (0..<length).map { Float((37 * $0 + 101 * channel) % 257 - 128) / 128 }
    }
  }
}

/// A network that returns what it is given as its one source, and can be told to go wrong.
final class CopyModel: SeparationModel {
  enum Fault { case none, shape, notFinite }

  let sources = ["copy"]
  let sampleRate: Int
  let audioChannels = 2
  let segmentLength: Int
  let usesTrainingSegment = true
  let fault: Fault

  init(fault: Fault = .none, sampleRate: Int = 20, segmentLength: Int = 47) {
    self.fault = fault
    self.sampleRate = sampleRate
    self.segmentLength = segmentLength
  }

  func separate(_ mix: Tensor) -> Tensor {
    let length = fault == .shape ? mix.shape[1] - 1 : mix.shape[1]
    let result = Tensor(shape: [1, 2, length])
    for index in 0..<2 * length { result.data[index] = mix.data[index] }
    if fault == .notFinite { result.data[3] = .nan }
    return result
  }
}

/// A network that takes segments of up to 400 samples, whatever it was trained on.
final class LongModel: SeparationModel {
  struct TooLong: Error {}

  private let model: ToyModel

  init(_ model: ToyModel) { self.model = model }

  var sources: [String] { model.sources }
  var sampleRate: Int { model.sampleRate }
  var audioChannels: Int { model.audioChannels }
  var segmentLength: Int { model.segmentLength }
  var usesTrainingSegment: Bool { false }
  var takesLongSegments: Bool { true }

  func check(segment samples: Int) throws {
    if samples > 400 { throw TooLong() }
  }

  func separate(_ mix: Tensor) -> Tensor { model.separate(mix) }
}
