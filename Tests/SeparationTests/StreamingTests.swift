import AudioFiles
import Foundation
import Separation
import Tensors
import Testing

/// What is streamed equals what is done with the whole track in memory, bit for bit.
struct StreamingTests {
  /// A `ToyModel` that takes several segments at a time.
  private final class SideBySide: SeparationModel {
    private let model: ToyModel
    private let atOnce: Int

    init(_ model: ToyModel, atOnce: Int) { (self.model, self.atOnce) = (model, atOnce) }

    var sources: [String] { model.sources }
    var sampleRate: Int { model.sampleRate }
    var audioChannels: Int { model.audioChannels }
    var segmentLength: Int { model.segmentLength }
    var usesTrainingSegment: Bool { model.usesTrainingSegment }
    func separate(_ mix: Tensor) -> Tensor { model.separate(mix) }
    func prepare(segments: Int) -> Int { min(segments, atOnce) }
  }

  private func bits(_ rows: [[Float]]) -> [[UInt32]] { rows.map { $0.map(\.bitPattern) } }

  /// Numbers whose sums depend on the order of additions.
  private func track(_ length: Int) -> NormalizedTrack {
    let channels = ToyModel.signal(length).enumerated().map { channel, samples in
      samples.enumerated().map { $1 * (1 + Float(($0 * 7 + channel) % 31) / 3) }
    }
    return NormalizedTrack(channels: channels, statistics: TrackStatistics(of: channels))
  }

  @Test(
    arguments: [1, 9, 46, 47, 48, 94, 150, 333],
    [
      [], [0], [10], [3], [7, 0, 10], [10, 9, 8, 7], [0, 10, 0, 10, 5],
    ])
  func passesSideBySideEqualPassesInTurn(length: Int, offsets: [Int]) throws {
    for (training, segment, overlap) in [
      (true, nil, 0.25), (false, nil, 0.25), (true, 0.35, 0.5), (true, nil, 0.9), (true, 0.1, 0), (false, 0.05, 0),
    ] as [(Bool, Double?, Double)] {
      let options = SeparationOptions(shifts: offsets.count, overlap: overlap, segment: segment)
      let shifts = Shifts(offsets: offsets, sampleRate: 20)
      let track = track(length)
      let model = ToyModel(usesTrainingSegment: training)
      let expected = try WholeReference.estimate([model], track, shifts: shifts, options: options)
      for atOnce in [1, 2, 3, 7] {
        let separator = try Separator(model: SideBySide(model, atOnce: atOnce), options: options)
        let estimate = try separator.estimate(track, shifts: shifts)
        #expect(bits(estimate) == bits(expected), "segment \(segment ?? 0), overlap \(overlap), \(atOnce) at once")
      }
    }
  }

  /// Halves a network's result, so that the networks of a bag differ.
  private final class Half: SeparationModel {
    private let model = ToyModel(segmentLength: 31)
    var sources: [String] { model.sources }
    var sampleRate: Int { model.sampleRate }
    var audioChannels: Int { model.audioChannels }
    var segmentLength: Int { model.segmentLength }
    var usesTrainingSegment: Bool { model.usesTrainingSegment }
    func separate(_ mix: Tensor) -> Tensor {
      let result = model.separate(mix)
      for index in 0..<result.count { result.data[index] *= 0.5 }
      return result
    }
  }

  static let bagWeights: [[[Double]]?] = [
    nil, [[1, 0], [0, 1], [0, 1]], [[0.3, 0.7], [0, 0.1], [0.9, 0]], [[0, 1], [1, 0], [0, 0]],
  ]

  private func bag(_ weights: [[Double]]?) throws -> ([any SeparationModel], ModelBag) {
    let models: [any SeparationModel] = [ToyModel(), Half(), ToyModel(segmentLength: 20)]
    let members = models.enumerated().map { index, model in ModelBag.Member(name: "\(index)") { model } }
    return (models, try ModelBag(members, weights: weights))
  }

  @Test(arguments: bagWeights) func bagsEqualTheirMean(weights: [[Double]]?) throws {
    let (models, bag) = try bag(weights)
    let options = SeparationOptions(shifts: 2)
    let shifts = Shifts(offsets: [1, 8, 4, 10, 0, 3], sampleRate: 20)
    let expected = try WholeReference.estimate(models, weights: weights, track(211), shifts: shifts, options: options)
    let estimate = try Separator(bag: bag, options: options).estimate(track(211), shifts: shifts)
    #expect(bits(estimate) == bits(expected))
  }

  /// From file to files: the same bytes as everything at once in memory.
  @Test(arguments: ClipMode.allCases, [AudioEncoding.wav(.int16), .wav(.float32), .flac(.int24)])
  func filesEqualThoseOfTheWholeSong(clipMode: ClipMode, encoding: AudioEncoding) throws {
    for weights in Self.bagWeights {
      let folder = try SongFolder()
      let song = try folder.writeSong(frames: 20_011, gain: 1.5)
      let separator = try Separator(bag: bag(weights).1, options: SeparationOptions(shifts: 2))
      func writer(_ name: String) -> StemWriter {
        StemWriter(
          layout: OutputLayout(root: folder.path, model: name, fileExtension: encoding.fileExtension),
          encoding: encoding, clipMode: clipMode, temporaryFiles: TemporaryFiles())
      }
      let streamed = try separator.separateFile(song, to: writer("streamed")).outputs
      let (audio, _) = try AudioSource.load(path: song, sampleRate: 20, channelCount: 2)
      let whole = try writer("whole").write(separator.separate(audio), song: Song(song), sampleRate: 20)
      for (one, other) in zip(streamed, whole) {
        #expect(
          try Data(contentsOf: URL(filePath: one.description)) == Data(contentsOf: URL(filePath: other.description)),
          "\(one)")
      }
      #expect(streamed.count == 2 && whole.count == 2)
    }
  }
}

/// A folder with a song, removed with its last reference.
final class SongFolder {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("streaming-\(UUID().uuidString)").path

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes frames of the golden signal into `song.wav`, at 1 kHz, which is 50 times the rate of the toy models.
  func writeSong(frames: Int, gain: Float = 1, sampleRate: Int = 1000) throws -> String {
    let song = path + "/song.wav"
    let output = try AudioFileWriter(path: song, sampleRate: sampleRate, channelCount: 2, sampleFormat: .float32)
    // Slow enough to survive being resampled.
    let channels = (0..<2).map { channel in
      (0..<frames).map { gain * sinf(Float($0 * (3 + channel)) * 0.007) * cosf(Float($0) * 0.0113) }
    }
    try output.write(AudioBuffer(channels: channels))
    try output.finish()
    return song
  }

  /// Every file and folder below.
  func contents() throws -> [String] { try FileManager.default.subpathsOfDirectory(atPath: path).sorted() }
}
