import CSndfile

/// A libsndfile handle open for writing, into a file whose writes are our own.
///
/// libsndfile forgets what a full disk says while it closes a FLAC file; here the first error number is kept.
final class SoundFileOutput {
  private let stream: OutputStream
  private var handle: OpaquePointer?

  /// - Parameters:
  ///   - start: offset in bytes where libsndfile's file begins inside `descriptor`'s.
  ///   - encoding: what libsndfile writes; of a WAV the samples alone.
  ///   - tags: what libsndfile is to write of them.
  /// - Throws: `AudioFileError.unsupportedOutput`, `writeFailed`.
  init(
    _ descriptor: FileDescriptor, start: Int, sampleRate: Int, channelCount: Int, encoding: AudioEncoding,
    tags: AudioTags
  ) throws {
    let stream = OutputStream(descriptor, start: start)
    self.stream = stream
    var info = SF_INFO()
    info.samplerate = Int32(clamping: sampleRate)
    info.channels = Int32(clamping: channelCount)
    info.format = Int32(encoding.code)
    var callbacks = SF_VIRTUAL_IO(
      get_filelen: { OutputStream.from($0).length },
      seek: { OutputStream.from($2).seek($0, $1) },
      // libsndfile does not read back what it writes.
      read: { _, _, _ in 0 },
      write: { OutputStream.from($2).write($0, $1) },
      tell: { OutputStream.from($0).position })
    var opened: OpaquePointer?
    let reason: String = openLock.withLock { _ in
      opened = sf_open_virtual(
        &callbacks, Int32(SFM_WRITE), &info, Unmanaged.passUnretained(stream).toOpaque())
      return opened == nil ? libraryMessage(sf_strerror(nil)) : ""
    }
    handle = opened
    try check()
    if opened == nil { throw AudioFileError.unsupportedOutput(descriptor.path, reason: reason) }
    setQuality(of: encoding, sampleRate: sampleRate)
    for (field, text) in tags.fields { sf_set_string(handle, field.code, text) }
  }

  /// libsndfile takes qualities as shares of what an encoder can do.
  private func setQuality(of encoding: AudioEncoding, sampleRate: Int) {
    func set(_ command: Int, _ value: Double) {
      var value = value
      sf_command(handle, Int32(command), &value, Int32(MemoryLayout<Double>.size))
    }
    switch encoding {
    case .wav, .flac: break
    case .mp3(let wanted):
      var mode = Int32(SF_BITRATE_MODE_CONSTANT)
      sf_command(handle, Int32(SFC_SET_BITRATE_MODE), &mode, Int32(MemoryLayout<Int32>.size))
      // 0 is the highest bit rate and 1 the lowest; half a kbit/s more, as the rest is cut off.
      let known = AudioEncoding.mp3Bitrates(sampleRate: sampleRate)
      let bitrate = AudioEncoding.mp3Bitrate(near: wanted, sampleRate: sampleRate)
      let (least, most) = (known[0], known[known.count - 1])
      let share = (Double(most - bitrate) - 0.5) / Double(most - least)
      set(SFC_SET_COMPRESSION_LEVEL, min(max(share, 0), 1))
    case .vorbis: set(SFC_SET_VBR_ENCODING_QUALITY, 0.8)
    // From 1 for 6 kbit/s a channel to 0 for 256.
    case .opus: set(SFC_SET_COMPRESSION_LEVEL, 1 - (96.0 - 6) / (256 - 6))
    }
  }

  deinit {
    if handle != nil { sf_close(handle) }
  }

  /// Writes interleaved integers, the value in the upper bits of each.
  func write(_ samples: UnsafePointer<Int32>, frames: Int) throws {
    try check(sf_writef_int(handle, samples, sf_count_t(frames)) == frames)
  }

  /// Writes interleaved floats as they are.
  func write(_ samples: UnsafePointer<Float>, frames: Int) throws {
    try check(sf_writef_float(handle, samples, sf_count_t(frames)) == frames)
  }

  /// Bytes of libsndfile's file.
  var byteCount: Int { Int(stream.length) }

  /// Ends the stream: what the encoder still holds is written.
  func close() throws {
    let result = sf_close(handle)
    handle = nil
    try check(result == 0)
  }

  private func check(_ succeeded: Bool = true) throws {
    let path = stream.descriptor.path
    if stream.failure != 0 {
      throw AudioFileError.writeFailed(path, reason: systemMessage(stream.failure))
    }
    if !succeeded {
      throw AudioFileError.writeFailed(path, reason: libraryMessage(sf_strerror(handle)))
    }
  }
}

/// The file as libsndfile's callbacks see it.
private final class OutputStream {
  let descriptor: FileDescriptor
  private let start: Int
  private(set) var position: sf_count_t = 0
  private(set) var length: sf_count_t = 0
  /// The first error number of the system; 0 for none.
  private(set) var failure: Int32 = 0

  init(_ descriptor: FileDescriptor, start: Int) {
    self.descriptor = descriptor
    self.start = start
  }

  static func from(_ pointer: UnsafeMutableRawPointer?) -> OutputStream {
    // The one pointer that is ever given to libsndfile.
    Unmanaged<OutputStream>.fromOpaque(pointer.unsafelyUnwrapped).takeUnretainedValue()
  }

  func seek(_ offset: sf_count_t, _ origin: Int32) -> sf_count_t {
    let base: sf_count_t =
      switch origin {
      case 1: position
      case 2: length
      default: 0
      }
    position = max(0, base + offset)
    return position
  }

  func write(_ bytes: UnsafeRawPointer?, _ count: sf_count_t) -> sf_count_t {
    guard failure == 0, count > 0 else { return 0 }
    failure = descriptor.write(
      UnsafeRawBufferPointer(start: bytes, count: Int(count)), at: start + Int(position))
    guard failure == 0 else { return 0 }
    position += count
    length = max(length, position)
    return count
  }
}
