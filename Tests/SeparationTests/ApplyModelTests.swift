import AudioFiles
import Separation
import Testing

/// The whole way around the network against `demucs.apply.apply_model` and `Separator.separate_tensor`.
struct ApplyModelTests {
  struct Apply: Decodable {
    let length: Int
    let sampleRate: Int
    let segmentLength: Int
    let usesTrainingSegment: Bool
    let segment: Double?
    let overlap: Double
    let transitionPower: Double
    let shiftOffsets: [Int]
    let output: [Float]
  }

  @Test func equalsApplyModel() throws {
    for (number, golden) in try Golden.cases("apply", of: Apply.self).enumerated() {
      let model = ToyModel(
        sampleRate: golden.sampleRate, segmentLength: golden.segmentLength,
        usesTrainingSegment: golden.usesTrainingSegment)
      let separator = try Separator(
        model: model,
        options: SeparationOptions(
          shifts: golden.shiftOffsets.count, overlap: golden.overlap, segment: golden.segment,
          transitionPower: golden.transitionPower))
      let track = NormalizedTrack(
        channels: ToyModel.signal(golden.length), statistics: TrackStatistics(mean: 0, deviation: 1))
      let shifts = Shifts(offsets: golden.shiftOffsets, sampleRate: golden.sampleRate)
      let estimate = try separator.estimate(track, shifts: shifts)
      let difference = Golden.largestDifference(estimate, Golden.rows(golden.output, length: golden.length))
      // The very same sums in the very same order; only `pow` may round differently.
      #expect(difference <= (golden.transitionPower == 1 ? 0 : 4e-6), "case \(number): off by \(difference)")
    }
  }

  struct Track: Decodable {
    let length: Int
    let scale: Float
    let offset: Float
    let mean: Float
    let deviation: Float
    let output: [Float]

    var audio: [[Float]] { ToyModel.signal(length).map { $0.map { $0 * scale + offset } } }
  }

  @Test func statisticsEqualPyTorch() throws {
    for golden in try Golden.cases("tracks", of: Track.self) {
      let statistics = TrackStatistics(of: golden.audio)
      #expect(abs(statistics.mean - golden.mean) <= 1e-7)
      #expect(abs(statistics.deviation - golden.deviation) <= 1e-6 * golden.deviation + 1e-9)
    }
  }

  @Test func equalsSeparateTensor() throws {
    for golden in try Golden.cases("tracks", of: Track.self) {
      let separator = try Separator(model: ToyModel(), options: SeparationOptions(shifts: 0))
      let stems = try separator.separate(AudioBuffer(channels: golden.audio))
      #expect(stems.map(\.name) == ["ramp", "mirror"])
      let difference = Golden.largestDifference(
        stems.flatMap(\.audio.channels), Golden.rows(golden.output, length: golden.length))
      #expect(difference <= 2e-6, "length \(golden.length), scale \(golden.scale): off by \(difference)")
    }
  }
}
