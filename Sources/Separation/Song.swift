import AudioFiles
import Glibc

/// A song as it comes in: where its audio is, and what its stems are named after.
public struct Song: Hashable, Sendable {
  /// Where the audio comes from.
  public enum Source: Hashable, Sendable {
    /// The file, or named pipe, of the path.
    case file
    case standardInput
  }

  /// What standard input is called in messages.
  static let standardInputName: FilePath = "standard input"

  public let source: Source
  /// The path of the file. Stems are named after its last part: "stdin" for standard input.
  public let path: FilePath
  /// What `{dir}` of a template stands for: the folder of the song below the one that it was looked for in. Relative,
  /// without detours, and empty for a song that lies in that folder itself.
  public let folder: FilePath

  private init(source: Source, path: FilePath, folder: FilePath) {
    (self.source, self.path, self.folder) = (source, path, folder)
  }

  /// A song in a file.
  /// - Parameters:
  ///   - path: the file.
  ///   - relativePath: its path below the folder that it was found in; nil for one that was named as it is.
  public init(_ path: FilePath, relativePath: FilePath? = nil) {
    let place = relativePath ?? path
    self.init(source: .file, path: path, folder: place.bytes.contains(0x2F) ? place.folder.confined : "")
  }

  /// A song in the file of a UTF-8 path.
  public init(_ path: String) { self.init(FilePath(path)) }

  /// What comes in on standard input.
  public static let standardInput = Song(source: .standardInput, path: "stdin", folder: "")

  /// Which file the song lies in; nil of one that is not there, and of standard input that is no file.
  var identity: FileIdentity? {
    source == .file ? FileIdentity(path) : FileIdentity(descriptor: STDIN_FILENO)
  }

  /// The song under its absolute path; as it is where its folder was scanned, or is not to be found.
  var withAbsolutePath: Song {
    guard source == .file, !path.isAbsolute, Song(path).folder == folder,
      let real = path.folder.withCString({ realpath($0, nil) }) ?? nil
    else { return self }
    defer { free(real) }
    return Song(FilePath(cString: real).appending(name))
  }

  /// The song's file without its folders: what `{track}` and `{trackext}` are made of.
  public var name: FilePath { path.name }

  /// What the song is called on a command line, for programs: its path, or `-`.
  public var argument: FilePath { source == .standardInput ? "-" : path }

  /// Opens the song.
  /// - Parameters:
  ///   - spoolFolder: where what comes out of a pipe is kept, and what ffmpeg decodes.
  ///   - reading: is told of the seconds that ffmpeg has decoded; what it throws ends that.
  /// - Throws: `AudioFileError`: the cases of opening and of `AudioInput.decoded`, `cannotSpool`, `readFailed`.
  public func open(spoolFolder: FilePath, reading: ((Double) throws -> Void)? = nil) throws -> AudioInput {
    let input =
      switch source {
      case .file: try AudioInput(path: path, spoolFolder: spoolFolder)
      case .standardInput: try AudioInput(standardInput: Song.standardInputName, spoolFolder: spoolFolder)
      }
    return try input.decoded(spoolFolder: spoolFolder, reading: reading)
  }
}

extension Song: CustomStringConvertible {
  /// The song in a message of one line.
  public var description: String { (source == .standardInput ? Song.standardInputName : path).description }
}
