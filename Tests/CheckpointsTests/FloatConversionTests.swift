import Checkpoints
import Foundation
import Tensors
import Testing

/// binary16 by its definition, in double precision and without any bit trick: (-1)^s 2^(e-15) (1 + f/1024).
private func halfByDefinition(_ bits: UInt16) -> Double {
  let exponent = Int(bits >> 10) & 31
  let fraction = Double(bits & 1023) / 1024
  let sign: Double = bits >= 0x8000 ? -1 : 1
  switch exponent {
  case 0: return sign * pow(2, -14) * fraction
  case 31: return fraction == 0 ? sign * .infinity : .nan
  default: return sign * pow(2, Double(exponent - 15)) * (1 + fraction)
  }
}

/// The numbers of a file with one tensor.
private func widened(_ type: String, _ data: [UInt8], count: Int) throws -> [Float] {
  let folder = try TemporaryFolder()
  let header = #"{"x":{"dtype":"\#(type)","shape":[\#(count)],"data_offsets":[0,\#(data.count)]}}"#
  let checkpoint = try Checkpoint(safetensors: folder.safetensors(header: header, data: data))
  return try values(checkpoint.tensor("x"))
}

@Suite struct FloatConversionTests {
  @Test func everyHalfWidensExactly() throws {
    let result = try widened("F16", (0...UInt16.max).flatMap { littleEndian($0) }, count: 65536)
    for bits in 0...UInt16.max {
      let value = result[Int(bits)]
      let expected = halfByDefinition(bits)
      if expected.isNaN {
        #expect(value.isNaN && value.sign == (bits >= 0x8000 ? .minus : .plus))
      } else {
        #expect(Double(value) == expected && value.sign == expected.sign, "half \(bits)")
      }
    }
  }

  @Test(
    arguments: [
      (0x0000, 0), (0x0001, 5.960464477539063e-8), (0x03FF, 6.097555160522461e-5), (0x0400, 6.103515625e-5),
      (0x3555, 0.333251953125), (0x3C00, 1), (0xC000, -2), (0x7BFF, 65504), (0x7C00, .infinity),
      (0xFC00, -.infinity),
    ] as [(UInt16, Float)])
  func knownHalves(bits: UInt16, value: Float) throws {
    #expect(try widened("F16", littleEndian(bits), count: 1) == [value])
  }

  @Test func everyBFloatIsTheUpperHalfOfAFloat() throws {
    let result = try widened("BF16", (0...UInt16.max).flatMap { littleEndian($0) }, count: 65536)
    for bits in 0...UInt16.max { #expect(result[Int(bits)].bitPattern == UInt32(bits) << 16) }
    #expect(result[0x3F80] == 1 && result[0xC049] == -3.140625 && result[0x7F80] == .infinity)
    #expect(result[0x7FC0].isNaN)
  }

  @Test func doublesAreRoundedToNearest() throws {
    let doubles: [Double] = [0.1, -1 / 3, 1e300, 1 + 0x1p-24, 1 + 0x1.8p-23, 0x1p-149, .nan]
    let result = try widened("F64", doubles.flatMap { littleEndian($0.bitPattern) }, count: doubles.count)
    let expected: [Float] = [0.1, -1 / 3, .infinity, 1, 1 + 0x1p-22, 0x1p-149]
    #expect(Array(result.dropLast()) == expected)
    #expect(result.last?.isNaN == true)
  }

  /// Every half, every midpoint of two halves and the floats beside each are stored as the nearest half, the
  /// even one where two are as near.
  @Test func narrowingToHalfRoundsToNearestEven() throws {
    var floats: [Float] = []
    var expected: [Float] = []
    for bits in 0..<UInt16(0x7C00) {
      let low = Float(halfByDefinition(bits))
      // Beyond the largest half, 2^16 stands in for the next one; what rounds to it is an infinity.
      let high = bits == 0x7BFF ? 65536 : Float(halfByDefinition(bits + 1))
      let rounded: (Float) -> Float = { $0 == 65536 ? .infinity : $0 }
      let middle = (low + high) / 2
      floats += [low, middle, middle.nextDown, middle.nextUp]
      expected += [low, rounded(bits % 2 == 0 ? low : high), low, rounded(high)]
    }
    let stored = try roundTrip(floats + floats.map(-), .float16)
    #expect(stored == expected + expected.map(-))
    #expect(
      try roundTrip([.infinity, 1e30, -70000, .nan], .float16)[0..<3] == [.infinity, .infinity, -.infinity])
    #expect(try roundTrip([.nan], .float16)[0].isNaN)
  }

  @Test func narrowingToBFloatRoundsToNearestEven() throws {
    let floats: [Float] = [
      1, 1 + 0x1p-8, 1 + 0x1.8p-8, 1 + 0x1p-7 + 0x1p-8, 1 + 0x1.02p-8, .greatestFiniteMagnitude, 0x1p-149,
    ]
    #expect(try roundTrip(floats, .bfloat16) == [1, 1, 1 + 0x1p-7, 1 + 0x1p-6, 1 + 0x1p-7, .infinity, 0])
    #expect(try roundTrip([Float(bitPattern: 0x7F80_0001)], .bfloat16)[0].isNaN)
  }

  private func roundTrip(_ floats: [Float], _ type: TensorType) throws -> [Float] {
    let folder = try TemporaryFolder()
    let path = folder.path + "/x.safetensors"
    try SafetensorsWriter.write(
      to: path, tensors: [("x", Tensor(shape: [floats.count], values: floats))], type: type)
    return try values(Checkpoint(safetensors: path).tensor("x"))
  }
}
