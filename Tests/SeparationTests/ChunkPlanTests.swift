import Separation
import Testing

/// Where chunks lie, how they are padded, and which options are refused.
struct ChunkPlanTests {
  struct Plan: Decodable {
    let length: Int
    let sampleRate: Int
    let segmentLength: Int
    let segment: Double?
    let overlap: Double
    let count: Int
    let stride: Int?
    let last: [Int]
  }

  @Test func equalsThePlanOfDemucs() throws {
    for golden in try Golden.cases("plans", of: Plan.self) {
      let model = ToyModel(sampleRate: golden.sampleRate, segmentLength: golden.segmentLength)
      let options = SeparationOptions(overlap: golden.overlap, segment: golden.segment)
      let plan = ChunkPlan(
        length: golden.length, geometry: try ChunkGeometry(model: model, options: options))
      #expect(plan.count == golden.count)
      if let stride = golden.stride { #expect(plan.stride == stride, "overlap \(golden.overlap)") }
      let last = plan[plan.count - 1]
      #expect([last.offset, last.length] == golden.last)
    }
  }

  @Test(arguments: [1, 34, 35, 36, 47, 48, 200])
  func chunksCoverTheTrack(length: Int) throws {
    let plan = ChunkPlan(
      length: length, geometry: try ChunkGeometry(model: ToyModel(), options: SeparationOptions()))
    var covered = 0
    for (index, chunk) in plan.enumerated() {
      #expect(chunk.index == index)
      #expect(chunk.offset <= covered && chunk.length >= 1)
      covered = max(covered, chunk.offset + chunk.length)
      let next = index + 1 < plan.count ? plan[index + 1].offset : length
      #expect(plan.finishedLength(after: index) == next)
    }
    #expect(covered == length)
  }

  @Test func padsWithTheSongWhereThereIsSong() {
    let track = NormalizedTrack(
      channels: [[1, 2, 3, 4, 5, 6]], statistics: TrackStatistics(mean: 0, deviation: 1))
    let whole = TrackStretch(track: track, length: 6)
    let middle = whole.stretch(Chunk(index: 0, offset: 2, length: 2))
    #expect(values(middle.padded(to: 5)) == [2, 3, 4, 5, 6])
    #expect(middle.leadingPadding(to: 5) == 1)
    #expect(values(middle.padded(to: 9)) == [0, 1, 2, 3, 4, 5, 6, 0, 0])
    // A chunk of a pass that starts after the song did still sees what came before the pass.
    let pass = TrackStretch(track: track, offset: 3, length: 3)
    #expect(values(pass.stretch(Chunk(index: 0, offset: 0, length: 1)).padded(to: 5)) == [2, 3, 4, 5, 6])
    // A pass that starts in the silence before the song.
    let silence = TrackStretch(track: track, offset: -4, length: 10)
    let first = silence.stretch(Chunk(index: 0, offset: 0, length: 2))
    #expect(values(first.padded(to: 2)) == [0, 0])
    #expect(values(first.padded(to: 10)) == [0, 0, 0, 0, 0, 0, 0, 0, 1, 2])
  }

  @Test(arguments: [
    (SeparationOptions(shifts: -1), SeparationError.negativeShifts(-1)),
    (SeparationOptions(overlap: 1), .overlapOutOfRange(1)),
    (SeparationOptions(overlap: -0.1), .overlapOutOfRange(-0.1)),
    (SeparationOptions(overlap: 0.99), .strideIsZero(overlap: 0.99, segmentLength: 47)),
    (SeparationOptions(segment: 2.36), .segmentTooLong(seconds: 2.36, longest: 2.35)),
    (SeparationOptions(segment: .infinity), .segmentTooLong(seconds: .infinity, longest: 2.35)),
    (SeparationOptions(segment: 0.01), .segmentTooShort(seconds: 0.01, sampleRate: 20)),
    (SeparationOptions(segment: -3), .segmentTooShort(seconds: -3, sampleRate: 20)),
    (SeparationOptions(transitionPower: 0.5), .transitionPowerTooSmall(0.5)),
    (SeparationOptions(transitionPower: 200), .transitionPowerTooLarge(200)),
  ])
  func refusesOptionsOutOfRange(options: SeparationOptions, error: SeparationError) {
    #expect(throws: error) { try Separator(model: ToyModel(), options: options) }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func refusesWhatIsNoNumber(value: Double) {
    #expect(throws: SeparationError.self) {
      try Separator(model: ToyModel(), options: SeparationOptions(overlap: value))
    }
    #expect(throws: SeparationError.self) {
      try Separator(model: ToyModel(), options: SeparationOptions(segment: value))
    }
    #expect(throws: SeparationError.self) {
      try Separator(model: ToyModel(), options: SeparationOptions(transitionPower: value))
    }
  }

  @Test func takesTheTrainingSegmentInSeconds() throws {
    let model = ToyModel(sampleRate: 44_100, segmentLength: 343_980)
    let geometry = try ChunkGeometry(model: model, options: SeparationOptions(segment: 7.8))
    #expect(geometry.segmentLength == 343_980 && geometry.paddedLength == 343_980)
  }
}
