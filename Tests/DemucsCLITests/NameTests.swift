import Foundation
import Testing

/// Songs with names that a music library may hold: each is found, separated and its stems are named after it.
struct NameTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
    try program.writeSong(frames: 3000)
  }

  /// Runs a command of the shell, in which $demucs is the program; only a shell can write names that are not UTF-8.
  private func shell(_ command: String) throws -> Program.Outcome {
    try program.run(
      ["-c", command], environment: ["demucs": Program.executable.path], executable: URL(filePath: "/bin/bash"))
  }

  /// Bash's `$'...'` of a name that ends in `.wav`.
  @Test(arguments: [
    #"$'two words.wav'"#, #"$'line\nbreak.wav'"#, #"$'it\'s "quoted" `x` $(y) *?[a].wav'"#,
    #"$'\U1F469‍\U1F467 音楽.wav'"#,
    #"$'-n.wav'"#, #"$'caf\xe9 \xff\xfe.wav'"#, #"$'\xf4\x8f\xbe\x80.wav'"#, #"$'e\u0301.wav'"#, #"$'{track}.wav'"#,
    #""$(printf 'x%.0s' {1..251})".wav"#, #"$'a\\b.wav'"#, #"$'tab\there \e[31m.wav'"#,
  ])
  func anyNameIsASong(name: String) throws {
    defer { program.remove() }
    let outcome = try shell(
      """
      set -e; song=\(name); mv song.wav "./$song"
      "$demucs" separate -n tiny.safetensors -- "$song" > paths
      for stem in hum hiss; do test -f "separated/tiny/${song%.wav}/$stem.wav"; done
      printf 'separated/tiny/%s/hum.wav\\nseparated/tiny/%s/hiss.wav\\n' "${song%.wav}" "${song%.wav}" | cmp - paths
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").allSatisfy { $0.contains("separat") }, "\(outcome.errors)")
  }

  @Test func messagesShowTheBytes() throws {
    defer { program.remove() }
    let outcome = try shell(#""$demucs" separate $'caf\xe9\n.wav' -o $'out\xff'"#)
    #expect(outcome.status == 1)
    #expect(
      outcome.errors
        == "Error: caf\\xE9\\n.wav: there is no such file. Check the path; quote it if it contains spaces.\n")
    let model = try shell(#""$demucs" separate song.wav -n $'\e[31mred\n'"#)
    #expect(model.status == 1 && model.errors.contains(#"\u{1b}[31mred"#) && !model.errors.contains("\u{1B}"))
    #expect(model.errors.split(separator: "\n").count == 1, "\(model.errors)")
    let template = try shell(#""$demucs" separate song.wav --filename $'\xe9{stem}.mp3'"#)
    #expect(
      template.status == 64 && template.errors.contains("separated/open_6s/\\xE9{stem}.mp3: the name does not end"))
  }

  @Test func theFolderForResultsMayHaveAnyNameToo() throws {
    defer { program.remove() }
    let outcome = try shell(
      #"""
      "$demucs" separate song.wav -n tiny.safetensors -o $'out\xff' --filename $'\xe9 {stem}.{ext}' > paths &&
      printf 'out\xff/tiny/\xe9 hum.wav\nout\xff/tiny/\xe9 hiss.wav\n' | cmp - paths && test -f $'out\xff/tiny/\xe9 hum.wav'
      """#)
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test func aNameTooLongForItsStemsIsRefusedBeforeWork() throws {
    defer { program.remove() }
    let name = String(repeating: "x", count: 250)
    try program.writeSong(name + ".wav", frames: 3000)
    let outcome = try program.run([
      "separate", name + ".wav", "-n", "tiny.safetensors", "--filename", "{track} {stem}.{ext}",
    ])
    #expect(
      outcome.status == 1 && outcome.errors.contains("takes 258 bytes where 255 are possible"), "\(outcome.errors)")
    #expect(try !program.files().contains { $0.hasPrefix("separated") })
  }
}
