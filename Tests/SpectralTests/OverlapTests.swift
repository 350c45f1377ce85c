import Foundation
import GoldenSupport
import Spectral
import Tensors
import Testing

/// Windows that add up, frames that join to the signal they came from, and the same bits on any thread.
struct OverlapTests {
  static let sizes = [8, 16, 64, 100, 512, 4096]

  /// w[n] = sin^2(pi n / size): periodic, so 0 at the start and 1 in the middle, and what would follow the last is the first.
  @Test(arguments: sizes) func theWindowIsAPeriodicHannWindow(size: Int) throws {
    let window = try #require(ShortTimeFourierTransform(size: size, hop: size / 4)).window
    #expect(window.count == size && window[0] == 0 && window[size / 2] == 1)
    for n in 0..<size {
      #expect(abs(Double(window[n]) - pow(sin(Double.pi * Double(n) / Double(size)), 2)) < 1e-7)
      if n > 0 { #expect(window[n] == window[size - n]) }
    }
  }

  /// COLA: the squared windows of frames a quarter, an eighth or a third apart add up to the same everywhere.
  @Test(arguments: [(8, 2), (64, 16), (64, 8), (96, 32), (512, 128), (4096, 1024)])
  func squaredWindowsAddUpToAConstant(size: Int, hop: Int) throws {
    let transform = try #require(ShortTimeFourierTransform(size: size, hop: hop))
    // The mean of sin^4 is 3/8.
    let expected = 0.375 * Double(size) / Double(hop)
    for offset in 0..<2 * hop {
      let sum = stride(from: offset % hop, to: size, by: hop).reduce(0.0) {
        $0 + Double(transform.window[$1]) * Double(transform.window[$1])
      }
      #expect(abs(sum - expected) < 1e-6 * expected)
      #expect(transform.envelope(at: offset) == Float(sum))
    }
  }

  /// Half overlap does not have that property: `envelope` follows the true sum.
  @Test func theEnvelopeIsTheSumWhateverTheHop() throws {
    let transform = try #require(ShortTimeFourierTransform(size: 64, hop: 32))
    let sums = (0..<32).map { transform.envelope(at: $0) }
    #expect((sums.max() ?? 0) > 1.9 * (sums.min() ?? 0))
  }

  @Test func framesJoinToTheirSignal() throws {
    var random = Random("round trip")
    for length in [1, 2, 3, 5, 17] + (0..<30).map({ _ in Int.random(in: 1...5000, using: &random) }) {
      let size = 4 * Int.random(in: 2...300, using: &random)
      let transform = try #require(ShortTimeFourierTransform(size: size, hop: size / 4))
      let signal = CounterGenerator.noise("trip.\(length)", channels: 1, samples: length).values
      // Enough silence before and after that every sample lies in four frames.
      let frames = transform.frames(
        of: [Float](repeating: 0, count: size) + signal + [Float](repeating: 0, count: 2 * size))
      let result = Array(transform.join(frames)[size..<size + length])
      let error = zip(result, signal).map { abs($0 - $1) }.max() ?? .infinity
      #expect(error < 1e-6, "length \(length), size \(size)")
    }
  }

  /// Only part of a frame may be wanted: parts add up to the whole.
  @Test func aFrameCanBeAddedInParts() throws {
    let transform = try #require(ShortTimeFourierTransform(size: 64, hop: 16))
    let spectrum = CounterGenerator.tensor("frame", [2 * transform.binCount])
    let scratch = Tensor(shape: [transform.scratchCount])
    func add(_ ranges: [Range<Int>]) -> [Float] {
      let out = CounterGenerator.tensor("before", [64])
      for range in ranges {
        let copy = Tensor(shape: spectrum.shape, values: spectrum.values)
        transform.synthesise(
          copy.data, range: range, addingTo: out.data + range.lowerBound, scratch: scratch.data)
      }
      return out.values
    }
    #expect(add([0..<64]) == add([0..<5, 5..<40, 40..<64]))
    let before = CounterGenerator.tensor("before", [64]).values
    #expect(Array(add([10..<20]).prefix(10)) == Array(before.prefix(10)))
  }

  /// A spectrum may come from a network: imaginary parts of the mean and of Nyquist, which no real signal has, are ignored.
  @Test func impossiblePartsAreIgnored() throws {
    let transform = try #require(ShortTimeFourierTransform(size: 64, hop: 16))
    let scratch = Tensor(shape: [transform.scratchCount])
    func signal(_ extra: Float) -> [Float] {
      let spectrum = CounterGenerator.tensor("frame", [2 * transform.binCount])
      spectrum.data[1] = extra
      spectrum.data[2 * transform.binCount - 1] = -extra
      let out = Tensor(shape: [64])
      transform.synthesise(spectrum.data, range: 0..<64, addingTo: out.data, scratch: scratch.data)
      return out.values
    }
    #expect(signal(0) == signal(7))
  }

  @Test func tasksGetTheSameBits() async throws {
    let transform = try #require(ShortTimeFourierTransform(size: 1024, hop: 256))
    let signal = CounterGenerator.noise("tasks", channels: 1, samples: 40_000).values
    let alone = transform.join(transform.frames(of: signal))
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<4 {
        group.addTask {
          // Others plan and drop transforms meanwhile.
          for size in stride(from: 16, to: 400, by: 2) { _ = RealFourierTransform(size: size) }
          return transform.join(transform.frames(of: signal)) == alone
        }
      }
      for await isSame in group { #expect(isSame) }
    }
  }

  @Test func everyPlanOfASizeGivesTheSameBits() throws {
    let signal = CounterGenerator.noise("plans", channels: 1, samples: 8192).values
    let results = try (0..<5).map { _ in
      try #require(ShortTimeFourierTransform(size: 4096, hop: 1024)).frames(of: signal)
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }
}
