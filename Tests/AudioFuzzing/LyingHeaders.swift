/// A WAV file whose header says anything: by default 4000 bytes of 16-bit stereo at 44.1 kHz.
struct WAVBytes {
  var formatTag = 1
  var channels = 2
  var sampleRate = 44100
  var byteRate: Int?
  var blockAlign: Int?
  var bits = 16
  var formatSize = 16
  var riffSize: Int?
  var data = (0..<4000).map { UInt8(truncatingIfNeeded: $0 * 7) }
  var dataSize: Int?
  /// Chunks before that of the samples.
  var before: [UInt8] = []

  static func little(_ value: UInt32, count: Int = 4) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0.prefix(count)) }
  }

  static func little(_ value: Int, count: Int = 4) -> [UInt8] {
    little(UInt32(truncatingIfNeeded: value), count: count)
  }

  static func chunk(_ name: String, size: Int? = nil, _ content: [UInt8]) -> [UInt8] {
    Array(name.utf8) + little(size ?? content.count) + content
  }

  var format: [UInt8] {
    let align = blockAlign ?? channels * (bits / 8)
    let fields: [[UInt8]] = [
      WAVBytes.little(formatTag, count: 2), WAVBytes.little(channels, count: 2), WAVBytes.little(sampleRate),
      WAVBytes.little(byteRate ?? sampleRate &* align), WAVBytes.little(align, count: 2),
      WAVBytes.little(bits, count: 2),
    ]
    return WAVBytes.chunk("fmt ", size: formatSize, fields.flatMap { $0 })
  }

  var bytes: [UInt8] {
    let rest = format + before + WAVBytes.chunk("data", size: dataSize, data)
    return Array("RIFF".utf8) + WAVBytes.little(riffSize ?? 4 + rest.count) + Array("WAVE".utf8) + rest
  }
}

/// WAV files each of which lies in one thing.
enum LyingHeaders {
  static func wav() -> [BadFiles.File] {
    var files: [BadFiles.File] = []
    func add(_ name: String, _ outcome: BadFiles.Outcome = .either, _ change: (inout WAVBytes) -> Void) {
      var wav = WAVBytes()
      change(&wav)
      files.append(BadFiles.File(name: "wav-\(name)", bytes: wav.bytes, outcome: outcome))
    }
    for value in [0, 1, 3, 64, 255, 1024, 1025, 32768, 65535] {
      let outcome: BadFiles.Outcome =
        value == 0 || value > 1024 ? .failure : .audio(frames: 100, sampleRate: 44100)
      add("channels-\(value)", outcome) { wav in
        wav.channels = value
        if value > 0 { wav.data = (0..<200 * value).map { UInt8(truncatingIfNeeded: $0 * 7) } }
      }
    }
    for value in [0, 1, 7, 999, 10_000_001, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] {
      add("rate-\(value)", .failure) { $0.sampleRate = value }
    }
    for value in [1000, 8000, 768_000, 10_000_000] {
      add("rate-\(value)", .audio(frames: 1000, sampleRate: value)) { $0.sampleRate = value }
    }
    for value in [0, 1, 3, 5, 255, 65535] { add("block-align-\(value)") { $0.blockAlign = value } }
    for value in [0, 1, 0xFFFF_FFFF] { add("byte-rate-\(value)") { $0.byteRate = value } }
    for value in [0, 1, 7, 8, 9, 12, 15, 17, 20, 24, 31, 32, 33, 64, 128, 65535] {
      add("bits-\(value)") { $0.bits = value }
    }
    for value in [0, 2, 3, 6, 7, 0x11, 0x14, 0x31, 0x50, 0x55, 0x160, 0x674F, 0x7777, 0xF1AC, 0xFFFE, 0xFFFF] {
      add("format-\(value)") { $0.formatTag = value }
    }
    // Headers that were never finished.
    for value in [0, 1, 2, 3] { add("data-\(value)", .audio(frames: 1000, sampleRate: 44100)) { $0.dataSize = value } }
    for value in [5, 3999, 4001, 4002, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF] {
      add("data-\(value)") { $0.dataSize = value }
    }
    for value in [0, 4, 8, 36, 100, 0x7FFF_FFFF, 0xFFFF_FFFF] {
      add("riff-\(value)", .audio(frames: 1000, sampleRate: 44100)) { $0.riffSize = value }
    }
    for value in [0, 1, 2, 14, 15, 17, 18, 40, 1000, 0x7FFF_FFFF, 0xFFFF_FFFF] {
      add("format-size-\(value)") { $0.formatSize = value }
    }
    for name in [
      "LIST", "fact", "cue ", "smpl", "bext", "PEAK", "id3 ", "cart", "inst", "acid", "ds64", "JUNK", "\0\0\0\0",
    ] {
      for value in [0, 1, 100, 0x7FFF_FFFF, 0xFFFF_FFFF] {
        add("chunk-\(name.filter(\.isLetter))-\(value)") {
          $0.before = WAVBytes.chunk(name, size: value, [UInt8](repeating: 0x41, count: 100))
        }
      }
    }
    add("list-in-list") {
      $0.before = WAVBytes.chunk("LIST", Array("INFO".utf8) + WAVBytes.chunk("INAM", size: 1 << 30, [65]))
    }
    add("many-chunks") { $0.before = (0..<3000).flatMap { _ in WAVBytes.chunk("JUNK", []) } }
    add("two-formats") { $0.before = WAVBytes(channels: 1, bits: 8).format }
    add("two-datas") { $0.before = WAVBytes.chunk("data", []) }
    add("no-data", .failure) { ($0.before, $0.data) = (WAVBytes.chunk("nope", $0.data), []) }
    return files
  }
}
