/// Damages audio files in the ways that find bugs in readers. A seed decides everything.
public struct AudioMutator {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  /// A copy of `bytes` with one or a few kinds of damage; pieces of `other` may be in it.
  public mutating func damaged(_ bytes: [UInt8], other: [UInt8]) -> [UInt8] {
    var bytes = bytes
    // Mostly little, which goes far into the reader.
    for _ in 0...below(below(4) == 0 ? 8 : 2) {
      guard !bytes.isEmpty else { break }
      // Most of what a reader can get wrong is in the header.
      let position = below(3) > 0 ? below(min(bytes.count, 160)) : below(bytes.count)
      let length = min(bytes.count - position, 1 + below(16))
      switch below(9) {
      case 0: bytes[position] ^= 1 << UInt8(below(8))
      case 1: bytes[position] = UInt8(below(256))
      case 2, 3: bytes.overwrite(position, with: interestingInteger())
      case 4: bytes.removeSubrange(position..<position + length)
      case 5: bytes.insert(contentsOf: bytes[position..<position + length], at: below(bytes.count))
      case 6: bytes.removeSubrange(position...)
      case 7:
        let start = below(max(other.count, 1))
        bytes.insert(contentsOf: other[min(start, other.count)...].prefix(below(512)), at: position)
      default: for offset in 0..<length { bytes[position + offset] = UInt8(below(256)) }
      }
    }
    return bytes
  }

  private mutating func interestingInteger() -> [UInt8] {
    let values: [Int64] = [
      0, 1, 2, 3, -1, -2, .max, .min, 1 << 31, (1 << 31) - 1, 1 << 32, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFF, 1024, 1025,
      1 << 62,
    ]
    let bytes = withUnsafeBytes(of: values[below(values.count)].littleEndian) {
      Array($0.prefix([1, 2, 4, 8][below(4)]))
    }
    return below(2) == 0 ? bytes : bytes.reversed()
  }

  /// A number from 0 to below `limit`, of the splitmix64 stream.
  public mutating func below(_ limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((word ^ (word >> 31)) % UInt64(max(limit, 1)))
  }
}

extension [UInt8] {
  /// Replaces as many bytes as are there.
  mutating func overwrite(_ position: Int, with bytes: [UInt8]) {
    for (offset, byte) in bytes.enumerated() where position + offset < count { self[position + offset] = byte }
  }
}
