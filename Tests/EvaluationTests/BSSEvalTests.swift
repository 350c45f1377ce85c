import AudioFiles
import Evaluation
import Foundation
import GoldenSupport
import Testing

/// Agreement with museval, whose figures scripts/make_museval_goldens.py wrote.
struct BSSEvalTests {
  struct Document: Decodable {
    let museval: String
    let cases: [Case]
  }

  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let stems: [String]
    let start: Int
    let frames: Int
    let channels: Int
    let delay: Int
    /// By ratio: `[stem][frame]`.
    let images: [String: [[Double?]]]
    let sources: [String: [[Double?]]]
    var testDescription: String { name }

    func signals() throws -> (references: [AudioBuffer], estimates: [AudioBuffer]) {
      let references = try stems.map { stem in
        let path = Golden.fixtures.appendingPathComponent("song-stems/\(stem).flac").path
        let audio = try AudioSource.load(path: path, sampleRate: 44100, channelCount: 2).audio
        return AudioBuffer(channels: audio.channels.prefix(channels).map { Array($0[start..<start + frames]) })
      }
      let estimates = references.indices.map { index in
        let next = references[(index + 1) % references.count].channels.delayed(delay)
        return AudioBuffer(
          channels: zip(references[index].channels, next).map { own, next in
            zip(own, next).map { Float(0.8 * Double($0) + 0.15 * Double($1)) }
          })
      }
      return (references, estimates)
    }
  }

  static let cases = (try? Self.load()) ?? []

  static func load() throws -> [Case] {
    let data = try Data(contentsOf: Golden.fixtures.appendingPathComponent("goldens/museval.json"))
    return try JSONDecoder().decode(Document.self, from: data).cases
  }

  /// The ratios of a case in the frames of a second.
  private func frames(_ test: Case, filtersTheTruth: Bool?) throws -> [[BSSEvalRatios]?] {
    let (references, estimates) = try test.signals()
    let window = 44100
    let filters = try filtersTheTruth.map {
      try BSSEvalFilters(
        references: references.map { Signal(path: "", audio: $0, sampleRate: window) },
        estimates: estimates.map { Signal(path: "", audio: $0, sampleRate: window) }, frames: test.frames,
        window: min(window, test.frames), song: test.name, filtersTheTruth: $0)
    }
    var result = BSSEval(stems: references.count, silentEstimates: [], isOnlyFrame: test.frames < window)
    for start in stride(from: 0, to: test.frames, by: window) {
      func frame(_ audio: AudioBuffer) -> AudioBuffer {
        AudioBuffer(channels: audio.channels.map { Array($0[start..<min(start + window, test.frames)]) })
      }
      result.add(
        references: references.map(frame), estimates: estimates.map(frame), window: window, filters: filters)
    }
    return result.frames
  }

  private func expect(
    _ frames: [[BSSEvalRatios]?], _ golden: [String: [[Double?]]], _ ratios: [String: (BSSEvalRatios) -> Double?]
  ) throws {
    for (name, ratio) in ratios {
      let rows = try #require(golden[name])
      for (stem, row) in rows.enumerated() {
        #expect(row.count == frames.count)
        for (frame, value) in row.enumerated() {
          let own = frames[frame].flatMap { ratio($0[stem]) }
          #expect((own == nil) == (value == nil), "\(name) of stem \(stem) in frame \(frame)")
          if let own, let value { #expect(abs(own - value) < 2e-5, "\(name) of stem \(stem) in frame \(frame)") }
        }
      }
    }
  }

  @Test func theGoldensAreThere() throws {
    #expect(try Self.load().map(\.name) == ["stereo", "mono", "short"])
    // One stem is silent in the first second, so that frame is left out.
    #expect(try Self.load()[0].images["sdr"]?[0].map { $0 == nil } == [true, false, false, false])
  }

  @Test(arguments: cases) func imagesWithoutFilters(test: Case) throws {
    try expect(try frames(test, filtersTheTruth: nil), test.images, ["sdr": \.sdr])
  }

  @Test(arguments: cases) func imagesWithFilters(test: Case) throws {
    try expect(
      try frames(test, filtersTheTruth: false), test.images,
      ["sdr": \.sdr, "isr": \.isr, "sir": \.sir, "sar": \.sar])
  }

  @Test(arguments: cases) func sourcesWithFilters(test: Case) throws {
    try expect(
      try frames(test, filtersTheTruth: true), test.sources, ["sdr": \.sdr, "sir": \.sir, "sar": \.sar])
  }
}
