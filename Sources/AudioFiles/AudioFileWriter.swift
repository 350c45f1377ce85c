import CSndfile

/// Writes an audio file block by block. Equal samples give equal bytes, in any run.
///
/// Integers: `x * (2^(bits-1) - 1)` rounded to nearest, saturating, NaN as 0. `float32` is kept as it is, beyond
/// full scale too. A file is whole when `finish` has returned; without it, a WAV says that it holds no audio.
public final class AudioFileWriter {
  public let path: FilePath
  public let sampleRate: Int
  public let channelCount: Int
  public let container: Container
  public let sampleFormat: SampleFormat

  /// Frames taken so far.
  public private(set) var framesWritten = 0

  private static let blockFrames = 4096

  private let file: FileDescriptor
  private let header: WAVEHeader?
  private var output: SoundFileOutput?
  private var integers: [Int32]
  private var floats: [Float]

  /// Creates the file, or empties the one that is there.
  ///
  /// - Parameters:
  ///   - sampleRate: Hz.
  ///   - channelCount: 1 to 1024 in WAV, 1 to 8 in FLAC.
  /// - Throws: `AudioFileError`: the cases of opening, `unsupportedOutput` (with no file created),
  ///   `writeFailed`.
  public init(
    path: FilePath, sampleRate: Int, channelCount: Int, container: Container = .wav,
    sampleFormat: SampleFormat
  ) throws {
    self.path = path
    self.sampleRate = sampleRate
    self.channelCount = channelCount
    self.container = container
    self.sampleFormat = sampleFormat
    if let reason = Self.refusal(sampleRate, channelCount, container, sampleFormat) {
      throw AudioFileError.unsupportedOutput(path, reason: reason)
    }
    file = try FileDescriptor.create(path)
    let encoding =
      switch sampleFormat {
      case .int16: SF_FORMAT_PCM_16
      case .int24: SF_FORMAT_PCM_24
      case .float32: SF_FORMAT_FLOAT
      }
    let header: WAVEHeader?
    let format: Int
    switch container {
    case .wav:
      header = WAVEHeader(sampleRate: sampleRate, channelCount: channelCount, sampleFormat: sampleFormat)
      format = SF_FORMAT_RAW | SF_ENDIAN_LITTLE | encoding
    case .flac:
      header = nil
      format = SF_FORMAT_FLAC | encoding
    }
    self.header = header
    integers = sampleFormat == .float32 ? [] : Array(repeating: 0, count: Self.blockFrames * channelCount)
    floats = sampleFormat == .float32 ? Array(repeating: 0, count: Self.blockFrames * channelCount) : []
    try Self.write(header?.bytes(dataByteCount: 0) ?? [], to: file, at: 0)
    output = try SoundFileOutput(
      file, start: header?.byteCount ?? 0, sampleRate: sampleRate, channelCount: channelCount,
      format: format)
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
    if let header {
      let dataByteCount = framesWritten * channelCount * sampleFormat.byteCount
      if dataByteCount % 2 == 1 {
        try Self.write([0], to: file, at: header.byteCount + dataByteCount)
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
    let quantizer = Quantizer(bits: sampleFormat == .int16 ? 16 : 24)
    for first in stride(from: 0, to: frameCount, by: Self.blockFrames) {
      let range = first..<min(first + Self.blockFrames, frameCount)
      for channel in 0..<channelCount {
        samples(channel, range) { source in
          if sampleFormat == .float32 {
            interleave(source, channel, into: &floats) { $0 }
          } else {
            interleave(source, channel, into: &integers) { quantizer($0) }
          }
        }
      }
      if sampleFormat == .float32 {
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

  /// Why this file cannot be, before one is created.
  private static func refusal(
    _ sampleRate: Int, _ channelCount: Int, _ container: Container, _ sampleFormat: SampleFormat
  ) -> String? {
    let channelLimit = container == .flac ? 8 : 1024
    let rateLimit = container == .flac ? 655_350 : 10_000_000
    if !(1...channelLimit).contains(channelCount) {
      return "\(channelCount) channels, where 1 to \(channelLimit) are possible"
    }
    if !(1...rateLimit).contains(sampleRate) {
      return "a sample rate of \(sampleRate) Hz, where 1 to \(rateLimit) are possible"
    }
    if container == .flac, sampleFormat == .float32 {
      return "FLAC holds no 32-bit floats; use 24-bit FLAC or 32-bit float WAV"
    }
    return nil
  }

  private static func write(_ bytes: [UInt8], to file: FileDescriptor, at offset: Int) throws {
    try check(bytes.withUnsafeBytes { file.write($0, at: offset) }, file.path)
  }

  private static func check(_ code: Int32, _ path: FilePath) throws {
    if code != 0 { throw AudioFileError.writeFailed(path, reason: systemMessage(code)) }
  }
}
