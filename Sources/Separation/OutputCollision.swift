import AudioFiles

/// Songs that would write the same files.
public struct OutputCollision: Equatable, Sendable, CustomStringConvertible {
  /// A path that each would write; `{stem}` in it stands for every stem.
  public let output: FilePath
  /// The songs, in the order given.
  public let songs: [Song]
  /// A file name template that tells all songs of the command apart; `nil` if none is known.
  public let remedy: FilenameTemplate?
  /// Whether the template does so only where songs are given by their absolute paths: `../a/x` and `a/x` have one `{dir}`.
  public let needsAbsolutePaths: Bool

  public var description: String {
    let way =
      remedy.map {
        "Tell them apart with --filename '\($0.text)'\(needsAbsolutePaths ? " and absolute paths of the songs" : "")."
      } ?? "Their names are the same: separate them in calls of their own, each with its --out or --filename."
    let names = songs.prefix(OutputCollision.shownSongs).map(\.description)
    let rest = songs.count - names.count
    return names.joined(separator: " and ") + (rest > 0 ? " and \(rest) more" : "")
      + " would all write \(output). \(way)"
  }

  private static let shownSongs = 5
}

extension OutputLayout {
  /// Templates that tell songs of one name apart, the plainest first.
  private static let remedies: [FilenameTemplate] = [
    "{track}.{trackext}/{stem}.{ext}", "{dir}/{track}/{stem}.{ext}", "{dir}/{track}.{trackext}/{stem}.{ext}",
  ].compactMap { try? FilenameTemplate($0) }

  /// The first group of songs that would write the same files, in the order given; `nil` if each has its own.
  /// - Throws: `OutputError.wrongExtension`.
  public func firstCollision(of songs: [Song]) throws -> OutputCollision? {
    let outputs = try self.outputs(of: songs)
    let groups = Dictionary(grouping: songs.indices) { outputs[$0] }
    for (index, output) in outputs.enumerated() {
      guard let group = groups[output], group.count > 1, group[0] == index else { continue }
      let plain = try remedy(for: songs)
      let absolute = plain == nil ? try remedy(for: songs.map(\.withAbsolutePath)) : nil
      return OutputCollision(
        output: output, songs: group.map { songs[$0] }, remedy: plain ?? absolute, needsAbsolutePaths: absolute != nil)
    }
    return nil
  }

  private func remedy(for songs: [Song]) throws -> FilenameTemplate? {
    try OutputLayout.remedies.first { remedy in
      try Set(with(template: remedy).outputs(of: songs)).count == songs.count
    }
  }

  /// Any stem will do: those of one song differ among themselves.
  private func outputs(of songs: [Song]) throws -> [FilePath] {
    try songs.map { try path(song: $0, stem: "{stem}") }
  }
}
