import AudioFiles

/// Stems that would be written to the same file.
public struct OutputCollision: Equatable, Sendable, CustomStringConvertible {
  /// The path of it; `{stem}` in it stands for every stem.
  public let output: FilePath
  /// The songs, in the order given; one where its own stems are in each other's way.
  public let songs: [Song]
  /// A file name template that tells all stems of the command apart; `nil` if none is known.
  public let remedy: FilenameTemplate?
  /// Whether the template does so only where songs are given by their absolute paths: `../a/x` and `a/x` have one `{dir}`.
  public let needsAbsolutePaths: Bool

  public var description: String {
    let paths = needsAbsolutePaths ? " and absolute paths of the songs" : ""
    let way =
      remedy.map { "Tell them apart with --filename '\($0.text)'\(paths)." }
      ?? "Their names are the same: separate them in calls of their own, each with its --out or --filename."
    if songs.count == 1 { return "\(songs[0]): several of its stems would be \(output). \(way)" }
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
    "{track}/{stem}.{ext}", "{track}.{trackext}/{stem}.{ext}", "{dir}/{track}/{stem}.{ext}",
    "{dir}/{track}.{trackext}/{stem}.{ext}",
  ].compactMap { try? FilenameTemplate($0) }

  /// The first group of songs, in the order given, that would write the same file; `nil` if each stem has its own.
  /// - Parameter stems: names of the stems of each song. While they are not known, one that stands for all finds the songs
  ///   whose stems of one name collide.
  /// - Throws: `OutputError.wrongExtension`, `unusableStemName`.
  public func firstCollision(of songs: [Song], stems: [String] = ["{stem}"]) throws -> OutputCollision? {
    try firstSharedOutput(of: songs, stems: stems).map { try collision($0, of: songs, stems: stems) }
  }

  /// The first thing that the stems of songs would destroy: a stem of the same run, another song, or a file that is needed.
  /// - Parameters:
  ///   - stems: names of the stems of each song.
  ///   - needed: what the command reads beside the songs, and what it writes to.
  /// - Throws: `OutputError.wrongExtension`, `unusableStemName`.
  public func firstConflict(
    of songs: [Song], stems: [String], needed: [NeededFile] = []
  ) throws -> OutputConflict? {
    var replaced: OutputConflict?
    var inputs: [FileIdentity: [Int]] = [:]
    for (index, song) in songs.enumerated() {
      if let identity = song.identity { inputs[identity, default: []].append(index) }
    }
    func look(at output: FilePath, of index: Int, isRecord: Bool, _ places: inout FilePlaces) {
      guard replaced == nil, let identity = places.file(at: output) else { return }
      if let other = inputs[identity]?.first(where: { $0 != index }) {
        replaced = .replacedInput(
          ReplacedInput(output: output, song: songs[index], input: songs[other], isRecord: isRecord))
      } else if let file = needed.first(where: { $0.identity == identity }) {
        replaced = .replacedFile(ReplacedFile(output: output, song: songs[index], file: file, isRecord: isRecord))
      }
    }
    let shared = try firstSharedOutput(of: songs, stems: stems) { index, stem, output, places in
      look(at: output, of: index, isRecord: false, &places)
      // A song's record lies beside its first stem.
      if stem == 0 { look(at: TrackRecord.path(besides: output), of: index, isRecord: true, &places) }
    }
    if let shared { return .collision(try collision(shared, of: songs, stems: stems)) }
    return replaced
  }

  private typealias SharedOutput = (path: FilePath, songs: [Int])

  private func collision(_ shared: SharedOutput, of songs: [Song], stems: [String]) throws -> OutputCollision {
    let plain = try remedy(for: songs, stems)
    let absolute = plain == nil ? try remedy(for: songs.map(\.withAbsolutePath), stems) : nil
    return OutputCollision(
      output: shared.path, songs: shared.songs.map { songs[$0] }, remedy: plain ?? absolute,
      needsAbsolutePaths: absolute != nil)
  }

  /// A file that several stems would be written to, and the songs that they are of, each once.
  /// - Parameter visit: is given the index of a song and of its stem, and the stem's path.
  private func firstSharedOutput(
    of songs: [Song], stems: [String], visit: (Int, Int, FilePath, inout FilePlaces) -> Void = { _, _, _, _ in }
  ) throws -> SharedOutput? {
    var places = FilePlaces()
    var owners: [FilePlaces.Place: Int] = [:]
    owners.reserveCapacity(songs.count * stems.count)
    var shared: [FilePlaces.Place: [Int]] = [:]
    for (index, song) in songs.enumerated() {
      for (number, stem) in stems.enumerated() {
        let path = try path(song: song, stem: stem)
        visit(index, number, path, &places)
        let place = places.place(of: path)
        if let owner = owners[place] {
          shared[place, default: [owner]].append(index)
        } else {
          owners[place] = index
        }
      }
    }
    guard let first = shared.values.compactMap(\.first).min() else { return nil }
    for stem in stems {
      let output = try path(song: songs[first], stem: stem)
      guard let group = shared[places.place(of: output)] else { continue }
      return (output, group.enumerated().filter { $0 == 0 || $1 != group[$0 - 1] }.map(\.element))
    }
    return nil
  }

  private func remedy(for songs: [Song], _ stems: [String]) throws -> FilenameTemplate? {
    try OutputLayout.remedies.first { try with(template: $0).firstSharedOutput(of: songs, stems: stems) == nil }
  }
}
