import Separation
import Testing

/// Names of output files, and clip modes.
struct OutputNameTests {
  private func path(_ template: String, track: String, stem: String = "drums") throws -> String {
    try OutputLayout(root: "out", model: "m", template: FilenameTemplate(template)).path(
      track: track, stem: stem)
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
    #expect(try path(template, track: track) == expected)
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
      try path("{track}/{stem}.{ext}", track: "a", stem: stem)
    }
  }

  @Test(arguments: [("a/b", "out/a_b"), ("..", "out/_"), ("", "out/_"), ("htdemucs", "out/htdemucs")])
  func modelNamesAreOneFolder(model: String, folder: String) {
    #expect(OutputLayout(root: "out//", model: model).folder == folder)
  }

  @Test func wrongExtensionsAreRefused() {
    #expect(throws: OutputError.wrongExtension(path: "out/m/drums.mp3", expected: "wav")) {
      try path("{stem}.{trackext}", track: "song.mp3")
    }
  }

  @Test func collisionsNameTheTracks() throws {
    let layout = OutputLayout(root: "out", model: "m")
    #expect(try layout.firstCollision(of: ["a/x.wav", "b/y.wav"]) == nil)
    let sameName = try #require(try layout.firstCollision(of: ["z.wav", "a/x.wav", "b/x.wav"]))
    #expect(sameName.tracks == ["a/x.wav", "b/x.wav"] && sameName.remedy == nil)
    let sameTrack = try #require(try layout.firstCollision(of: ["x.wav", "x.mp3"]))
    #expect(sameTrack.remedy == "{track}.{trackext}/{stem}.{ext}")
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
