import Spectral
import Testing

/// Laws of reflect padding, for seeded random lengths.
struct PaddingTests {
  static let cases: [ReflectPadding] = {
    var random = Random("padding")
    return (0..<400).map { _ in
      ReflectPadding(
        length: Int.random(in: 1...60, using: &random), left: Int.random(in: 0...70, using: &random),
        right: Int.random(in: 0...70, using: &random))
    }
  }()

  @Test func theMiddleIsTheSignal() {
    for padding in Self.cases {
      #expect(padding.paddedLength == padding.left + padding.length + padding.right)
      for index in 0..<padding.length { #expect(padding.source(padding.left + index) == index) }
    }
  }

  /// Of a signal longer than either padding, the sample k before the first is the sample k after it, and nothing is zero.
  @Test func endsAreMirrors() {
    for padding in Self.cases where padding.length > max(padding.left, padding.right) {
      for k in stride(from: 1, through: padding.left, by: 1) {
        #expect(padding.source(padding.left - k) == k)
      }
      let last = padding.left + padding.length - 1
      for k in stride(from: 1, through: padding.right, by: 1) {
        #expect(padding.source(last + k) == padding.length - 1 - k)
      }
    }
  }

  /// A short signal is first extended by zeros, on the right as far as the right padding goes, on the left beyond that;
  /// then that is reflected. Built here step by step, as `pad1d` does.
  @Test func shortSignalsAreExtendedFirst() {
    for padding in Self.cases {
      var source: [Int?] = (0..<padding.length).map { $0 }
      var (left, right) = (padding.left, padding.right)
      let longest = max(left, right)
      if padding.length <= longest {
        let extra = longest - padding.length + 1
        let (extraRight, extraLeft) = (min(right, extra), extra - min(right, extra))
        source = [Int?](repeating: nil, count: extraLeft) + source + [Int?](repeating: nil, count: extraRight)
        (left, right) = (left - extraLeft, right - extraRight)
      }
      let before = stride(from: left, to: 0, by: -1).map { source[$0] }
      let after = stride(from: 1, through: right, by: 1).map { source[source.count - 1 - $0] }
      #expect((0..<padding.paddedLength).map(padding.source) == before + source + after)
    }
  }

  @Test func applyingFollowsTheSources() {
    for padding in Self.cases {
      let signal = (0..<padding.length).map { Float($0) + 1 }
      var out = [Float](repeating: -1, count: padding.paddedLength)
      padding.apply(signal, into: &out)
      #expect(out == (0..<padding.paddedLength).map { padding.source($0).map { signal[$0] } ?? 0 })
    }
  }
}
