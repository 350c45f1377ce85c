import AudioFiles
import Separation
import Testing

/// What `Separator` promises beyond equality with demucs: finite results, repeatability, progress, cancelling.
struct SeparatorTests {
  @Test func oneSampleGivesFiniteStems() throws {
    let separator = try Separator(model: CopyModel())
    let stems = try separator.separate(AudioBuffer(channels: [[0.5], [0.25]]))
    // The mean (0.375) is exact; what lies beside it is divided by 1e-8 and multiplied back.
    #expect(Golden.largestDifference(stems[0].audio.channels, [[0.5], [0.25]]) < 1e-6)
  }

  @Test(arguments: [Float(0), 0.25, -1])
  func constantTracksComeBackConstant(value: Float) throws {
    let audio = [[Float]](repeating: [Float](repeating: value, count: 90), count: 2)
    let stems = try Separator(model: CopyModel()).separate(AudioBuffer(channels: audio))
    #expect(Golden.largestDifference(stems[0].audio.channels, audio) < 1e-6)
  }

  @Test func aDeviationNeedsNoCentre() {
    // A small signal on a large offset: a sum of squares around 0 would lose it.
    let quiet = ToyModel.signal(5000).map { $0.map { $0 * 1e-4 } }
    let lifted = quiet.map { $0.map { $0 + 0.5 } }
    let statistics = TrackStatistics(of: lifted)
    #expect(abs(statistics.deviation - TrackStatistics(of: quiet).deviation) < 1e-8)
  }

  @Test func statisticsDoNotDependOnTheBlocks() {
    let signal = ToyModel.signal(1000)
    var accumulator = TrackStatistics.Accumulator()
    for start in stride(from: 0, to: 1000, by: 77) {
      accumulator.add(signal.map { Array($0[start..<min(1000, start + 77)]) })
    }
    #expect(accumulator.statistics == TrackStatistics(of: signal))
    #expect(TrackStatistics.Accumulator().statistics == TrackStatistics(mean: 0, deviation: 1e-8))
  }

  @Test func aSeedRepeatsAndAnotherDiffers() throws {
    let audio = AudioBuffer(channels: ToyModel.signal(150))
    func run(seed: UInt64) throws -> [[Float]] {
      let separator = try Separator(model: ToyModel(), options: SeparationOptions(shifts: 2, seed: seed))
      return try separator.separate(audio).flatMap(\.audio.channels)
    }
    let first = try run(seed: 3)
    #expect(try run(seed: 3) == first)
    #expect(try run(seed: 4) != first)
  }

  /// Pinned: a release must not change what a seed means. SplitMix64 from 1234567 is the published test sequence.
  @Test func randomNumbersAreTheSameForEver() {
    var generator = SplitMix64(seed: 1_234_567)
    let numbers = (0..<3).map { _ in generator.next() }
    #expect(numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    let offsets = Shifts(count: 4, sampleRate: 44_100, seed: 0).offsets
    #expect(offsets == Shifts(count: 4, sampleRate: 44_100, seed: 0).offsets)
    #expect(offsets.allSatisfy { (0...22_050).contains($0) } && Set(offsets).count == 4)
  }

  @Test func shiftsReachBothEnds() {
    let offsets = Set(Shifts(count: 500, sampleRate: 9, seed: 1).offsets)
    #expect(offsets == [0, 1, 2, 3, 4])
  }

  @Test func reportsProgress() throws {
    var reports: [SeparationProgress] = []
    let separator = try Separator(model: CopyModel(), options: SeparationOptions(shifts: 2))
    _ = try separator.separate(AudioBuffer(channels: ToyModel.signal(150))) { reports.append($0) }
    #expect(reports.map(\.chunksDone) == Array(0...reports[0].totalChunks))
    #expect(reports.first?.secondsDone == 0)
    #expect(reports.last?.secondsDone == 7.5)
    #expect(reports.map(\.secondsDone) == reports.map(\.secondsDone).sorted())
    #expect(reports.allSatisfy { $0.totalSeconds == 7.5 })
  }

  @Test func stopsWhereTheHandlerThrows() throws {
    var chunks = 0
    #expect(throws: CancellationError.self) {
      try Separator(model: CopyModel()).separate(AudioBuffer(channels: ToyModel.signal(500))) { progress in
        chunks = progress.chunksDone
        if chunks == 2 { throw CancellationError() }
      }
    }
    #expect(chunks == 2)
  }

  @Test func refusesAudioThatDoesNotFit() throws {
    let separator = try Separator(model: CopyModel())
    #expect(throws: SeparationError.emptyTrack) { try separator.separate(AudioBuffer(channels: [])) }
    #expect(throws: SeparationError.emptyTrack) { try separator.separate(AudioBuffer(channels: [[], []])) }
    #expect(throws: SeparationError.wrongChannelCount(1, expected: 2)) {
      try separator.separate(AudioBuffer(channels: [[1, 2]]))
    }
    #expect(throws: SeparationError.unequalChannels) {
      try separator.separate(AudioBuffer(channels: [[1, 2], [1]]))
    }
  }

  @Test func refusesResultsThatCannotBeUsed() throws {
    let audio = AudioBuffer(channels: ToyModel.signal(60))
    let options = SeparationOptions(shifts: 0)
    #expect(throws: SeparationError.wrongOutputShape([1, 2, 46], expected: [1, 2, 47])) {
      try Separator(model: CopyModel(fault: .shape), options: options).separate(audio)
    }
    #expect(throws: SeparationError.outputNotFinite(second: 0)) {
      try Separator(model: CopyModel(fault: .notFinite), options: options).separate(audio)
    }
  }
}
