import AudioFiles
import Separation

/// What songs are called in progress: the names of their files, and as many folders before them as tell them apart.
struct SongNames {
  /// For the songs whose names are not theirs alone.
  private var longer: [Song: String] = [:]

  init(_ songs: [Song]) {
    let files = songs.filter { $0.source == .file }
    for group in Dictionary(grouping: files, by: \.name).values where group.count > 1 {
      let parts = group.map(\.path.parts)
      let depth = (2...max(2, parts.map(\.count).max() ?? 0)).first { depth in
        Set(parts.map { $0.suffix(depth) }).count == group.count
      }
      for (song, parts) in zip(group, parts) {
        // A path from the root and one from here may be alike.
        let end = depth.map { FilePath(bytes: parts.suffix($0).joined(separator: [UInt8(ascii: "/")])) }
        longer[song] = (end ?? song.path).description
      }
    }
  }

  /// A song's name.
  subscript(song: Song) -> String {
    longer[song] ?? (song.source == .file ? song.name.description : song.description)
  }
}
