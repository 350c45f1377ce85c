import AudioFiles
import Foundation
import GoldenSupport
import Separation
import Tensors
import Testing

/// The model that comes with the program, on the sample song.
@Suite(.serialized) struct EmbeddedModelTests {
  static let path = GoldenSupport.Golden.fixtures.deletingLastPathComponent()
    .appendingPathComponent("models/open_6s.safetensors").path

  @Test func theSongEqualsPyTorch() throws {
    let golden = try GoldenSupport.Golden("open_6s")
    let audio = try WholeSeparationTests.song.get()
    let model = try loadModel(at: Self.path, pool: WorkerPool(threadCount: 2))
    let stems = try Separator(model: model, options: SeparationOptions(shifts: 0)).separate(audio)
    #expect(stems.map(\.name) == ["drums", "bass", "other", "vocals", "guitar", "piano"])
    #expect(Set(stems.map(\.name)) == Set(golden.order))
    for stem in stems {
      let rows = stem.audio.channels.flatMap { $0 }
      #expect(golden.shape(stem.name) == [stem.audio.channelCount, stem.audio.frameCount])
      #expect(stem.audio.frameCount == audio.frameCount)
      let decibels = try golden.ratios(stem.name, rows)[0]
      #expect(decibels >= 105, "\(stem.name): \(decibels) dB")
    }
  }

  /// The stems of an excerpt are the same bits for any number of threads and every time.
  @Test func threadsDoNotMatter() throws {
    let song = try WholeSeparationTests.song.get()
    let audio = AudioBuffer(channels: song.channels.map { Array($0[100_000..<150_000]) })
    func run(threads: Int) throws -> [[Float]] {
      let model = try loadModel(at: Self.path, pool: WorkerPool(threadCount: threads))
      return try Separator(model: model, options: SeparationOptions(shifts: 0)).separate(audio)
        .flatMap(\.audio.channels)
    }
    let one = try run(threads: 1)
    for threads in [2, 3] { #expect(try run(threads: threads) == one, "\(threads) threads") }
  }
}
