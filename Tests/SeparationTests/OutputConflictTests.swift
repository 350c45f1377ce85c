import AudioFiles
import Foundation
import Separation
import Testing

/// Files that would be lost: a stem's to another stem, or a song's to the stem of another.
struct OutputConflictTests {
  private let folder: SongFolder

  init() throws { folder = try SongFolder() }

  private func layout(_ template: String, root: String? = nil) throws -> OutputLayout {
    OutputLayout(root: root ?? folder.path, model: "m", template: try FilenameTemplate(template))
  }

  private func collision(
    _ songs: [String], _ template: String, stems: [String] = ["drums", "bass"]
  ) throws -> OutputCollision? {
    guard case .collision(let collision) = try layout(template).firstConflict(of: songs.map { Song($0) }, stems: stems)
    else { return nil }
    return collision
  }

  private func make(_ path: String) throws {
    let url = URL(filePath: folder.path + "/" + path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(path.utf8).write(to: url)
  }

  private func link(_ path: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/" + path, withDestinationPath: target)
  }

  /// What the stem of one song and another stem of another song have in common.
  @Test(arguments: [
    (["no_drums", "drums"], ["a.wav", "a_no.wav"], "a_no_drums"),
    (["minus_drums", "drums"], ["z.wav", "a.wav", "a_minus.wav"], "a_minus_drums"),
    (["x", "y_x"], ["a.wav", "a_y.wav"], "a_y_x"),
    (["x", "residual", "b_residual"], ["a.wav", "a_b.wav"], "a_b_residual"),
  ])
  func stemsOfOtherNamesCollide(stems: [String], songs: [String], name: String) throws {
    let collision = try #require(try collision(songs, "{track}_{stem}.{ext}", stems: stems))
    #expect(collision.output == FilePath("\(folder.path)/m/\(name).wav"))
    #expect(collision.songs == songs.suffix(2).map { Song($0) })
    #expect(collision.remedy == .standard)
    #expect(
      collision.description == "\(songs.suffix(2).joined(separator: " and ")) would all write "
        + "\(folder.path)/m/\(name).wav. Tell them apart with --filename '{track}/{stem}.{ext}'.")
    for stem in stems { #expect(try self.collision(songs, "{track}_{stem}.{ext}", stems: [stem]) == nil) }
    #expect(try self.collision(songs, "{track}/{stem}.{ext}", stems: stems) == nil)
  }

  /// A way out is one for all stems: with folders of tracks and extensions these would still collide.
  @Test func aRemedyHoldsForAllStems() throws {
    let songs = ["1/a.wav", "2/a.wav", "1/a_no.wav"]
    let collision = try #require(try collision(songs, "{track}_{stem}.{ext}", stems: ["no_x", "x"]))
    #expect(collision.remedy?.text == "{dir}/{track}/{stem}.{ext}")
    #expect(collision.songs == songs.map { Song($0) })
  }

  /// Whether the folders of the detours are there or not.
  @Test(arguments: [false, true]) func detoursLeadToOnePlace(isThere: Bool) throws {
    if isThere { for name in ["a", "b", "drums", "bass"] { try make("m/\(name)/file") } }
    let songs = ["a.wav", "b.wav"]
    #expect(try collision(songs, "{track}/../{stem}.{ext}")?.songs.count == 2)
    #expect(try collision(songs, "{track}/.././{stem}.{ext}")?.songs.count == 2)
    #expect(try collision(songs, "{track}//{stem}.{ext}") == nil)
    #expect(try collision(songs, "../{track}/../m/{track}/../{track}/{stem}.{ext}") == nil)
    #expect(try collision(songs, folder.path + "/{track}/../{stem}.{ext}")?.songs.count == 2)
    #expect(try collision(songs, "{stem}.{ext}")?.remedy == .standard)
    // As many as a command line holds.
    let deep = String(repeating: "{track}/", count: 10_000)
    #expect(try collision(songs, deep + "{stem}.{ext}") == nil)
    #expect(try collision(songs, deep + String(repeating: "../", count: 10_000) + "{stem}.{ext}")?.songs.count == 2)
    #expect(try collision(songs, String(repeating: "../", count: 10_000) + "{track}{stem}.{ext}") == nil)
    // A song whose own stems are one file.
    let own = try #require(try collision(songs, "{stem}/../{track}.{ext}"))
    #expect(own.songs == [Song("a.wav")])
    #expect(
      own.description == "a.wav: several of its stems would be \(folder.path)/m/drums/../a.wav. "
        + "Tell them apart with --filename '{track}/{stem}.{ext}'.")
    #expect(try collision(["a.wav"], "{stem}/../{track}.{ext}", stems: ["drums"]) == nil)
  }

  @Test func linkedFoldersAreOnePlace() throws {
    try make("m/a/file")
    try link("m/b", to: "a")
    try link("m/c", to: "../m/a")
    try link("m/nowhere", to: "absent")
    #expect(try collision(["a.wav", "b.wav"], "{track}/{stem}.{ext}")?.songs.count == 2)
    #expect(try collision(["b.wav", "c.wav"], "{track}/{stem}.{ext}")?.songs.count == 2)
    // What is not there below what is.
    #expect(try collision(["b/1.wav", "c/1.wav"], "{dir}/new/{track}/{stem}.{ext}")?.songs.count == 2)
    #expect(try collision(["b/1.wav", "c/2.wav"], "{dir}/new/{track}/{stem}.{ext}") == nil)
    #expect(try collision(["nowhere.wav", "absent.wav"], "{track}/{stem}.{ext}") == nil)
    // A link in the place of a stem gives way to it.
    try make("m/d/drums.wav")
    try FileManager.default.createDirectory(atPath: folder.path + "/m/e", withIntermediateDirectories: false)
    try link("m/e/drums.wav", to: "../d/drums.wav")
    #expect(try collision(["d.wav", "e.wav"], "{track}/{stem}.{ext}") == nil)
  }

  /// Two spellings of one letter, and a bare name beside an absolute one, are two.
  @Test func whatOnlyLooksAlikeIsKeptApart() throws {
    #expect(try collision(["\u{e9}.wav", "e\u{301}.wav", "E.wav", "e.wav"], "{track}{stem}.{ext}") == nil)
    #expect(try OutputLayout(root: "", model: "m").firstConflict(of: [Song("a.wav")], stems: ["x"]) == nil)
    #expect(throws: OutputError.unusableStemName("..")) { try collision(["a.wav"], "{stem}.{ext}", stems: [".."]) }
  }

  private func replaced(_ songs: [String], stems: [String] = ["drums"]) throws -> ReplacedInput? {
    let all = songs.map { Song(folder.path + "/" + $0) }
    guard case .replacedInput(let replaced) = try layout("{track}/{stem}.{ext}").firstConflict(of: all, stems: stems)
    else { return nil }
    return replaced
  }

  @Test func aSongInTheWayOfAnothersStemIsNamed() throws {
    try make("a.wav")
    try make("m/a/drums.wav")
    let found = try #require(try replaced(["a.wav", "m/a/drums.wav"]))
    #expect(found.song == Song(folder.path + "/a.wav") && found.input == Song(folder.path + "/m/a/drums.wav"))
    #expect(
      found.description
        == "\(folder.path)/a.wav would write its stem \(folder.path)/m/a/drums.wav over another song of "
        + "the list, \(folder.path)/m/a/drums.wav. Choose another --out or --filename, or leave that song out.")
    #expect(try replaced(["m/a/drums.wav", "a.wav"])?.song == found.song)
    #expect(
      try replaced(["m/x/../a/./drums.wav", "a.wav"]) == nil && replaced(["m/../m/a/drums.wav", "a.wav"]) != nil)
    #expect(try replaced(["a.wav", "m/a/drums.wav"], stems: ["bass"]) == nil)
    #expect(try replaced(["a.wav"]) == nil)
    // A song of its own stem's name is no other's.
    try make("m/drums/drums.wav")
    #expect(try replaced(["m/drums/drums.wav", "a.wav"]) == nil)
  }

  /// `m` is yet to be made, and the path leads out of it again.
  @Test(arguments: ["../a/{stem}.{ext}", "{track}/../../a/{stem}.{ext}", "../new/../a/./{stem}.{ext}"])
  func detoursThroughFoldersToCome(template: String) throws {
    for name in ["b.wav", "a/drums.wav"] { try make(name) }
    let songs = ["b.wav", "a/drums.wav"].map { Song(folder.path + "/" + $0) }
    let layout = try layout(template)
    let conflict = try layout.firstConflict(of: [songs[0]], stems: ["drums"], needed: needed("a/drums.wav"))
    #expect(try #require(conflict).description.contains("over the list"))
    // A song in the place of its own stem.
    let writer = StemWriter(layout: layout)
    #expect(throws: OutputError.self) { try writer.plan(song: songs[1], stems: ["bass", "drums"]) }
    #expect(try writer.plan(song: songs[1], stems: ["bass"]).count == 1)
  }

  private func needed(_ path: String) -> [NeededFile] {
    [NeededFile(FilePath(folder.path + "/" + path), role: "the list")].compactMap(\.self)
  }

  /// `.drums.wav.json`, beside the first stem.
  @Test func recordsAreLookedFor() throws {
    for name in ["a.wav", "m/a/.drums.wav.json"] { try make(name) }
    let conflict = try layout("{track}/{stem}.{ext}").firstConflict(
      of: [Song(folder.path + "/a.wav")], stems: ["drums", "bass"], needed: needed("m/a/.drums.wav.json"))
    #expect(
      conflict?.description == "\(folder.path)/a.wav would write its record \(folder.path)/m/a/.drums.wav.json "
        + "over the list, \(folder.path)/m/a/.drums.wav.json. Choose another --out or --filename.")
    let found = try #require(try replaced(["a.wav", "m/a/.drums.wav.json"]))
    #expect(found.description.contains("its record") && found.input == Song(folder.path + "/m/a/.drums.wav.json"))
    #expect(try replaced(["a.wav", "m/a/.drums.wav.json"], stems: ["bass", "drums"]) == nil)
    #expect(throws: OutputError.self) {
      try StemWriter(layout: layout("../m/a/{stem}.{ext}"))
        .plan(song: Song(folder.path + "/m/a/.drums.wav.json"), stems: ["drums"])
    }
  }

  @Test func linksOfASongAreTheSong() throws {
    for name in ["a.wav", "b.wav", "store/b.wav", "m/a/file"] { try make(name) }
    try #require(Glibc.link(folder.path + "/b.wav", folder.path + "/m/a/drums.wav") == 0)
    #expect(try replaced(["a.wav", "b.wav"])?.input == Song(folder.path + "/b.wav"))
    try FileManager.default.removeItem(atPath: folder.path + "/m/a/drums.wav")
    try link("m/a/drums.wav", to: "../../store/b.wav")
    #expect(try replaced(["a.wav", "store/b.wav"])?.input == Song(folder.path + "/store/b.wav"))
    #expect(try replaced(["a.wav", "m/a/drums.wav"]) != nil)
    #expect(try replaced(["a.wav", "b.wav"]) == nil)
    // The song is known by a link, and its file lies where a stem goes.
    try FileManager.default.removeItem(atPath: folder.path + "/m/a/drums.wav")
    try make("m/a/drums.wav")
    try link("c.wav", to: "m/a/drums.wav")
    #expect(try replaced(["a.wav", "c.wav"])?.input == Song(folder.path + "/c.wav"))
  }

  @Test func aFileThatIsNeededIsNamed() throws {
    for name in ["a.wav", "list", "m/a/file"] { try make(name) }
    let (songs, list) = ([Song(folder.path + "/a.wav")], FilePath(folder.path + "/list"))
    let needed = [NeededFile(list, role: "the list")].compactMap(\.self)
    func conflict() throws -> String? {
      try layout("{track}/{stem}.{ext}").firstConflict(of: songs, stems: ["drums", "bass"], needed: needed)?.description
    }
    #expect(try conflict() == nil && NeededFile(FilePath(folder.path + "/none"), role: "the list") == nil)
    try #require(Glibc.link(folder.path + "/list", folder.path + "/m/a/bass.wav") == 0)
    #expect(
      try conflict()
        == "\(folder.path)/a.wav would write its stem \(folder.path)/m/a/bass.wav over the list, \(folder.path)/list. "
        + "Choose another --out or --filename.")
    // A terminal, a device or a pipe has no place.
    let null = open("/dev/null", O_RDONLY)
    defer { close(null) }
    #expect(NeededFile(descriptor: null, name: "null") == nil && NeededFile(descriptor: -1, name: "none") == nil)
  }

  @Test func aCollisionComesFirst() throws {
    for name in ["a.wav", "b/a.wav", "m/a/drums.wav"] { try make(name) }
    let songs = ["a.wav", "b/a.wav", "m/a/drums.wav"].map { Song(folder.path + "/" + $0) }
    let conflict = try layout("{track}/{stem}.{ext}").firstConflict(of: songs, stems: ["drums"])
    #expect(try #require(conflict).description.contains("would all write"))
  }
}
