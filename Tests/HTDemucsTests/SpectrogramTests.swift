import AudioFiles
import Checkpoints
import Foundation
import GoldenSupport
import HTDemucs
import Layers
import Tensors
import Testing

/// The framing of HTDemucs, `_spec` and `_ispec`, against PyTorch.
struct SpectrogramTests {
  static let golden = Result { try Golden("stft") }
  static let names = (try? golden.get().cases.compactMap { $0["name"]?.stringValue }) ?? []
  static let song = Result {
    try AudioSource.load(
      path: Golden.fixtures.appendingPathComponent("song.flac").path, sampleRate: 44100, channelCount: 2
    ).audio
  }

  static func names(_ family: String) -> [String] { names.filter { $0.hasPrefix(family + "/") } }

  private func open(_ name: String) throws -> (Golden, JSONValue) {
    let golden = try Self.golden.get()
    return (golden, try #require(golden.cases.first { $0["name"]?.stringValue == name }))
  }

  private func integer(_ fact: JSONValue, _ key: String) throws -> Int { try #require(fact[key]?.intValue) }

  /// A signal of the golden file, `[channels, samples]`.
  private func signal(_ fact: JSONValue) throws -> Tensor {
    let (channels, samples) = (try integer(fact, "channels"), try integer(fact, "samples"))
    switch try #require(fact["signal"]?.stringValue) {
    case "silence": return Tensor(shape: [channels, samples])
    case "sine":
      let line = (0..<samples).map { Float(0.5 * sin(2 * Double.pi * 440 * Double($0) / 44100)) }
      return Tensor(items: [Tensor](repeating: Tensor(shape: [samples], values: line), count: channels))
    case "noise":
      return CounterGenerator.noise("signal.noise.\(samples)", channels: channels, samples: samples)
    default:
      let song = try Self.song.get()
      return Tensor(
        shape: [channels, samples],
        values: song.channels.prefix(channels).flatMap { $0[44100..<44100 + samples] })
    }
  }

  private func analyse(_ signal: Tensor, size: Int, threads: Int = 2) throws -> Tensor {
    let workspace = Workspace(pool: WorkerPool(threadCount: threads))
    let map = try Spectrogram(fftSize: size, margin: 16).analyse(
      signal.data, stride: signal.shape[1], channels: signal.shape[0], length: signal.shape[1],
      workspace: workspace)
    #expect(map.hasCleanMargins)
    return map.image
  }

  private func synthesise(_ spectrum: Tensor, size: Int, length: Int) throws -> Tensor {
    let workspace = Workspace(pool: WorkerPool(threadCount: 2))
    let map = FeatureMap(spectrum, in: workspace.arena)
    let result = Tensor(
      shape: [spectrum.shape[0] / 2, length],
      values: [Float](repeating: .nan, count: spectrum.shape[0] / 2 * length))
    try Spectrogram(fftSize: size, margin: 16).synthesise(
      map, length: length, into: result.data, length, workspace: workspace)
    return result
  }

  /// rtol 1e-5 and atol 1e-6, and the relative error of the whole.
  private func check(_ name: String, _ result: Tensor) throws {
    let golden = try Self.golden.get()
    let deviation = try golden.deviation(name, result)
    #expect(deviation.relativeError < 5e-7, "\(deviation)")
    for (position, expected) in zip(try golden.positions(name), try golden.tensor(name).values) {
      let error = abs(result.data[position] - expected)
      if !(error <= 1e-6 + 1e-5 * abs(expected)) {
        Issue.record("\(name): \(result.data[position]) at \(position), oracle \(expected)")
        return
      }
    }
  }

  @Test(arguments: names("spec")) func specEqualsPyTorch(name: String) throws {
    let (_, fact) = try open(name)
    try check(name, try analyse(try signal(fact), size: try integer(fact, "nfft")))
  }

  @Test(arguments: names("ispec")) func ispecEqualsPyTorch(name: String) throws {
    let (_, fact) = try open(name)
    let shape = try #require(fact["input"]?.arrayValue).compactMap(\.intValue)
    let spectrum = CounterGenerator.tensor(name + ".input", shape)
    try check(
      name, try synthesise(spectrum, size: try integer(fact, "nfft"), length: try integer(fact, "samples")))
  }

  @Test(arguments: names("roundtrip")) func roundTripEqualsPyTorch(name: String) throws {
    let (_, fact) = try open(name)
    let (signal, size) = (try signal(fact), try integer(fact, "nfft"))
    try check(name, try synthesise(try analyse(signal, size: size), size: size, length: signal.shape[1]))
  }

  /// Away from the ends and without energy at Nyquist, a signal comes back.
  @Test(arguments: [64, 512, 4096]) func aSignalComesBack(size: Int) throws {
    let length = 10 * size + 7
    let line = (0..<length).map { n in Float(0.5 * sin(0.3 * Double(n)) + 0.2 * cos(1.1 * Double(n))) }
    let result = try synthesise(
      try analyse(Tensor(shape: [1, length], values: line), size: size), size: size, length: length)
    for n in size..<length - size { #expect(abs(result.data[n] - line[n]) < 1e-5) }
  }

  /// One frame a hop, whatever the length, and the same bits for any number of threads.
  @Test func lengthsAndThreads() throws {
    for length in [1, 15, 16, 17, 100, 1601] {
      let signal = CounterGenerator.noise("threads.\(length)", channels: 3, samples: length)
      let one = try analyse(signal, size: 64, threads: 1)
      #expect(one.shape == [6, 32, (length + 15) / 16])
      #expect(try analyse(signal, size: 64, threads: 3).values == one.values)
    }
  }
}
