import Foundation
import Testing

/// Songs by folders, patterns, lists and standard input: `--dry-run` says what each comes to.
struct InputTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
  }

  /// Puts songs of some milliseconds into the folder.
  private func put(_ names: String...) throws {
    try program.writeSong(".song", frames: 200)
    for name in names {
      let url = program.folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try program.bytes(".song").write(to: url)
    }
    try FileManager.default.removeItem(at: program.folder.appendingPathComponent(".song"))
  }

  /// Runs a command of the shell, in which `demucs` is a dry run of one stem.
  private func shell(_ command: String) throws -> Program.Outcome {
    try program.run(
      ["-c", "demucs() { \"$program\" separate -n tiny.safetensors --stems hum --dry-run \"$@\"; }\n" + command],
      environment: ["program": Program.executable.path], executable: URL(filePath: "/bin/bash"))
  }

  /// The songs of a dry run.
  private func songs(_ outcome: Program.Outcome) -> [String] {
    outcome.output.split(separator: "\n").map { $0.split(separator: "\t").first.map(String.init) ?? "" }
  }

  @Test func foldersGiveTheirSongsInOrder() throws {
    defer { program.remove() }
    try put(
      "music/b.wav", "music/a/2.FLAC", "music/a/10.wav", "music/a/é.wav", "music/a.wav", "music/.hidden.wav",
      "music/.git/x.wav", "music/cover.jpg", "music/film.mp4", "music/separated/tiny/a/hum.wav",
      "music/separated/other/x.wav")
    let outcome = try shell(
      """
      cd music; ln -s .. a/loop; ln -s ../b.wav a/link.wav; ln -s nowhere a/z.mp3; mkfifo pipe.wav; cp ../tiny.safetensors .
      demucs -r . --filename '{dir}/{track}/{stem}.{ext}'
      """)
    let expected = ["./a/10.wav", "./a/2.FLAC", "./a/link.wav", "./a/é.wav", "./a.wav", "./b.wav"]
    #expect(songs(outcome) == expected)
    #expect(
      outcome.output.hasPrefix("./a/10.wav\tseparated/tiny/a/10/hum.wav\n./a/2.FLAC\tseparated/tiny/a/2/hum.wav\n"))
    #expect(outcome.status == 1)
    #expect(
      outcome.errors == """
        Note: .: left out: 4 files that have no extension of sound, 2 hidden names, 1 link to a folder, the results in \
        ./separated.
        Error: ./a/z.mp3: is a link that leads nowhere. Mend or remove it.
        1 of 7 songs would fail: ./a/z.mp3

        """)
  }

  /// A folder of results that songs lie beside: only that of the model is left out.
  @Test func resultsInTheFolderItselfAreLeftOut() throws {
    defer { program.remove() }
    try put("music/a.wav", "music/tiny/a/hum.wav", "music/album/b.wav")
    let outcome = try shell("demucs -r music -o music")
    #expect(songs(outcome) == ["music/a.wav", "music/album/b.wav"] && outcome.status == 0, "\(outcome.errors)")
    #expect(try songs(shell("demucs -r music/tiny -o music")) == ["music/tiny/a/hum.wav"])
  }

  @Test func foldersWithoutSongsFail() throws {
    defer { program.remove() }
    try put("music/cover.jpg", "a.wav")
    let outcome = try shell("demucs -r music a.wav")
    #expect(outcome.status == 1 && songs(outcome) == ["a.wav"])
    #expect(outcome.errors.contains("Error: music: there is no audio file in this folder or below it. Check the "))
    #expect(outcome.errors.contains("Note: music: left out: 1 file that has no extension of sound."))
  }

  /// Deeper than a path may be long: what is too deep fails, and the rest is there.
  @Test func foldersOfAnyDepth() throws {
    defer { program.remove() }
    try put("a.wav")
    let outcome = try shell(
      """
      top=$PWD; name=$(printf 'x%.0s' {1..250}); mkdir d; cd d
      for i in {1..18}; do mkdir $name; cd $name; [ $i = 3 ] && cp "$top/a.wav" .; done
      cd "$top"; demucs -r d; status=$?; rm -rf d; exit $status
      """)
    #expect(outcome.status == 1 && songs(outcome).count == 1 && songs(outcome)[0].hasSuffix("x/a.wav"))
    #expect(outcome.errors.contains("File name too long"), "\(outcome.errors.suffix(300))")
  }

  /// root may read everything, unless it gives that up.
  @Test func foldersThatCannotBeReadAreNamed() throws {
    defer { program.remove() }
    try put("music/a.wav", "music/closed/b.wav", "music/d/c.wav")
    let outcome = try shell(
      """
      chmod 0 music/closed
      [ $(id -u) = 0 ] && less='setpriv --bounding-set=-dac_override,-dac_read_search'
      $less "$program" separate -n tiny.safetensors --stems hum --dry-run -r music; status=$?
      chmod 700 music/closed; exit $status
      """)
    #expect(outcome.status == 1 && songs(outcome) == ["music/a.wav", "music/d/c.wav"])
    #expect(
      outcome.errors.hasPrefix("Error: music/closed: the folder cannot be read: Permission denied."),
      "\(outcome.errors)")
  }

  @Test func patternsThatNoShellExpanded() throws {
    defer { program.remove() }
    try put("a/2.wav", "a/1.wav", "b/[x]?.wav", "b/.wav", "b/y.wav")
    #expect(try songs(shell("demucs '?/[0-9]*'")) == ["a/1.wav", "a/2.wav"])
    #expect(try songs(shell("demucs 'b/*.wav'")) == ["b/[x]?.wav", "b/y.wav"])
    // A file of that very name is no pattern.
    #expect(try songs(shell("demucs 'b/[x]?.wav'")) == ["b/[x]?.wav"])
    let nothing = try shell("demucs a/1.wav 'c*'")
    #expect(nothing.status == 1 && songs(nothing) == ["a/1.wav"])
    #expect(nothing.errors.hasPrefix("Error: c*: nothing matches this pattern."))
    #expect(try shell("demucs '*'").errors.contains("Error: a: is a folder. Take the songs in it with -r, or "))
  }

  @Test(arguments: [
    #"printf 'a.wav\nb c.wav\n'"#, #"printf '\n\nb c.wav\r\na.wav\r\n\r\n'"#, #"printf '\xef\xbb\xbfa.wav\nb c.wav'"#,
    #"printf 'a.wav\0b c.wav\0'"#, #"printf 'b c.wav\0\0a.wav'"#,
  ])
  func listsOfNames(list: String) throws {
    defer { program.remove() }
    try put("a.wav", "b c.wav", "d.wav")
    #expect(try songs(shell("\(list) | demucs --from-file -")).sorted() == ["a.wav", "b c.wav"])
    #expect(
      try songs(shell("\(list) > list; demucs d.wav --from-file list")).sorted() == ["a.wav", "b c.wav", "d.wav"])
    #expect(try songs(shell("echo d.wav > more; demucs --from-file <(\(list)) --from-file more")).count == 3)
  }

  @Test func namesInListsAreTakenAsTheyAre() throws {
    defer { program.remove() }
    try put("#1.wav", "-", "*.wav", "line\nbreak.wav", "odd\r", "music/x.wav")
    #expect(try songs(shell(#"printf '%s\n' '#1.wav' - '*.wav' | demucs --from-file -"#)) == ["#1.wav", "-", "*.wav"])
    #expect(try shell(#"printf 'line\nbreak.wav' | demucs --null --from-file -"#).output.hasPrefix("line\nbreak.wav\t"))
    #expect(try shell(#"printf 'odd\r' | demucs -0 --from-file -"#).output.hasPrefix("odd\r\t"))
    #expect(try songs(shell("echo music | demucs -r --from-file -")) == ["music/x.wav"])
    let bytes = try shell(#"cp -- - $'\xff.wav'; printf '\xff.wav\n' | demucs --from-file - | od -An -c | head -1"#)
    #expect(bytes.output.contains("377   .   w   a   v  \\t"))
  }

  @Test func listsThatAreNone() throws {
    defer { program.remove() }
    try put("a.wav")
    let missing = try shell("demucs --from-file absent a.wav")
    #expect(missing.status == 1 && songs(missing) == ["a.wav"])
    #expect(missing.errors.hasPrefix("Error: absent: the list cannot be read: No such file or directory."))
    let wide = try shell(#"printf '\xff\xfea\0.\0w\0a\0v\0\n\0' | demucs --from-file -"#)
    #expect(wide.status == 1 && wide.errors == "Error: standard input: the list is in UTF-16. Save it as UTF-8.\n")
    let empty = try shell("demucs --from-file /dev/null")
    #expect(empty.status == 0 && empty.output.isEmpty && empty.errors == "Note: /dev/null names no song.\n")
    for (command, words) in [
      ("demucs - --from-file -", "choose one"), ("demucs --from-file - --from-file -", "given twice"),
      ("demucs -0 a.wav", "--from-file"),
    ] {
      let outcome = try shell(command)
      #expect(outcome.status == 64 && outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  /// A song, or another file, in the place of a list ends in a sentence.
  @Test func soundInThePlaceOfAList() throws {
    defer { program.remove() }
    try put("a.wav", "RIFF", "ID3 tags.wav")
    let marks: [(String, [UInt8])] = [
      ("flac", Array("fLaC".utf8) + [0, 0, 0, 0x22, 0x10, 0]), ("id3", Array("ID3".utf8) + [4, 0, 0, 0, 0, 1]),
      ("ogg", Array("OggS".utf8) + [0, 2, 0, 0]), ("m4a", [0, 0, 0, 0x20] + Array("ftypM4A ".utf8) + [0, 0]),
      ("mp3", [0xFF, 0xFB, 0x90, 0x64, 0, 0, 0, 0]), ("mka", [0x1A, 0x45, 0xDF, 0xA3, 0, 0]),
    ]
    for (name, bytes) in marks + [("wav", Array(try program.bytes("a.wav")))] {
      try Data(bytes).write(to: program.folder.appendingPathComponent("list.\(name)"))
      for option in ["", "-0"] {
        let file = try shell("demucs --from-file list.\(name) \(option)")
        #expect(
          file.errors == "Error: list.\(name): is audio, not a list of names. To separate it, leave out --from-file.\n")
        let piped = try shell("cat list.\(name) | demucs --from-file - \(option)")
        #expect(
          piped.errors
            == "Error: standard input: is audio, not a list of names. To separate it, give - in place of --from-file -.\n"
        )
        #expect(file.status == 1 && piped.status == 1 && piped.output.isEmpty)
      }
    }
    // Compressed by what nobody knows.
    try Data((0..<9000).map { UInt8(truncatingIfNeeded: ($0 * $0 * 31) >> 3) }).write(
      to: program.folder.appendingPathComponent("list.bin"))
    #expect(
      try shell("demucs --from-file list.bin").errors
        == "Error: list.bin: is no list of names, but binary data. If it is audio, leave out --from-file.\n")
    // It is not read to its end.
    #expect(try shell("{ cat a.wav; yes; } | demucs --from-file -").status == 1)
    // Names that begin so, with what only names have between them.
    for list in [#"RIFF\0ID3 tags.wav\0"#, #"RIFF\nID3 tags.wav\n"#, #"ID3 tags.wav\0a.wav\0RIFF"#] {
      #expect(try songs(shell("printf '\(list)' | demucs --from-file -")).count >= 2)
    }
    // A name of any bytes is one where it is that of a file.
    try put("ID3\u{1}.wav")
    #expect(try shell(#"printf 'ID3\001.wav\n' | demucs --from-file -"#).status == 0)
    #expect(try shell(#"printf 'ID3\001.mp3\n' | demucs --from-file -"#).errors.contains("is audio, not a list"))
    let colours = try shell(#"printf '\e[0m\e[01;36ma.wav\e[0m\n' | demucs --from-file -"#)
    #expect(colours.errors.contains("there is no such file"), "\(colours.errors)")
  }

  /// Lines of spaces are no names, unless zero bytes stand between names.
  @Test func blankLinesInLists() throws {
    defer { program.remove() }
    try put("a.wav", "b.wav", "  ", " c.wav ")
    #expect(
      try songs(shell(#"printf ' \na.wav\n   \n\t\n \t \r\nb.wav\n  ' | demucs --from-file -"#)) == ["a.wav", "b.wav"])
    #expect(try songs(shell(#"printf '  \0 c.wav \0' | demucs --from-file -"#)) == ["  ", " c.wav "])
    #expect(try songs(shell(#"printf '  ' | demucs -0 --from-file -"#)) == ["  "])
    #expect(try songs(shell(#"printf ' c.wav \n' | demucs --from-file -"#)) == [" c.wav "])
  }

  @Test func listsOnAStandardInputThatIsNone() throws {
    defer { program.remove() }
    let closed = try shell("demucs --from-file - <&-")
    #expect(
      closed.errors == "Error: standard input: is closed, so there is no list in it. Write < LIST or a pipe to it, or "
        + "name the list's file.\n")
    let folder = try shell("demucs --from-file - < .")
    #expect(
      folder.errors
        == "Error: standard input: the list cannot be read: Is a directory. Check where it comes from.\n")
    #expect(closed.status == 1 && folder.status == 1)
    #expect(
      try shell("demucs /").errors
        == "Error: /: is a folder. Take the songs in it with -r, or pass /*.wav or the like.\n")
    #expect(try shell("mkdir m; demucs m/").errors.contains("or pass m/*.wav or"))
  }

  @Test func songsOfOneNameAreKeptApart() throws {
    defer { program.remove() }
    try put("m/a/x.wav", "m/b/x.wav", "n/a/x.wav")
    for command in ["demucs -r m", "demucs 'm/*/x.wav'", "printf 'm/a/x.wav\\nm/b/x.wav' | demucs --from-file -"] {
      let refused = try shell(command)
      #expect(
        refused.status == 64 && refused.output.isEmpty && refused.errors.contains("m/a/x.wav and m/b/x.wav would all"))
      #expect(refused.errors.contains("--filename '{dir}/{track}/{stem}.{ext}'"))
    }
    let kept = try shell("demucs -r m --filename '{dir}/{track}/{stem}.{ext}' | cut -f 2")
    #expect(kept.output == "separated/tiny/a/x/hum.wav\nseparated/tiny/b/x/hum.wav\n")
    // Below folders of their own they have one name again.
    let again = try shell("demucs -r m/a n/a --filename '{dir}/{track}/{stem}.{ext}'")
    #expect(again.status == 64 && again.errors.contains("in calls of their own"))
    let given = try shell("demucs -r m m/a/x.wav --filename '{dir}/{track}/{stem}.{ext}'")
    #expect(given.status == 0 && given.errors.contains("Note: m/a/x.wav is given more than once"))
  }

  /// Above the folder that one is in, a path says less than an absolute one.
  @Test func songsAboveTheFolderAreKeptApartByAbsolutePaths() throws {
    defer { program.remove() }
    try put("a/x.wav", "below/a/x.wav")
    let refused = try shell("cd below; demucs a/x.wav ../a/x.wav")
    #expect(refused.status == 64, "\(refused.errors)")
    #expect(refused.errors.contains("with --filename '{dir}/{track}/{stem}.{ext}' and absolute paths of the songs."))
    let kept = try shell(
      "cp *.safetensors below; cd below; demucs $PWD/a/x.wav $PWD/../a/x.wav --filename '{dir}/{track}/{stem}.{ext}'")
    #expect(kept.status == 0 && songs(kept).count == 2, "\(kept.errors)")
  }

  @Test func aDryRunIsWhatTheRunWouldBe() throws {
    defer { program.remove() }
    try put("a.wav", "b.wav")
    let before = try program.files()
    let dry = try shell("demucs a.wav b.wav | cut -f 2; exit ${PIPESTATUS[0]}")
    #expect(dry.status == 0 && dry.errors.isEmpty)
    #expect(try program.files() == before)
    let wet = try program.run(["separate", "a.wav", "b.wav", "-n", "tiny.safetensors", "--stems", "hum", "--quiet"])
    #expect(wet.status == 0 && wet.output == dry.output)
    #expect(try shell("demucs - < a.wav").output == "-\tseparated/tiny/stdin/hum.wav\n")
  }

  @Test func aDryRunShowsWhatWouldBeSkipped() throws {
    defer { program.remove() }
    try put("a.wav", "b.wav", "c.wav")
    let run = ["separate", "-n", "tiny.safetensors", "--stems", "hum", "--quiet"]
    #expect(try program.run(run + ["a.wav", "b.wav"]).status == 0)
    try program.bytes("a.wav").dropLast(4).write(to: program.folder.appendingPathComponent("b.wav"))
    let stray = "separated/tiny/a/.demucs-1-a.part"
    try program.touch(stray)
    let before = try program.files()
    let dry = try shell("demucs a.wav b.wav c.wav --resume")
    #expect(songs(dry) == ["b.wav", "c.wav"] && dry.status == 0)
    #expect(dry.errors == "[1/3] a.wav: skipped, its stems are there\n")
    #expect(try program.files() == before && before.contains(stray))
    #expect(try songs(shell("demucs a.wav b.wav")) == ["a.wav", "b.wav"])
    #expect(try shell("demucs a.wav --json").output.contains("\"status\":\"planned\""))
    // As the run itself would: another option, another model.
    #expect(try songs(shell("demucs a.wav --resume --shifts 0")) == ["a.wav"])
    try TestModel(sources: ["hum", "hiss"], segment: 1).write(program)
    #expect(try songs(shell("demucs a.wav --resume")) == ["a.wav"])
  }

  @Test func aDryRunForPrograms() throws {
    defer { program.remove() }
    try put("a.wav", "b.wav")
    try Data("Dear diary".utf8).write(to: program.folder.appendingPathComponent("text.wav"))
    #expect(try program.run(["separate", "a.wav", "-n", "tiny.safetensors", "--stems", "hum"]).status == 0)
    let outcome = try shell("demucs a.wav b.wav text.wav missing.wav - --json --resume < b.wav")
    #expect(outcome.status == 1)
    let schema = try BatchTests.schema()
    let objects = try outcome.output.split(separator: "\n").map { line in
      #expect(schema.faults(in: String(line)).isEmpty, "\(schema.faults(in: String(line))): \(line)")
      return try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    #expect(objects.map { $0["status"] as? String } == ["skipped", "planned", "failed", "failed", "planned"])
    #expect(objects.map { $0["track"] as? Int } == [1, 2, 3, 4, 5])
    let output = try #require((objects[1]["outputs"] as? [[String: Any]])?.first)
    #expect(output["stem"] as? String == "hum" && output["path"] as? String == "separated/tiny/b/hum.wav")
    // 200 frames at 44.1 kHz are 36 at the model's rate.
    #expect(objects[1]["seconds"] as? Double == 36.0 / 8000)
    let networks = objects.compactMap { ($0["model"] as? [String: Any])?["networks"] as? [String] }
    #expect(networks.allSatisfy { $0 == networks[0] && $0.count == 1 } && networks.count == 5)
    let codes = objects.compactMap { ($0["error"] as? [String: Any])?["code"] as? String }
    #expect(codes == ["input-not-audio", "input-not-found"])
    let absent = try shell("demucs a.wav --json -n absent")
    #expect(absent.status == 1 && absent.output.contains("\"code\":\"model-not-found\""))
  }

  @Test(arguments: [
    ("demucs text.wav a.wav", "Error: text.wav: cannot be read as audio"),
    ("demucs a.wav -o a.wav", "is a file where a folder"),
    ("demucs a.wav -n absent", "no model \"absent\""),
    ("PATH=/nonexistent demucs film.mp4 a.wav", "Error: film.mp4: this format is read with the help of ffmpeg"),
    ("demucs a.wav > /dev/full", "standard output"), ("demucs '' a.wav", "Error: '': an empty name is no file;"),
  ])
  func aDryRunFindsWhatIsWrong(command: String, words: String) throws {
    defer { program.remove() }
    try put("a.wav")
    try Data("Dear diary".utf8).write(to: program.folder.appendingPathComponent("text.wav"))
    try Data("\0\0\0 ftypisom".utf8).write(to: program.folder.appendingPathComponent("film.mp4"))
    let outcome = try shell(command)
    #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome.status) \(outcome.errors)")
    #expect(try program.files() == ["a.wav", "film.mp4", "text.wav", "tiny.safetensors"])
  }

  // ffmpeg is a script, found on the PATH.

  private func putFFmpeg(_ script: String) throws {
    try put("bin/decoded.wav")
    let path = program.folder.appendingPathComponent("bin/ffmpeg").path
    try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: path))
    #expect(chmod(path, 0o755) == 0)
    try Data("\0\0\0 ftypisom".utf8).write(to: program.folder.appendingPathComponent("film.mp4"))
  }

  @Test func aFilmIsSeparatedAsItsSound() throws {
    defer { program.remove() }
    try putFFmpeg("echo oops >&2; cat bin/decoded.wav > /dev/fd/4")
    let outcome = try shell(
      """
      PATH=$PWD/bin:$PATH; run() { "$program" separate -n tiny.safetensors --float32 --quiet "$@"; }
      run film.mp4 && cat film.mp4 | run - && run bin/decoded.wav &&
      for song in film stdin; do cmp separated/tiny/decoded/hum.wav separated/tiny/$song/hum.wav || exit 9; done
      """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("Warning: film.mp4: ffmpeg stumbled over it (oops)"), "\(outcome.errors)")
    #expect(try !program.files().contains { $0.contains(".demucs-") })
  }

  /// The next song has its turn.
  @Test func anFFmpegThatNeverEndsDoesNotStopTheBatch() throws {
    defer { program.remove() }
    try putFFmpeg("exec sleep 1000")
    let outcome = try shell(
      """
      PATH=$PWD/bin:$PATH DEMUCS_CLI_FFMPEG_TIMEOUT=0.1 \
      "$program" separate film.mp4 bin/decoded.wav -n tiny.safetensors --quiet --json
      """)
    let lines = outcome.output.split(separator: "\n")
    #expect(outcome.status == 1 && lines.count == 2, "\(outcome.output) \(outcome.errors)")
    #expect(
      outcome.errors.hasPrefix("Error: film.mp4: ffmpeg wrote nothing for 0.1 s while it decoded it, and was ended: "),
      "\(outcome.errors)")
    #expect(lines[0].contains(#""code":"input-decoding-stalled""#) && lines[1].contains(#""status":"done""#))
  }

  @Test(arguments: ["abc", "-1", "nan", ""]) func aTimeoutThatIsNoneIsRefused(value: String) throws {
    defer { program.remove() }
    let outcome = try program.run(
      ["separate", "song.wav", "-n", "tiny.safetensors"], environment: ["DEMUCS_CLI_FFMPEG_TIMEOUT": value])
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("DEMUCS_CLI_FFMPEG_TIMEOUT is '\(value)'; it must be seconds, 0 or more"))
  }

  /// A program that is started without standard streams has nothing of its own under their numbers.
  @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"]) func standardStreamsAreReserved(redirection: String) throws {
    defer { program.remove() }
    try putFFmpeg("for n in 0 1 2; do readlink /proc/$PPID/fd/$n; done > numbers; cat bin/decoded.wav > /dev/fd/4")
    _ = try shell(
      "touch in; PATH=$PWD/bin:$PATH; \"$program\" separate film.mp4 -n tiny.safetensors < in > out 2> err \(redirection)"
    )
    let numbers = String(decoding: try program.bytes("numbers"), as: UTF8.self).split(separator: "\n")
    for (number, symbol) in ["<", ">", "2>"].enumerated() {
      let isClosed = redirection.split(separator: " ").contains { $0 == symbol + "&-" }
      let expected = isClosed ? "/dev/null" : ["/in", "/out", "/err"][number]
      #expect(try #require(numbers.dropFirst(number).first).hasSuffix(expected), "\(number): \(numbers)")
    }
  }

  /// Once, where it ends in good order, and twice, where it ends at once; SIGQUIT asks nobody.
  @Test(arguments: [
    ("kill -INT $pid", 130), ("while kill -INT $pid; do sleep 0.01; done 2> /dev/null", 130), ("kill -QUIT $pid", 131),
  ])
  func beingToldToStopKillsIt(signals: String, status: Int32) throws {
    defer { program.remove() }
    try putFFmpeg("echo $$ > number.new; mv number.new number; exec sleep 1000")
    let outcome = try shell(
      """
      PATH=$PWD/bin:$PATH; set -m; ulimit -c 0; "$program" separate film.mp4 -n tiny.safetensors --quiet & pid=$!
      until [ -e number ]; do sleep 0.05; kill -0 $pid || exit 99; done
      \(signals); wait $pid; status=$?
      # What is dead and waits for a parent to ask for it lives no more.
      for i in {1..50}; do
        grep -q '^State:.[^ZX]' /proc/$(cat number)/status 2> /dev/null || exit $status; sleep 0.1
      done; exit 98
      """)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains("Interrupted.\n") == (status == 130) && !outcome.errors.contains("Error: "))
    #expect(
      try program.files().sorted() == [
        "bin", "bin/decoded.wav", "bin/ffmpeg", "film.mp4", "number", "tiny.safetensors",
      ])
  }
}
