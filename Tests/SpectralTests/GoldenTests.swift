import Checkpoints
import GoldenSupport
import Spectral
import Tensors
import Testing

/// Frames against `torch.stft` and `torch.istft`, padding against `demucs.hdemucs.pad1d`. HTDemucs' own framing
/// (`spec`, `ispec`, `roundtrip`) is tested in HTDemucsTests.
struct GoldenTests {
  static let golden = Result { try Golden("stft") }
  static let names = (try? golden.get().cases.compactMap { $0["name"]?.stringValue }) ?? []

  static func names(_ family: String) -> [String] { names.filter { $0.hasPrefix(family + "/") } }

  private func open(_ name: String) throws -> (Golden, JSONValue) {
    let golden = try Self.golden.get()
    return (golden, try #require(golden.cases.first { $0["name"]?.stringValue == name }))
  }

  private func integer(_ fact: JSONValue, _ key: String) throws -> Int { try #require(fact[key]?.intValue) }

  @Test func everyFamilyIsTested() {
    let families = Set(Self.names.map { String($0.prefix { $0 != "/" }) })
    #expect(families == ["spec", "spectro", "ispec", "ispectro", "roundtrip", "pad1d"])
  }

  @Test(arguments: names("spectro")) func framesEqualTorch(name: String) throws {
    let (golden, fact) = try open(name)
    let (size, length) = (try integer(fact, "nfft"), try integer(fact, "samples"))
    let transform = try #require(ShortTimeFourierTransform(size: size, hop: size / 4))
    let signal = CounterGenerator.noise("signal.noise.\(length)", channels: 1, samples: length).values
    let frames = transform.frames(of: reflected(signal, by: size / 2))
    let shape = [2, transform.binCount, frames.count]
    #expect(golden.shape(name) == shape)
    let result = Tensor(shape: shape)
    for (t, frame) in frames.enumerated() {
      for (index, value) in frame.enumerated() {
        result.data[(index % 2 * transform.binCount + index / 2) * frames.count + t] = value
      }
    }
    let found = try golden.positions(name).map { result.data[$0] }
    #expect(largestExcess(found, try golden.tensor(name).values) <= 0)
    #expect(try golden.deviation(name, result).relativeError < 3e-7)
  }

  @Test(arguments: names("ispectro")) func joiningEqualsTorch(name: String) throws {
    let (golden, fact) = try open(name)
    let (size, length) = (try integer(fact, "nfft"), try integer(fact, "samples"))
    let transform = try #require(ShortTimeFourierTransform(size: size, hop: size / 4))
    let shape = try #require(fact["input"]?.arrayValue).compactMap(\.intValue)
    let spectrum = CounterGenerator.tensor(name + ".input", shape)
    let count = shape[2]
    let frames = (0..<count).map { t in
      (0..<2 * shape[1]).map { spectrum.data[($0 % 2 * shape[1] + $0 / 2) * count + t] }
    }
    let result = transform.join(frames)[size / 2..<size / 2 + length]
    let found = Tensor(shape: try #require(golden.shape(name)), values: result)
    let values = try golden.positions(name).map { found.data[$0] }
    #expect(largestExcess(values, try golden.tensor(name).values) <= 0)
    #expect(try golden.deviation(name, found).relativeError < 3e-7)
  }

  @Test(arguments: names("pad1d")) func paddingEqualsDemucs(name: String) throws {
    let (golden, fact) = try open(name)
    let length = try integer(fact, "length")
    let padding = ReflectPadding(
      length: length, left: try integer(fact, "left"), right: try integer(fact, "right"))
    let signal = (1...length).map(Float.init)
    var out = [Float](repeating: -1, count: padding.paddedLength)
    padding.apply(signal, into: &out)
    #expect(out == (try golden.tensor(name).values))
  }
}
