import Glibc

/// The program `ffmpeg`, for formats that libsndfile does not read: M4A, AAC, WMA, the sound of videos and more.
///
/// The program is started for one file, without a shell, and ends with it: it is killed when the reading is cancelled, or
/// when it writes nothing for long, and always waited for.
public struct FFmpeg: Sendable {
  /// Folders to look for the program in, with colons between them.
  public let searchPath: String
  /// Seconds that the program may write nothing before it is killed; infinity where it is never.
  public let timeout: Double

  /// The timeout in the environment; 0 is none.
  public static let timeoutVariable = "DEMUCS_CLI_FFMPEG_TIMEOUT"

  /// What is wrong with the timeout in the environment, as a sentence; nil if nothing is.
  public static var timeoutProblem: String? {
    guard let text = getenv(timeoutVariable).map({ String(cString: $0) }) else { return nil }
    if let seconds = Double(text), seconds >= 0 { return nil }
    return "\(timeoutVariable) is '\(text)'; it must be seconds, 0 or more, or not be set."
  }

  /// - Parameters:
  ///   - searchPath: as `PATH`, which is taken for nil.
  ///   - timeout: nil takes what the environment says, or a minute.
  public init(searchPath: String? = nil, timeout: Double? = nil) {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    self.searchPath = searchPath ?? variable("PATH") ?? ""
    let wanted = timeout ?? variable(FFmpeg.timeoutVariable).flatMap(Double.init) ?? 60
    self.timeout = wanted == 0 ? .infinity : wanted > 0 ? wanted : 60
  }

  /// The program; nil where there is none.
  public var program: FilePath? {
    searchPath.split(separator: ":").lazy.map { FilePath(String($0)).appending("ffmpeg") }.first { path in
      var status = stat()
      return path.call { stat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFREG
        && path.call { access($0, X_OK) } == 0
    }
  }

  /// What the program did.
  struct Outcome {
    /// Its exit status; 128 and the number of the signal that ended it.
    let status: Int32
    /// The lines it complained with, the first few.
    let complaints: [String]
    /// Whether it was killed because it wrote nothing any more.
    var hasStalled = false
  }

  /// File descriptors of the program: names of files, and so protocols, options and changed links, do not come into it.
  private static let (inputNumber, outputNumber, metadataNumber): (Int32, Int32, Int32) = (3, 4, 5)

  /// The first stream of sound as WAV (RF64 where it is long) of 32-bit floats, at its own rate, with its own channels; and
  /// the tags of the file and that stream as text, since a WAV's would be cut off behind the first long one. No network,
  /// whatever the file refers to; nothing of the machine's clock.
  private static let arguments =
    [
      "ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
      "-protocol_whitelist", "file", "-i", "file:/dev/fd/\(inputNumber)",
    ] + [
      "-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact",
      "-c:a", "pcm_f32le", "-rf64", "auto", "-f", "wav", "file:/dev/fd/\(outputNumber)",
    ] + [
      "-map_metadata", "0:g", "-map_metadata", "0:s:a:0", "-map_chapters", "-1", "-fflags", "+bitexact",
      "-f", "ffmetadata", "file:/dev/fd/\(metadataNumber)",
    ]

  /// Runs the program to its end, or to where it stalls.
  /// - Parameters:
  ///   - program: where it is.
  ///   - input: the file to read.
  ///   - output: an empty file to write the samples to.
  ///   - metadata: an empty file to write the tags to: `FFmpegMetadata`.
  ///   - check: is called several times a second; what it throws kills the program.
  /// - Throws: `ProcessError`, or what `check` throws.
  func run(
    _ program: FilePath, input: FileDescriptor, output: FileDescriptor, metadata: FileDescriptor,
    check: () throws -> Void
  ) throws -> Outcome {
    let process = try ChildProcess(
      program, arguments: FFmpeg.arguments,
      descriptors: [
        (input.number, FFmpeg.inputNumber), (output.number, FFmpeg.outputNumber),
        (metadata.number, FFmpeg.metadataNumber),
      ])
    defer { process.end() }
    var watch = StallWatch(limit: timeout)
    var errors: [UInt8] = []
    var isListening = true
    var hasStalled = false
    while process.status == nil, !hasStalled {
      if isListening {
        isListening = try process.readErrors(into: &errors, limit: FFmpeg.complaintLimit, milliseconds: 100)
      } else {
        usleep(20_000)
      }
      try check()
      hasStalled = watch.hasStalled(byteCount: output.size + metadata.size, seconds: monotonicSeconds())
    }
    // What it said last; whatever it may have left running is not waited for.
    while isListening, !hasStalled, errors.count < FFmpeg.complaintLimit {
      let count = errors.count
      isListening = try process.readErrors(into: &errors, limit: FFmpeg.complaintLimit, milliseconds: 0)
      if errors.count == count { break }
    }
    try check()
    let lines = errors.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).map { FFmpeg.plain(printable(Array($0))) }
    return Outcome(status: process.status ?? 0, complaints: lines.filter { !$0.isEmpty }, hasStalled: hasStalled)
  }

  /// Bytes of its words that are kept.
  private static let complaintLimit = 1 << 14

  /// What becomes of its complaint that there is no stream of sound.
  static let noAudioTrack = "has no audio track"

  /// A complaint without what only the program's authors want to know.
  private static func plain(_ line: String) -> String {
    var rest = Substring(line)
    // "[mov,mp4,m4a @ 0x55d0c8a4b2c0] "
    while rest.first == "[", let end = rest.firstIndex(of: "]") {
      rest = rest[rest.index(after: end)...].drop { $0 == " " }
    }
    let name = "file:/dev/fd/\(inputNumber): "
    if rest.hasPrefix(name) { rest = rest.dropFirst(name.count) }
    if rest.contains("matches no streams") || rest.contains("does not contain any stream") {
      return noAudioTrack
    }
    while rest.last == "." || rest.last == " " { rest.removeLast() }
    return String(rest)
  }
}
