import AudioFiles
import Separation
import Testing

/// `--no-split`: the song is one segment.
struct WholeTrackTests {
  private func separate(_ model: ToyModel, samples: Int, isSplit: Bool, shifts: Int = 0) throws -> [[Float]] {
    let separator = try Separator(model: model, options: SeparationOptions(shifts: shifts, isSplit: isSplit))
    return try separator.separate(AudioBuffer(channels: ToyModel.signal(samples))).flatMap(\.audio.channels)
  }

  @Test func aShortSongIsOneSegmentEitherWay() throws {
    for shifts in [0, 2] {
      let split = try separate(ToyModel(), samples: 20, isSplit: true, shifts: shifts)
      #expect(try separate(ToyModel(), samples: 20, isSplit: false, shifts: shifts) == split)
    }
  }

  @Test func aLongSongIsRefusedWhereTheModelTakesNoLongSegments() throws {
    #expect(throws: SeparationError.tooLongToStayWhole(seconds: 2.4, longest: 2.35)) {
      try separate(ToyModel(), samples: 48, isSplit: false)
    }
    // The shift counts.
    #expect(throws: SeparationError.self) { try separate(ToyModel(), samples: 47, isSplit: false, shifts: 1) }
  }

  /// How segments are joined is nothing to a song that is one segment, nor to segments that share no sample: a steep
  /// transition would divide the first samples by 0.
  @Test(arguments: [
    (SeparationOptions(shifts: 0, isSplit: false), SeparationOptions(shifts: 0, overlap: 0.9999, isSplit: false)),
    (SeparationOptions(shifts: 0, overlap: 0), SeparationOptions(shifts: 0, overlap: 0)),
  ])
  func withoutJoinsTheirShapeMakesNoDifference(plain: SeparationOptions, other: SeparationOptions) throws {
    var steep = other
    steep.transitionPower = 200
    let stems = try [plain, steep].map { options in
      let separator = try Separator(model: LongModel(ToyModel()), options: options)
      return try separator.separate(AudioBuffer(channels: ToyModel.signal(400))).flatMap(\.audio.channels)
    }
    #expect(stems[0] == stems[1])
    #expect(steep.effective == plain.effective)
    #expect(throws: SeparationError.self) {
      try Separator(model: LongModel(ToyModel()), options: SeparationOptions(overlap: 0.25, transitionPower: 200))
    }
  }

  /// As if the model had been trained on segments of that length, but for rounding.
  @Test func aLongSongIsOneSegmentWhereTheModelTakesIt() throws {
    let separator = try Separator(
      model: LongModel(ToyModel()), options: SeparationOptions(shifts: 0, isSplit: false))
    let whole = try separator.separate(AudioBuffer(channels: ToyModel.signal(400))).flatMap(\.audio.channels)
    let longer = ToyModel(segmentLength: 600, usesTrainingSegment: false)
    let expected = try separate(longer, samples: 400, isSplit: true)
    #expect(Golden.largestDifference(whole, expected) < 1e-4)
    #expect(throws: LongModel.TooLong.self) {
      try separator.separate(AudioBuffer(channels: ToyModel.signal(401)))
    }
  }
}
