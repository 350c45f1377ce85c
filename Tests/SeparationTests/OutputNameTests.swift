import AudioFiles
import Separation
import Testing

/// Names of output files, and clip modes.
struct OutputNameTests {
  private func path(_ template: String, song: Song, stem: String = "drums") throws -> FilePath {
    try OutputLayout(root: "out", model: "m", template: FilenameTemplate(template)).path(song: song, stem: stem)
  }

  @Test(arguments: [
    ("{track}/{stem}.{ext}", "dir/song.mp3", "out/m/song/drums.wav"),
    ("{track}/{stem}.{ext}", "song", "out/m/song/drums.wav"),
    ("{track}-{trackext}-{stem}.{ext}", "a.b.flac", "out/m/a.b-flac-drums.wav"),
    ("{trackext}/{stem}.{ext}", "song", "out/m/song/drums.wav"),
    ("{{{stem}}}.WAV", "song", "out/m/{drums}.WAV"),
    ("{track}/{stem}.{ext}", ".wav", "out/m/.wav/drums.wav"),
    ("{track}/{stem}.{ext}", "...wav", "out/m/...wav/drums.wav"),
    ("{trackext}/{stem}.{ext}", "song.", "out/m/drums.wav"),
    ("./x//{stem}.{ext}", "song.wav", "out/m/x/drums.wav"),
    ("../{stem}.{ext}", "song.wav", "out/m/../drums.wav"),
    ("/abs/{track}/{stem}.{ext}", "song.wav", "/abs/song/drums.wav"),
    ("{track}/{stem}.{ext}", "{stem}.wav", "out/m/{stem}/drums.wav"),
    ("{track}/{stem}.{ext}", "mus\u{ef}c/\u{6b4c}.wav", "out/m/\u{6b4c}/drums.wav"),
  ])
  func namesAreThoseOfDemucs(template: String, track: String, expected: String) throws {
    #expect(try path(template, song: Song(track)) == FilePath(expected))
  }

  @Test(arguments: [
    ("{song}/{stem}", OutputError.unknownPlaceholder("song", template: "{song}/{stem}")),
    ("{}{stem}", .unknownPlaceholder("", template: "{}{stem}")),
    ("{stem!r}", .unknownPlaceholder("stem!r", template: "{stem!r}")),
    ("{stem", .unbalancedBrace(template: "{stem")),
    ("{stem}}", .unbalancedBrace(template: "{stem}}")),
    ("{{stem}}.wav", .missingStem(template: "{{stem}}.wav")),
    ("", .missingStem(template: "")),
  ])
  func badTemplatesAreRefused(template: String, error: OutputError) {
    #expect(throws: error) { try FilenameTemplate(template) }
  }

  @Test func standardIsWhatItsTextSays() throws {
    #expect(try FilenameTemplate(FilenameTemplate.standard.text) == .standard)
  }

  @Test(arguments: ["", ".", "..", "a/b", "../../etc/x", "a\0b"])
  func stemNamesOfAModelFileAreNotTrusted(stem: String) {
    #expect(throws: OutputError.unusableStemName(stem)) {
      try path("{track}/{stem}.{ext}", song: Song("a"), stem: stem)
    }
  }

  @Test(arguments: [("a/b", "out/a_b"), ("..", "out/_"), ("", "out/_"), ("htdemucs", "out/htdemucs")])
  func modelNamesAreOneFolder(model: String, folder: String) {
    #expect(OutputLayout(root: "out//", model: model).folder == FilePath(folder))
  }

  @Test func wrongExtensionsAreRefused() {
    #expect(throws: OutputError.wrongExtension(path: "out/m/drums.mp3", expected: "wav")) {
      try path("{stem}.{trackext}", song: Song("song.mp3"))
    }
  }

  /// `{dir}`: relative, without detours, whatever the path looks like.
  @Test(arguments: [
    ("song.wav", "song"), ("./song.wav", "song"), ("a/song.wav", "a/song"), ("a//./b/song.wav", "a/b/song"),
    ("/a/b/song.wav", "a/b/song"), ("../../a/song.wav", "a/song"), ("a/../song.wav", "song"),
    ("../a/../../b/song.wav", "b/song"), ("/song.wav", "song"), ("a/\u{301}b/song.wav", "a/\u{301}b/song"),
  ])
  func foldersOfSongs(track: String, expected: String) throws {
    #expect(try path("{dir}/{track}/{stem}.{ext}", song: Song(track)) == FilePath("out/m/\(expected)/drums.wav"))
  }

  @Test func foldersAreThoseBelowTheOneThatWasScanned() throws {
    let song = Song("/music/a/b/song.wav", relativePath: "a/b/song.wav")
    #expect(try path("{dir}/{stem}.{ext}", song: song) == "out/m/a/b/drums.wav")
    #expect(try path("{dir}/{stem}.{ext}", song: Song("/music/x.wav", relativePath: "x.wav")) == "out/m/drums.wav")
  }

  @Test func namesKeepTheirBytes() throws {
    let song = Song(FilePath(bytes: Array("d\u{e9}/".utf8) + [0xE9, 0x0A, 0xFF] + Array(".wav".utf8)))
    let expected = Array("out/m/d\u{e9}/".utf8) + [0xE9, 0x0A, 0xFF] + Array("/drums.wav".utf8)
    #expect(try path("{dir}/{track}/{stem}.{ext}", song: song).bytes == expected)
    // Two spellings of one letter are two names.
    let layout = OutputLayout(root: "out", model: "m")
    #expect(try layout.firstCollision(of: ["\u{e9}.wav", "e\u{301}.wav"].map { Song($0) }) == nil)
  }

  @Test func collisionsNameTheSongs() throws {
    let layout = OutputLayout(root: "out", model: "m")
    func collision(_ paths: [String]) throws -> OutputCollision? {
      try layout.firstCollision(of: paths.map { Song($0) })
    }
    #expect(try collision(["a/x.wav", "b/y.wav"]) == nil)
    let sameName = try #require(try collision(["z.wav", "a/x.wav", "b/x.wav"]))
    #expect(sameName.songs == ["a/x.wav", "b/x.wav"].map { Song($0) })
    #expect(sameName.remedy?.text == "{dir}/{track}/{stem}.{ext}")
    #expect(try collision(["x.wav", "x.mp3"])?.remedy?.text == "{track}.{trackext}/{stem}.{ext}")
    // What is proposed holds for all songs, not only for those of the first group.
    #expect(
      try collision(["x.wav", "x.mp3", "a/y.wav", "b/y.wav"])?.remedy?.text == "{dir}/{track}.{trackext}/{stem}.{ext}")
    #expect(try collision(["../a/x.wav", "a/x.wav"])?.remedy == nil)
    let many = try #require(try collision((1...9).map { "\($0)/x.wav" }))
    #expect(many.description.hasPrefix("1/x.wav and 2/x.wav and 3/x.wav and 4/x.wav and 5/x.wav and 4 more would all"))
  }

  @Test func namesTooLongForADiskAreRefusedBeforeWork() throws {
    let fits = FilePath("/tmp/" + String(repeating: "x", count: 255))
    let long = FilePath("/tmp/" + String(repeating: "\u{e9}", count: 128) + "/a.wav")
    try OutputLayout.checkWritable([fits])
    #expect(throws: OutputError.nameTooLong(path: long, length: 256, limit: 255)) {
      try OutputLayout.checkWritable([fits, long])
    }
    let deep = FilePath("/tmp/" + String(repeating: "x/", count: 100_000) + "a.wav")
    #expect(throws: OutputError.notWritable(path: deep.folder, reason: "File name too long")) {
      try OutputLayout.checkWritable([deep])
    }
  }

  struct Clip: Decodable {
    let mode: String
    let gain: Float
    let output: [Float]
  }

  @Test func clipModesEqualPreventClip() throws {
    for golden in try Golden.cases("clip", of: Clip.self) {
      var channels = ToyModel.signal(9).map { $0.map { $0 * golden.gain } }
      try #require(ClipMode(rawValue: golden.mode)).apply(to: &channels)
      let difference = Golden.largestDifference(channels, Golden.rows(golden.output, length: 9))
      #expect(
        difference <= (golden.mode == "tanh" ? 2e-7 : 0), "\(golden.mode) at \(golden.gain): \(difference)")
    }
  }

  @Test func emptyStemsAreNotClipped() {
    var channels: [[Float]] = [[], []]
    for mode in ClipMode.allCases { mode.apply(to: &channels) }
    #expect(channels == [[], []])
  }
}
