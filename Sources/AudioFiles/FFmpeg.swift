import Glibc

/// The program `ffmpeg`, for formats that libsndfile does not read: M4A, AAC, WMA, the sound of videos and more.
///
/// The program is started for one file, without a shell, and ends with it: it is killed when the reading is cancelled,
/// and always waited for.
public struct FFmpeg: Sendable {
  /// Folders to look for the program in, with colons between them.
  public let searchPath: String

  /// - Parameter searchPath: as `PATH`, which is taken for nil.
  public init(searchPath: String? = nil) {
    self.searchPath = searchPath ?? getenv("PATH").map { String(cString: $0) } ?? ""
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

  /// Runs the program to its end.
  /// - Parameters:
  ///   - program: where it is.
  ///   - input: the file to read.
  ///   - output: an empty file to write the samples to.
  ///   - metadata: an empty file to write the tags to: `FFmpegMetadata`.
  ///   - check: is called several times a second; what it throws kills the program.
  /// - Throws: `ProcessError`, or what `check` throws.
  static func run(
    _ program: FilePath, input: FileDescriptor, output: FileDescriptor, metadata: FileDescriptor,
    check: () throws -> Void
  ) throws -> Outcome {
    let process = try ChildProcess(
      program, arguments: arguments,
      descriptors: [
        (input.number, inputNumber), (output.number, outputNumber), (metadata.number, metadataNumber),
      ])
    defer { process.end() }
    var errors: [UInt8] = []
    while try process.readErrors(into: &errors, limit: 1 << 14) { try check() }
    while process.status == nil {
      try check()
      usleep(20_000)
    }
    try check()
    let lines = errors.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).map { plain(printable(Array($0))) }
    return Outcome(status: process.status ?? 0, complaints: lines.filter { !$0.isEmpty })
  }

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
      return "it holds no sound"
    }
    while rest.last == "." || rest.last == " " { rest.removeLast() }
    return String(rest)
  }
}
