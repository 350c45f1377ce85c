/// Random numbers from a seed, the same on every machine and in every version: SplitMix64 (Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", OOPSLA 2014).
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 to `highest`, both possible.
  ///
  /// The high half of a product, not `Int.random(in:using:)`, whose way to the range a Swift release may change. The
  /// bias of `highest` / 2^64 is far below anything a song could show.
  mutating func uniform(through highest: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(highest) + 1).high)
  }
}

/// The passes over a track whose average makes the network blind to where the song starts: the `shifts` branch of
/// `demucs.apply.apply_model`.
public struct Shifts: Equatable, Sendable {
  /// For each pass, how many samples of the silence before the track are left out, 0 to `longest`.
  public let offsets: [Int]
  /// Samples of silence put before the track: half a second.
  public let longest: Int

  /// Draws the offsets of `count` passes.
  public init(count: Int, sampleRate: Int, seed: UInt64) {
    longest = Shifts.longest(sampleRate: sampleRate)
    var generator = SplitMix64(seed: seed)
    var offsets: [Int] = []
    for _ in 0..<count { offsets.append(generator.uniform(through: longest)) }
    self.offsets = offsets
  }

  /// Takes given offsets, each 0 to half a second, in samples.
  public init(offsets: [Int], sampleRate: Int) {
    let longest = Shifts.longest(sampleRate: sampleRate)
    precondition(offsets.allSatisfy { (0...longest).contains($0) }, "shift offsets beyond half a second")
    self.longest = longest
    self.offsets = offsets
  }

  private init(_ offsets: [Int], longest: Int) {
    self.offsets = offsets
    self.longest = longest
  }

  /// Part `index` of `count` equal parts: the shifts of one network of a bag.
  func part(_ index: Int, of count: Int) -> Shifts {
    let each = offsets.count / count
    return Shifts(Array(offsets[index * each..<(index + 1) * each]), longest: longest)
  }

  /// The passes over a track of `length` samples, in order; one pass without silence if there is no shift.
  public func passes(length: Int) -> [Pass] {
    guard !offsets.isEmpty else { return [Pass(leadingSilence: 0, length: length)] }
    return offsets.map { Pass(leadingSilence: longest - $0, length: length + longest - $0) }
  }

  /// One pass over a track.
  public struct Pass: Equatable, Sendable {
    /// Samples of silence before the track that the pass starts with, and that are cut off its result.
    public let leadingSilence: Int
    /// Samples of the pass: the silence and the track.
    public let length: Int
  }

  private static func longest(sampleRate: Int) -> Int { Int(0.5 * Double(sampleRate)) }
}
