import Separation
import Tensors
import Testing

/// Overlap-add: what goes in unchanged comes out unchanged, and leaves as early as it can.
struct OverlapAddTests {
  private func geometry(_ options: SeparationOptions) throws -> ChunkGeometry {
    try ChunkGeometry(model: ToyModel(), options: options)
  }

  @Test(arguments: [0, 0.25, 0.5, 0.9], [1.0, 3.0])
  func joinsACopyBackTogether(overlap: Double, power: Double) throws {
    let signal = ToyModel.signal(211)
    let track = NormalizedTrack(channels: signal, statistics: TrackStatistics(mean: 0, deviation: 1))
    let options = SeparationOptions(overlap: overlap, transitionPower: power)
    let separator = try Separator(model: CopyModel(), options: options)
    let estimate = try separator.estimate(track, shifts: Shifts(offsets: [7, 0, 10], sampleRate: 20))
    #expect(Golden.largestDifference(estimate, signal) < 1e-6)
  }

  @Test func handsOutWhatNoLaterChunkTouches() throws {
    let plan = ChunkPlan(length: 100, geometry: try geometry(SeparationOptions()))
    var overlapAdd = OverlapAdd(plan: plan, rows: 1, transitionPower: 1)
    var handedOut: [Int] = []
    for chunk in plan {
      let output = Tensor(shape: [1, 47])
      let finished = overlapAdd.add(output, from: (47 - chunk.length) / 2, to: chunk)
      handedOut.append(finished.shape[1])
      #expect(overlapAdd.finished == min(100, (chunk.index + 1) * 35))
    }
    #expect(handedOut == [35, 35, 30])
  }

  /// Two overlapping chunks of constants 1 and 3, worked out by hand: segment 4 (weights 1/2, 1, 1, 1/2), stride 3.
  @Test func weighsByATriangle() throws {
    let model = ToyModel(sampleRate: 20, segmentLength: 4)
    let geometry = try ChunkGeometry(model: model, options: SeparationOptions(overlap: 0.25))
    let plan = ChunkPlan(length: 6, geometry: geometry)
    var overlapAdd = OverlapAdd(plan: plan, rows: 1, transitionPower: 1)
    let first = overlapAdd.add(Tensor(shape: [1, 4], values: [1, 1, 1, 1]), from: 0, to: plan[0])
    let second = overlapAdd.add(Tensor(shape: [1, 4], values: [3, 3, 3, 3]), from: 0, to: plan[1])
    #expect(values(first) == [1, 1, 1])
    #expect(values(second) == [2, 3, 3])
  }

  @Test func triangleOfOddAndEvenSegments() {
    let third: Float = 1 / 3
    #expect(
      TransitionWeights.triangle(segmentLength: 5, power: 1) == [third, 2 * third, 1, 2 * third, third])
    #expect(TransitionWeights.triangle(segmentLength: 4, power: 2) == [0.25, 1, 1, 0.25])
    #expect(TransitionWeights.triangle(segmentLength: 1, power: 1) == [1])
  }
}
