import GoldenSupport
import Tensors
import Testing

/// Rounding as NumPy and PyTorch do it, bit by bit.
struct RoundingGoldenTests {
  static func numbers(_ golden: Golden, _ key: String) throws -> [Float] {
    let words = try golden.tensor(key)
    let count = words.count / 2
    return (0..<count).map {
      Float(bitPattern: UInt32(words.data[$0]) << 16 | UInt32(words.data[count + $0]))
    }
  }

  @Test(arguments: [NumberFormat.fp16, .bf16]) func equalsPyTorch(format: NumberFormat) throws {
    let golden = try Golden("rounding")
    var values = try Self.numbers(golden, "input")
    let expected = try Self.numbers(golden, format.rawValue)
    #expect(values.count > 16_000 && values.count == expected.count)
    format.round(&values, count: values.count)
    let wrong = zip(values, expected).filter { $0.bitPattern != $1.bitPattern }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }
}
