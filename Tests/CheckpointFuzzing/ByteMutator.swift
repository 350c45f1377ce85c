/// Damages files in the ways that find bugs in readers.
struct ByteMutator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A copy of one of the seeds with one or a few kinds of damage: to its bytes, or, in every other case of an archive
  /// of stored entries, to the bytes inside it, under checksums that are right.
  mutating func mutated(_ seeds: [[UInt8]]) -> [UInt8] {
    let seed = seeds[below(seeds.count)]
    if below(2) == 0, var archive = ZipBuilder(reading: seed), !archive.entries.isEmpty {
      // The pickle is what there is most to get wrong in.
      let pickle = archive.entries.firstIndex { $0.name.hasSuffix("data.pkl") } ?? 0
      let index = below(4) == 0 ? below(archive.entries.count) : pickle
      archive.entries[index].content = damaged(archive.entries[index].content, other: seeds[below(seeds.count)])
      archive.isZip64 = below(8) == 0
      if below(8) == 0 { archive.entries.append(archive.entries[below(archive.entries.count)]) }
      if below(8) == 0 { archive.entries.remove(at: below(archive.entries.count)) }
      return archive.bytes
    }
    return damaged(seed, other: seeds[below(seeds.count)])
  }

  private mutating func damaged(_ bytes: [UInt8], other: [UInt8]) -> [UInt8] {
    var bytes = bytes
    // Mostly little, which goes far into the reader.
    for _ in 0...below(below(4) == 0 ? 8 : 2) {
      guard !bytes.isEmpty else { break }
      // Headers are at the start or at the end: half of the damage goes there.
      let edge = min(bytes.count, 256)
      let position =
        switch below(4) {
        case 0: below(edge)
        case 1: bytes.count - 1 - below(edge)
        default: below(bytes.count)
        }
      let length = min(bytes.count - position, 1 + below(16))
      switch below(9) {
      case 0: bytes[position] ^= 1 << UInt8(below(8))
      case 1: bytes[position] = UInt8(below(256))
      case 2:
        for (offset, byte) in interestingInteger().enumerated() where position + offset < bytes.count {
          bytes[position + offset] = byte
        }
      case 3: bytes.removeSubrange(position..<position + length)
      case 4: bytes.insert(contentsOf: bytes[position..<position + length], at: below(bytes.count))
      case 5: bytes.removeSubrange(position...)
      case 6:
        let start = below(max(other.count, 1))
        bytes.insert(contentsOf: other[min(start, other.count)...].prefix(below(512)), at: position)
      case 7:
        // Opcodes of pickles, which do something wherever they stand.
        let opcodes = Array("(.012NIJKMGXCBt)]aed}usRobcQhqrj".utf8) + Array(0x80...0x96)
        bytes[position] = opcodes[below(opcodes.count)]
      default:
        for offset in 0..<length { bytes[position + offset] = UInt8(below(256)) }
      }
    }
    return bytes
  }

  private mutating func interestingInteger() -> [UInt8] {
    let values: [Int64] = [0, 1, -1, .max, .min, 1 << 31, 1 << 32, 0x7F, 0x80, 0xFF, 0xFFFF, 1 << 62]
    return Array(littleEndian(values[below(values.count)]).prefix([1, 2, 4, 8][below(4)]))
  }

  /// A number from 0 to below `limit`, of the splitmix64 stream.
  private mutating func below(_ limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((word ^ (word >> 31)) % UInt64(max(limit, 1)))
  }
}

extension ZipBuilder {
  /// The entries of a sound archive, by their own headers; nil for other files. Deflated ones stay so.
  public init?(reading file: [UInt8]) {
    func integer(_ position: Int, _ size: Int) -> Int {
      file[position..<position + size].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    self.init()
    // The record at the end of an archive without a comment.
    guard file.count >= 22, integer(file.count - 22, 4) == 0x0605_4B50 else { return nil }
    var position = integer(file.count - 6, 4)
    while position + 46 <= file.count, integer(position, 4) == 0x0201_4B50 {
      let (nameLength, extraLength) = (integer(position + 28, 2), integer(position + 30, 2))
      let header = integer(position + 42, 4)
      let start = header + 30 + integer(header + 26, 2) + integer(header + 28, 2)
      let (compressedSize, size) = (integer(position + 20, 4), integer(position + 24, 4))
      guard start + compressedSize <= file.count else { return nil }
      let name = String(decoding: file[(position + 46)..<(position + 46 + nameLength)], as: UTF8.self)
      var entry = Entry(name, Array(file[start..<start + compressedSize]))
      entry.method = UInt16(integer(position + 10, 2))
      if entry.method != 0 { entry.size = size }
      entries.append(entry)
      position += 46 + nameLength + extraLength + integer(position + 32, 2)
    }
  }
}
