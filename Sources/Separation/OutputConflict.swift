import AudioFiles

/// A stem that would take the place of another song of the same command, which would be lost.
///
/// All names of a file count, hard links and symbolic ones. A song in the place of its own stem is left to
/// `StemWriter.plan`, as the others can be separated.
public struct ReplacedInput: Equatable, Sendable, CustomStringConvertible {
  /// Where the stem would go.
  public let output: FilePath
  /// The song that it is of.
  public let song: Song
  /// The song that lies there.
  public let input: Song

  public var description: String {
    "\(song) would write its stem \(output) over another song of the list, \(input). "
      + "Choose another --out or --filename, or leave that song out."
  }
}

/// What songs of one command would destroy.
public enum OutputConflict: Equatable, Sendable, CustomStringConvertible {
  case collision(OutputCollision)
  case replacedInput(ReplacedInput)

  public var description: String {
    switch self {
    case .collision(let collision): collision.description
    case .replacedInput(let replaced): replaced.description
    }
  }
}
