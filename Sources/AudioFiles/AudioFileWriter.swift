import CSndfile

/// Writes an audio file block by block. Equal samples give equal bytes, in any run.
///
/// Integers: `x * (2^(bits-1) - 1)` rounded to nearest, saturating, NaN as 0. `float32` is kept as it is, beyond
/// full scale too. Lossy encoders are given floats cut at full scale, NaN as 0. A file is whole when `finish` has
/// returned; without it, a WAV says that it holds no audio.
public final class AudioFileWriter {
  public let path: FilePath
  public let sampleRate: Int
  public let channelCount: Int
  public let encoding: AudioEncoding

  /// Frames taken so far.
  public private(set) var framesWritten = 0

  /// Frames handed on at a time: libsndfile's Ogg encoders put a multiple of it on the stack.
  private let blockFrames: Int
  private let file: FileDescriptor
  private let header: WAVEHeader?
  /// Bytes before those that libsndfile writes.
  private let startByteCount: Int
  private var output: SoundFileOutput?
  /// One of the two is in use.
  private var integers: [Int32] = []
  private var floats: [Float] = []

  /// Creates the file, or empties the one that is there.
  ///
  /// - Parameters:
  ///   - sampleRate: Hz; MP3 and Opus know a few only.
  ///   - channelCount: 1 to 1024 in WAV, 1 or 2 in MP3, else 1 to 8.
  ///   - tags: written as far as the format knows them: as `LIST` of a WAV (UTF-8, no licence), comments of FLAC and Ogg,
  ///     ID3 of an MP3.
  /// - Throws: `AudioFileError`: the cases of opening, `unsupportedOutput` (mostly with no file created),
  ///   `writeFailed`.
  public convenience init(
    path: FilePath, sampleRate: Int, channelCount: Int, encoding: AudioEncoding, tags: AudioTags = AudioTags()
  ) throws {
    try self.init(
      path: path, sampleRate: sampleRate, channelCount: channelCount, encoding: encoding, tags: tags,
      waveSizeLimit: Int(UInt32.max))
  }

  /// The same with another size beyond which a WAV becomes RF64.
  package init(
    path: FilePath, sampleRate: Int, channelCount: Int, encoding: AudioEncoding, tags: AudioTags, waveSizeLimit: Int
  ) throws {
    self.path = path
    self.sampleRate = sampleRate
    self.channelCount = channelCount
    self.encoding = encoding
    if let reason = encoding.refusal(sampleRate: sampleRate, channelCount: channelCount) {
      throw AudioFileError.unsupportedOutput(path, reason: reason)
    }
    file = try FileDescriptor.create(path)
    if case .wav(let format) = encoding {
      header = WAVEHeader(
        sampleRate: sampleRate, channelCount: channelCount, sampleFormat: format, tags: tags,
        sizeLimit: waveSizeLimit)
    } else {
      header = nil
    }
    let start = header?.bytes(dataByteCount: 0) ?? (encoding.isMP3 ? ID3Tag.bytes(tags) : [])
    startByteCount = start.count
    blockFrames = encoding.isOgg ? 1024 : 4096
    switch encoding.sampleFormat {
    case .int16, .int24: integers = Array(repeating: 0, count: blockFrames * channelCount)
    case .float32, nil: floats = Array(repeating: 0, count: blockFrames * channelCount)
    }
    try Self.write(start, to: file, at: 0)
    output = try SoundFileOutput(
      // Tags that stand in the start already need no library.
      file, start: start.count, sampleRate: sampleRate, channelCount: channelCount, encoding: encoding,
      tags: start.isEmpty ? tags : AudioTags())
  }

  /// Creates a file of a lossless format.
  public convenience init(
    path: FilePath, sampleRate: Int, channelCount: Int, container: Container = .wav,
    sampleFormat: SampleFormat
  ) throws {
    let encoding: AudioEncoding = container == .flac ? .flac(sampleFormat) : .wav(sampleFormat)
    try self.init(path: path, sampleRate: sampleRate, channelCount: channelCount, encoding: encoding)
  }

  /// Creates the file of a UTF-8 path.
  public convenience init(
    path: String, sampleRate: Int, channelCount: Int, container: Container = .wav,
    sampleFormat: SampleFormat
  ) throws {
    try self.init(
      path: FilePath(path), sampleRate: sampleRate, channelCount: channelCount, container: container,
      sampleFormat: sampleFormat)
  }

  /// Appends frames, `[channelCount, frames]`.
  ///
  /// - Throws: `AudioFileError.writeFailed` (a full disk, a finished file), `unsupportedOutput` if the number
  ///   of channels is not the file's.
  public func write(_ buffer: AudioBuffer) throws {
    guard buffer.channelCount == channelCount else {
      throw wrongChannelCount(buffer.channelCount)
    }
    try write(frameCount: buffer.frameCount) { channel, range, body in
      buffer.channels[channel].withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
    }
  }

  /// Appends frames out of memory that the caller owns: one pointer a channel, `frameCount` floats behind each.
  public func write(_ channels: [UnsafePointer<Float>], frameCount: Int) throws {
    guard channels.count == channelCount else { throw wrongChannelCount(channels.count) }
    try write(frameCount: frameCount) { channel, range, body in
      body(UnsafeBufferPointer(start: channels[channel] + range.lowerBound, count: range.count))
    }
  }

  /// Completes the header and puts everything on the disk. The file is closed with the writer.
  ///
  /// - Throws: `AudioFileError.writeFailed`.
  public func finish() throws {
    guard let output else { throw AudioFileError.writeFailed(path, reason: "the file is finished") }
    self.output = nil
    try output.close()
    if encoding.isOgg {
      try Self.check(OggPages.setSerialNumber(1, in: file, byteCount: output.byteCount), path)
    }
    if let header {
      let dataByteCount = framesWritten * channelCount * header.sampleFormat.byteCount
      if dataByteCount % 2 == 1 {
        try Self.write([0], to: file, at: startByteCount + dataByteCount)
      }
      try Self.write(header.bytes(dataByteCount: dataByteCount), to: file, at: 0)
    }
    try Self.check(file.synchronize(), path)
  }

  private typealias Samples = (
    _ channel: Int, _ range: Range<Int>, _ body: (UnsafeBufferPointer<Float>) -> Void
  ) -> Void

  private func write(frameCount: Int, samples: Samples) throws {
    guard let output else { throw AudioFileError.writeFailed(path, reason: "the file is finished") }
    let format = encoding.sampleFormat
    let quantizer = Quantizer(bits: format == .int16 ? 16 : 24)
    for first in stride(from: 0, to: frameCount, by: blockFrames) {
      let range = first..<min(first + blockFrames, frameCount)
      for channel in 0..<channelCount {
        samples(channel, range) { source in
          switch format {
          case .int16, .int24: interleave(source, channel, into: &integers) { quantizer($0) }
          case .float32: interleave(source, channel, into: &floats) { $0 }
          // LAME and Vorbis wrap round or do worse beyond full scale.
          case nil: interleave(source, channel, into: &floats) { $0.isNaN ? 0 : min(max($0, -1), 1) }
          }
        }
      }
      if integers.isEmpty {
        try output.write(floats, frames: range.count)
      } else {
        try output.write(integers, frames: range.count)
      }
      framesWritten += range.count
    }
  }

  @inline(__always)
  private func interleave<Element>(
    _ source: UnsafeBufferPointer<Float>, _ channel: Int, into target: inout [Element],
    _ convert: (Float) -> Element
  ) {
    target.withUnsafeMutableBufferPointer { target in
      for frame in source.indices { target[frame * channelCount + channel] = convert(source[frame]) }
    }
  }

  private func wrongChannelCount(_ count: Int) -> AudioFileError {
    .unsupportedOutput(path, reason: "\(count) channels were given for a file of \(channelCount)")
  }

  private static func write(_ bytes: [UInt8], to file: FileDescriptor, at offset: Int) throws {
    try check(bytes.withUnsafeBytes { file.write($0, at: offset) }, file.path)
  }

  private static func check(_ code: Int32, _ path: FilePath) throws {
    if code != 0 { throw AudioFileError.writeFailed(path, reason: systemMessage(code)) }
  }
}
