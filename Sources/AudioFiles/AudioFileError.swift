import Glibc

/// What can go wrong with an audio file. `description` is one line for a person: which file, what is wrong,
/// what to do.
public enum AudioFileError: Error, Equatable, Sendable {
  case notFound(FilePath)
  case permissionDenied(FilePath)
  case isDirectory(FilePath)
  /// A pipe, a device, a socket.
  case notRegularFile(FilePath)
  /// 0 bytes long.
  case emptyFile(FilePath)
  /// Any other refusal of the system to open or create the file.
  case cannotOpen(FilePath, reason: String)
  /// The bytes are no audio that libsndfile reads, or their header cannot be.
  case notAudio(FilePath, reason: String)
  /// The bytes begin like those of a container that libsndfile reads, and no further.
  case damaged(FilePath, container: String, reason: String)
  /// A format that libsndfile does not know, and no ffmpeg on the path.
  case needsFFmpeg(FilePath)
  /// The same, and an ffmpeg that does not work.
  case brokenFFmpeg(FilePath, reason: String)
  /// Neither libsndfile nor ffmpeg reads it.
  case notDecoded(FilePath, reason: String)
  /// ffmpeg was ended as it wrote nothing for so many seconds.
  case decodingStalled(FilePath, seconds: Double)
  /// Pictures without sound.
  case noAudioTrack(FilePath)
  /// A sample rate in Hz, out of the file's header, that cannot be resampled.
  case unsupportedSampleRate(FilePath, rate: Int)
  /// Fewer channels than wanted, and more than one: no rule says how to fill the others.
  case tooFewChannels(FilePath, found: Int, wanted: Int)
  /// A well-formed file of zero frames.
  case noAudio(FilePath)
  /// The header promises frames, and not one can be read.
  case truncated(FilePath, promisedFrames: Int)
  /// The system failed to deliver the bytes, or the library to resample them.
  case readFailed(FilePath, frame: Int, reason: String)
  /// It is not the file any more that it was when reading began.
  case changed(FilePath)
  /// What comes out of a pipe cannot be kept in a temporary file.
  case cannotSpool(FilePath, folder: FilePath, reason: String)
  /// The wanted rate, channel count, container and sample format do not go together.
  case unsupportedOutput(FilePath, reason: String)
  case writeFailed(FilePath, reason: String)
}

extension AudioFileError {
  /// Why a file could not be opened or made, as a clause.
  var reason: String {
    switch self {
    case .notFound: systemMessage(ENOENT)
    case .permissionDenied: systemMessage(EACCES)
    case .isDirectory: systemMessage(EISDIR)
    case .cannotOpen(_, let reason), .writeFailed(_, let reason): reason
    default: description
    }
  }
}

extension AudioFileError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notFound(let path):
      "\(path): no such file or folder. Check the path."
    case .permissionDenied(let path):
      "\(path): permission denied. Change the permissions of the file or its folder, or run as its owner."
    case .isDirectory(let path):
      "\(path): is a folder, not an audio file. Name a file."
    case .notRegularFile(let path):
      "\(path): is a pipe or a device, not a file. Copy its content to a file first."
    case .emptyFile(let path):
      "\(path): is empty (0 bytes). Fetch or export the file again."
    case .cannotOpen(let path, let reason):
      "\(path): cannot be opened: \(reason). Check the path and the disk."
    case .notAudio(let path, let reason):
      "\(path): cannot be read as audio: \(reason). Use WAV, FLAC, Ogg Vorbis or Opus, MP3 or AIFF."
    case .damaged(let path, let container, let reason):
      "\(path): begins like \(container), but cannot be read: \(reason). "
        + "The file is cut short or damaged; fetch or export it again."
    case .needsFFmpeg(let path):
      "\(path): this format is read with the help of ffmpeg, which is not on the PATH. "
        + "Install it (apt install ffmpeg), or convert the file to WAV or FLAC."
    case .brokenFFmpeg(let path, let reason):
      "\(path): this format is read with the help of ffmpeg, which does not work here: \(reason). "
        + "Install it anew (apt install --reinstall ffmpeg), or convert the file to WAV or FLAC."
    case .notDecoded(let path, let reason):
      "\(path): cannot be read as audio, not by ffmpeg either: \(reason). Fetch or export the file again."
    case .decodingStalled(let path, let seconds):
      "\(path): ffmpeg wrote nothing for \(decimal(seconds)) s while it decoded it, and was ended: the file may be damaged. "
        + "Fetch or export it again, or convert it to WAV or FLAC; "
        + "where the disk is slow, set \(FFmpeg.timeoutVariable) to more seconds."
    case .noAudioTrack(let path):
      "\(path): has no audio track. Choose a file with sound, or export it again with its sound."
    case .unsupportedSampleRate(let path, let rate):
      "\(path): its header gives a sample rate of \(rate) Hz, outside \(supportedRateText). "
        + "The header is damaged, or the file holds no audio; export it again."
    case .tooFewChannels(let path, let found, let wanted):
      "\(path): has \(found) channels and \(wanted) are needed. Use a file with 1 or at least \(wanted)."
    case .noAudio(let path):
      "\(path): contains no audio (0 frames). Fetch or export the file again."
    case .truncated(let path, let promisedFrames):
      "\(path): its header promises \(promisedFrames) frames, and none can be read. "
        + "The file is cut short or damaged; fetch it again."
    case .readFailed(let path, let frame, let reason):
      "\(path): reading failed after frame \(frame): \(reason). Check the disk, then try again."
    case .changed(let path):
      "\(path): changed while it was being read. Wait until whatever writes to it is done, then try again."
    case .cannotSpool(let path, let folder, let reason):
      "\(path): cannot be kept in a temporary file in \(folder): \(reason). "
        + (reason == systemMessage(EMFILE)
          ? "Raise the limit on open files (ulimit -n)" : "Free some space or choose another folder")
        + ", then try again."
    case .unsupportedOutput(let path, let reason):
      "\(path): cannot be written: \(reason). Choose another format (WAV takes any rate) or another sample rate."
    case .writeFailed(let path, let reason):
      "\(path): writing failed: \(reason). Free some space or choose another folder, then try again."
    }
  }

  private func decimal(_ seconds: Double) -> String {
    seconds == seconds.rounded() && seconds < 1e9 ? String(Int(seconds)) : String(seconds)
  }

  private var supportedRateText: String {
    "\(AudioSource.supportedFileRates.lowerBound) to \(AudioSource.supportedFileRates.upperBound) Hz"
  }
}
