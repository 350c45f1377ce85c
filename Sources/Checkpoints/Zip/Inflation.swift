import CZlib

/// Inflates a raw deflate stream (RFC 1951), as zip archives hold them.
enum Inflation {
  /// - Parameters:
  ///   - bytes: the whole stream.
  ///   - count: how many bytes it has to give; memory is taken for these alone, whatever the stream holds.
  /// - Returns: nil where the stream is damaged, or does not give just as many bytes.
  static func inflate(_ bytes: UnsafeRawBufferPointer, count: Int) -> [UInt8]? {
    var isWhole = false
    let result = [UInt8](unsafeUninitializedCapacity: max(count, 1)) { output, written in
      isWhole = inflate(bytes, into: UnsafeMutableBufferPointer(rebasing: output[..<count]))
      // A stream that stopped half-way leaves bytes that nobody wrote.
      written = isWhole ? count : 0
    }
    return isWhole ? result : nil
  }

  private static func inflate(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>
  ) -> Bool {
    var stream = z_stream()
    guard inflate_init_raw(&stream) == Z_OK else { return false }
    defer { inflateEnd(&stream) }
    // zlib counts in 32 bits, so that larger buffers are handed over piece by piece.
    let piece = 1 << 30
    var (read, written) = (0, 0)
    while true {
      let (available, room) = (min(piece, input.count - read), min(piece, output.count - written))
      stream.next_in = UnsafeMutablePointer(
        mutating: input.baseAddress.map { ($0 + read).assumingMemoryBound(to: UInt8.self) })
      stream.avail_in = UInt32(available)
      stream.next_out = output.baseAddress.map { $0 + written }
      stream.avail_out = UInt32(room)
      let status = CZlib.inflate(&stream, Z_NO_FLUSH)
      let progress = (available - Int(stream.avail_in), room - Int(stream.avail_out))
      read += progress.0
      written += progress.1
      if status == Z_STREAM_END { return written == output.count && read == input.count }
      guard status == Z_OK, progress != (0, 0) else { return false }
    }
  }

  /// CRC-32 of `bytes`, as zip archives hold it.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let start = bytes.baseAddress else { return 0 }
    return UInt32(truncatingIfNeeded: crc32_z(0, start.assumingMemoryBound(to: UInt8.self), bytes.count))
  }
}
