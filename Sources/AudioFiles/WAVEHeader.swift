/// The header of a WAV file: everything before the samples.
///
/// It is our own because libsndfile's plain WAV breaks at 4 GiB and its RF64 is `WAVE_FORMAT_EXTENSIBLE` even
/// when short, which simple readers refuse. Here a `JUNK` chunk keeps room (EBU Tech 3306), so that the file can
/// become RF64 when it is finished and is a plain RIFF WAV otherwise. No time of day (`PEAK` chunk) is in it.
package struct WAVEHeader {
  let sampleRate: Int
  let channelCount: Int
  let sampleFormat: SampleFormat
  let tags: AudioTags
  /// The largest size that the fields of a plain WAV hold.
  let sizeLimit: Int

  package init(
    sampleRate: Int, channelCount: Int, sampleFormat: SampleFormat, tags: AudioTags = AudioTags(),
    sizeLimit: Int = Int(UInt32.max)
  ) {
    self.sampleRate = sampleRate
    self.channelCount = channelCount
    self.sampleFormat = sampleFormat
    self.tags = tags
    self.sizeLimit = sizeLimit
  }

  /// Bytes before the first sample, the same for any length of audio.
  package var byteCount: Int { bytes(dataByteCount: 0).count }

  /// The header of a file with so many bytes of samples. Samples of an odd number of bytes are followed by one
  /// byte of padding.
  package func bytes(dataByteCount: Int) -> [UInt8] {
    let frameByteCount = channelCount * sampleFormat.byteCount
    let frameCount = dataByteCount / frameByteCount
    let isFloat = sampleFormat == .float32

    var format: [UInt8] = []
    format.append(littleEndian: UInt16(isFloat ? 3 : 1))
    format.append(littleEndian: UInt16(clamping: channelCount))
    format.append(littleEndian: UInt32(clamping: sampleRate))
    format.append(littleEndian: UInt32(clamping: sampleRate * frameByteCount))
    format.append(littleEndian: UInt16(clamping: frameByteCount))
    format.append(littleEndian: UInt16(8 * sampleFormat.byteCount))
    // Formats other than PCM have an extension, here of 0 bytes, and a fact chunk.
    if isFloat { format.append(littleEndian: UInt16(0)) }

    var rest: [UInt8] = chunk("fmt ", format)
    if isFloat {
      var fact: [UInt8] = []
      fact.append(littleEndian: UInt32(clamping: frameCount))
      rest += chunk("fact", fact)
    }

    let texts = tags.fields.flatMap { text($0.field.waveName, $0.text) }
    if !texts.isEmpty { rest += chunk("LIST", Array("INFO".utf8) + texts) }

    // "WAVE", the chunk of sizes, the rest, the header of "data", the samples.
    let riffByteCount = 4 + (8 + 28) + rest.count + 8 + dataByteCount + dataByteCount % 2
    let isLong = riffByteCount > sizeLimit
    var sizes: [UInt8] = []
    sizes.append(littleEndian: UInt64(isLong ? riffByteCount : 0))
    sizes.append(littleEndian: UInt64(isLong ? dataByteCount : 0))
    sizes.append(littleEndian: UInt64(isLong ? frameCount : 0))
    sizes.append(littleEndian: UInt32(0))

    var header = Array((isLong ? "RF64" : "RIFF").utf8)
    header.append(littleEndian: isLong ? UInt32.max : UInt32(riffByteCount))
    header += Array("WAVE".utf8) + chunk(isLong ? "ds64" : "JUNK", sizes) + rest + Array("data".utf8)
    header.append(littleEndian: isLong ? UInt32.max : UInt32(dataByteCount))
    return header
  }

  /// A text of the list: zero-terminated, and padded to an even length. None for a field that RIFF does not know.
  private func text(_ name: String?, _ text: String) -> [UInt8] {
    guard let name else { return [] }
    let content = Array(text.utf8) + [0]
    return chunk(name, content) + (content.count % 2 == 1 ? [0] : [])
  }

  private func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    var bytes = Array(name.utf8)
    bytes.append(littleEndian: UInt32(content.count))
    return bytes + content
  }
}

extension [UInt8] {
  fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
