import AudioFiles
import Foundation
import Testing

/// Formats that libsndfile does not read. Most tests put a script in ffmpeg's place, so that they say the same on machines
/// without it; the last ones run the real program where it is.
@Suite struct FFmpegTests {
  private let folder: TemporaryFolder
  private let song: FilePath
  private let audio = AudioBuffer(channels: [[0.5, -0.25, 2], [0, 1, -1]])

  init() throws {
    folder = try TemporaryFolder()
    song = FilePath(folder.path("song.m4a"))
    try Self.m4a.write(to: URL(filePath: song.description))
    let writer = try AudioFileWriter(
      path: folder.path("decoded.wav"), sampleRate: 22050, channelCount: 2, sampleFormat: .float32)
    try writer.write(audio)
    try writer.finish()
  }

  /// What an M4A begins with.
  private static let m4a = Data([0, 0, 0, 0x1C] + Array("ftypM4A and so on".utf8))

  /// ffmpeg is a script, which finds the song's folder in $folder.
  private func ffmpeg(_ script: String, interpreter: String = "/bin/sh") throws -> FFmpeg {
    let bin = URL(filePath: folder.path("bin"))
    try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
    let program = bin.appendingPathComponent("ffmpeg").path
    // Written by another process: one that is being started by another test would keep it open, and so from being run.
    let writing = try Process.run(
      URL(filePath: "/bin/sh"),
      arguments: [
        "-c", #"printf '%s' "$1" > "$2" && chmod 755 "$2""#, "sh",
        "#!\(interpreter)\nfolder='\(folder.path(""))'\n\(script)\n", program,
      ])
    writing.waitUntilExit()
    #expect(writing.terminationStatus == 0)
    return FFmpeg(searchPath: "/nonexistent:\(bin.path)")
  }

  private func decode(_ ffmpeg: FFmpeg, reading: ((Double) throws -> Void)? = nil) throws -> AudioInput {
    try AudioInput(path: song).decoded(by: ffmpeg, spoolFolder: FilePath(folder.path("")), reading: reading)
  }

  private func samples(_ input: AudioInput) throws -> AudioBuffer? {
    try AudioFileReader(input).read(maximumFrames: 1 << 16)
  }

  @Test func `what ffmpeg makes of a file is read in its place, and nothing is left of it`() throws {
    let input = try decode(
      ffmpeg(
        #"printf '%s\n' "$@" > "$folder/arguments"; cat /dev/fd/3 > "$folder/seen"; cat "$folder/decoded.wav" > /dev/fd/4"#
      ))
    #expect(input.path == song && input.warnings.isEmpty && !input.hasChanged)
    #expect(try samples(input) == audio)
    // Once more, as the second pass does.
    #expect(try samples(input) == audio)
    #expect(try AudioFileReader(input).format.sampleRate == 22050)
    #expect(try Data(contentsOf: URL(filePath: folder.path("seen"))) == Self.m4a)
    let arguments = try String(contentsOfFile: folder.path("arguments"), encoding: .utf8).split(separator: "\n")
    // No name of a file comes into it; no questions; no network.
    #expect(
      arguments.contains("-nostdin") && arguments.contains("file:/dev/fd/4") && !arguments.joined().contains("song"))
    // What is there is read, however long; of several streams of sound the first, not the one that ffmpeg likes best.
    for (option, value) in [("-protocol_whitelist", "file"), ("-map", "0:a:0"), ("-rf64", "auto")] {
      #expect(arguments.firstIndex(of: Substring(option)).map { arguments[$0 + 1] } == Substring(value))
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path("")).sorted()
    #expect(left == ["arguments", "bin", "decoded.wav", "seen", "song.m4a"])
  }

  @Test func `without ffmpeg the way out is named`() throws {
    let error = #expect(throws: AudioFileError.needsFFmpeg(song)) { try decode(FFmpeg(searchPath: "/nonexistent:")) }
    #expect(error?.description.contains("Install it (apt install ffmpeg)") == true)
    // A file of that name that is no program.
    let ffmpeg = try ffmpeg("exit 0")
    #expect(chmod(folder.path("bin/ffmpeg"), 0o644) == 0)
    if getuid() != 0 { #expect(ffmpeg.program == nil) }
    try FileManager.default.removeItem(atPath: folder.path("bin/ffmpeg"))
    try FileManager.default.createDirectory(atPath: folder.path("bin/ffmpeg"), withIntermediateDirectories: false)
    #expect(ffmpeg.program == nil)
  }

  @Test(arguments: [
    (
      #"echo '[mov,mp4,m4a @ 0x55d0] moov atom not found' >&2; echo 'file:/dev/fd/3: Invalid data' >&2; exit 1"#,
      "moov atom not found"
    ),
    (
      #"echo 'file:/dev/fd/3: Invalid data found.' >&2; cat "$folder/decoded.wav" > /dev/fd/4; exit 1"#,
      "Invalid data found"
    ),
    (#"printf 'a\033[31mb\n' >&2; exit 1"#, #"a\u{1B}[31mb"#),
    ("exit 7", "ffmpeg ended with exit status 7"), ("exit 0", "ffmpeg found no audio in it"),
  ])
  func `a failure is one line`(script: String, reason: String) throws {
    #expect(throws: AudioFileError.notDecoded(song, reason: reason)) { try decode(ffmpeg(script)) }
  }

  @Test func `the song is not blamed for a program that crashes`() throws {
    let error = #expect(throws: AudioFileError.self) { try decode(ffmpeg("kill -9 $$")) }
    #expect(error?.description.contains("bin/ffmpeg was ended by signal 9. Install it anew") == true, "\(error!)")
  }

  @Test func `a video without sound is called one`() throws {
    let ffmpeg = try ffmpeg(#"echo "Stream map '0:a:0' matches no streams." >&2; exit 1"#)
    let error = #expect(throws: AudioFileError.noAudioTrack(song)) { try decode(ffmpeg) }
    #expect(error?.description.contains("song.m4a: has no audio track. Choose a file with sound") == true)
  }

  /// Numbers of processes that a script wrote to a file.
  private func numbers(_ name: String) -> [pid_t]? {
    let text = try? String(contentsOfFile: folder.path(name), encoding: .utf8)
    return text.map { $0.split(separator: "\n").compactMap { pid_t($0) } }
  }

  /// What is dead and waits for a parent to ask for it lives no more; what was killed may take a moment to die.
  private func isDead(_ number: pid_t) -> Bool {
    for _ in 0..<500 {
      guard let status = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
        let state = status.split(separator: ")").last?.dropFirst().first, state != "Z", state != "X"
      else { return true }
      usleep(10_000)
    }
    return false
  }

  /// Listened to, and with standard error closed; with what it has begun to write, and without.
  @Test(arguments: ["", "exec 2>&-; ", #"cat "$folder/decoded.wav" > /dev/fd/4; "#])
  func `one that writes nothing any more is killed with all it has started`(before: String) throws {
    let script =
      before + #"sleep 1000 & echo $$ > "$folder/new"; echo $! >> "$folder/new"; mv "$folder/new" "$folder/pids"; wait"#
    let program = try #require(ffmpeg(script).program)
    let ffmpeg = FFmpeg(searchPath: program.folder.description, timeout: 0.1)
    let error = #expect(throws: AudioFileError.decodingStalled(song, seconds: 0.1)) {
      // However long the machine takes to get so far.
      try decode(ffmpeg) { _ in while numbers("pids") == nil { usleep(10_000) } }
    }
    #expect(error?.description.contains("song.m4a: ffmpeg wrote nothing for 0.1 s while it decoded it") == true)
    let processes = try #require(numbers("pids"))
    #expect(processes.count == 2 && processes.allSatisfy(isDead))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("")).count == 4)
  }

  @Test func `what grows is not stalled, however slowly, and a stopped clock stalls nothing`() {
    var watch = StallWatch(limit: 60)
    var (bytes, seconds) = (0, 1e6)
    func look(after step: Double, growing: Bool = false) -> Bool {
      seconds += step
      if growing { bytes += 1 }
      return watch.hasStalled(byteCount: bytes, seconds: seconds)
    }
    #expect(!look(after: 0))
    for _ in 0..<50 {
      let early = (0..<590).filter { _ in look(after: 0.1) }
      #expect(early.isEmpty)
      #expect(!look(after: 0.1, growing: true))
    }
    // A night's sleep of the machine.
    #expect(!look(after: 30_000))
    for _ in 0..<588 { #expect(!look(after: 0.1)) }
    for _ in 0..<4 { _ = look(after: 0.1) }
    #expect(look(after: 0.1))
    var patient = StallWatch(limit: FFmpeg(timeout: 0).timeout)
    let never = (0..<100_000).filter { patient.hasStalled(byteCount: 0, seconds: Double($0)) }
    #expect(never.isEmpty)
    #expect(FFmpeg(timeout: -1).timeout == 60 && FFmpeg(timeout: .nan).timeout == 60 && FFmpeg(timeout: 5).timeout == 5)
  }

  /// A child of its own that has its standard error is neither waited for nor left.
  @Test func `what it leaves running ends with it`() throws {
    let input = try decode(
      ffmpeg(#"echo oops >&2; sleep 1000 & echo $! > "$folder/pids"; cat "$folder/decoded.wav" > /dev/fd/4"#))
    #expect(try samples(input) == audio)
    #expect(input.warnings.count == 1 && input.warnings[0].contains("(oops)"))
    let processes = try #require(numbers("pids"))
    #expect(processes.count == 1 && processes.allSatisfy(isDead))
  }

  @Test func `a folder that takes no temporary file is named with its reason`() throws {
    let ffmpeg = try ffmpeg("exit 0")
    let absent = FilePath(folder.path("absent"))
    let error = #expect(throws: AudioFileError.cannotSpool(song, folder: absent, reason: "No such file or directory")) {
      try AudioInput(path: song).decoded(by: ffmpeg, spoolFolder: absent)
    }
    #expect(error?.description.contains("absent: No such file or directory. Free some space or choose another") == true)
    let full = AudioFileError.cannotSpool("a", folder: "b", reason: String(cString: strerror(EMFILE)))
    #expect(
      full.description.hasSuffix(": Too many open files. Raise the limit on open files (ulimit -n), then try again."))
  }

  @Test func `a program that is none is reported`() throws {
    let ffmpeg = try ffmpeg("", interpreter: "/nonexistent/interpreter")
    let error = #expect(throws: AudioFileError.self) { try decode(ffmpeg) }
    #expect(
      error?.description.contains("bin/ffmpeg cannot be run: No such file or directory. Install it anew") == true,
      "\(error!)")
  }

  @Test func `a full disk is named as such`() throws {
    let ffmpeg = try ffmpeg("echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 1")
    #expect(
      throws: AudioFileError.cannotSpool(song, folder: FilePath(folder.path("")), reason: "No space left")
    ) { try decode(ffmpeg) }
  }

  /// It may be gone before anybody listens.
  @Test func `its last words are heard`() throws {
    let ffmpeg = try ffmpeg(
      #"{ yes | head -c 10000; echo; echo No space left on device; } >&2; echo $$ > "$folder/new"; mv "$folder/new" "$folder/pids"; exit 1"#
    )
    #expect(throws: AudioFileError.cannotSpool(song, folder: FilePath(folder.path("")), reason: "No space left")) {
      try decode(ffmpeg) { _ in
        while numbers("pids") == nil { usleep(10_000) }
        #expect(numbers("pids")?.allSatisfy(isDead) == true)
      }
    }
  }

  @Test func `complaints of any length do not stop it, and become a warning`() throws {
    let input = try decode(
      ffmpeg(
        #"yes '[aac @ 0x1] channel element 0.0 is not allocated' | head -c 1000000 >&2; cat "$folder/decoded.wav" > /dev/fd/4"#
      ))
    #expect(input.warnings.count == 1 && input.warnings[0].contains("(channel element 0.0 is not allocated)"))
    #expect(try samples(input) == audio)
  }

  @Test func `tags are told beside the samples`() throws {
    let metadata = ##"""
      ;FFMETADATA1
      major_brand=M4A 
      TITLE=a\=b\;c\#d\\e
      artist= Motörhead 
      track=3/12
      comment=one\
      two
      title=another
      year=1980
      odd
      =
      [STREAM]
      album=of a stream
      """##
    try Data(metadata.utf8 + [0x0A, 0x67, 0x65, 0x6E, 0x72, 0x65, 0x3D, 0x52]).write(
      to: URL(filePath: folder.path("metadata")))
    let input = try decode(ffmpeg(#"cat "$folder/decoded.wav" > /dev/fd/4; cat "$folder/metadata" > /dev/fd/5"#))
    var tags = AudioTags()
    (tags[.title], tags[.artist], tags[.trackNumber]) = (#"a=b;c#d\e"#, "Motörhead", "3/12")
    (tags[.comment], tags[.date]) = ("one\ntwo", "1980")
    #expect(try AudioFileReader(input).tags == tags)
    #expect(try AudioSource(input, sampleRate: 22050, channelCount: 2).tags == tags)
    // Nothing, or nothing that can be understood, is no fault.
    for text in ["", "\\", "=\n==\n\\\\=", String(repeating: "title", count: 1 << 18)] {
      try Data(text.utf8).write(to: URL(filePath: folder.path("metadata")))
      let other = try decode(ffmpeg(#"cat "$folder/decoded.wav" > /dev/fd/4; cat "$folder/metadata" > /dev/fd/5"#))
      #expect(try AudioFileReader(other).tags.isEmpty)
    }
  }

  @Test func `it is waited for, also when it says no more`() throws {
    let input = try decode(ffmpeg(#"exec 2>&-; sleep 0.3; cat "$folder/decoded.wav" > /dev/fd/4"#))
    #expect(try samples(input) == audio)
  }

  /// In the first half of its run, where it is listened to, and in the second, where it has closed standard error.
  @Test(arguments: ["", "exec 2>&-; "])
  func `cancelling kills it and leaves no zombie`(before: String) throws {
    let ffmpeg = try ffmpeg(
      before + #"echo $$ > "$folder/pid.new"; mv "$folder/pid.new" "$folder/pid"; exec sleep 1000"#)
    var number: pid_t?
    #expect(throws: CancellationError.self) {
      try decode(ffmpeg) { _ in
        number = (try? String(contentsOfFile: folder.path("pid"), encoding: .utf8))
          .flatMap { pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        if number != nil { throw CancellationError() }
      }
    }
    #expect(kill(try #require(number), 0) == -1 && errno == ESRCH)
  }

  /// Ctrl-C in a terminal goes to the whole group: it is for this program to end the other.
  @Test func `it has a process group of its own`() throws {
    let input = try decode(
      ffmpeg(#"[ "$(cut -d ' ' -f 5 /proc/$$/stat)" = $$ ] && cat "$folder/decoded.wav" > /dev/fd/4"#))
    #expect(try samples(input) == audio)
  }

  @Test func `seconds are told while it runs`() throws {
    var seconds: [Double] = []
    let ffmpeg = try ffmpeg(
      #"cat "$folder/decoded.wav" > /dev/fd/4; until [ -e "$folder/go" ]; do sleep 0.01; done"#)
    _ = try decode(ffmpeg) { second in
      seconds.append(second)
      if second > 0 { try Data().write(to: URL(filePath: folder.path("go"))) }
    }
    let last = try #require(seconds.last)
    #expect(last > 3.0 / 22050 && last < 20.0 / 22050)
  }

  @Test func `a file that changes meanwhile is reported`() throws {
    let ffmpeg = try ffmpeg(#"echo more >> "$folder/song.m4a"; cat "$folder/decoded.wav" > /dev/fd/4"#)
    #expect(throws: AudioFileError.changed(song)) { try decode(ffmpeg) }
  }

  /// ffmpeg finds sound in anything.
  @Test(arguments: [
    "Dear diary, ftyp", "#EXTM3U\nhttp://127.0.0.1/", "<html>", "PK\u{3}\u{4}", "\u{1}\u{2}\u{3}", "%PDF-1.4",
  ])
  func `what does not begin like sound or pictures is no business of it`(text: String) throws {
    try Data(text.utf8).write(to: URL(filePath: song.description))
    let input = try decode(ffmpeg(#"touch "$folder/called"; exit 1"#))
    #expect(!FileManager.default.fileExists(atPath: folder.path("called")))
    let error = #expect(throws: AudioFileError.self) { try AudioFileReader(input) }
    #expect(error?.description.contains("Format not recognised") == true, "\(String(describing: error))")
  }

  @Test(
    arguments: [
      [0xFF, 0xF1, 0x50, 0x80], [0x1A, 0x45, 0xDF, 0xA3], [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9],
      Array("RIFF....AVI LIST".utf8), Array("wvpk....".utf8), [0x0B, 0x77, 0xD9, 0x54], Array("\0\0\0 ftypisom".utf8),
      Array("BW64....WAVE".utf8),
    ] as [[UInt8]])
  func `what begins like sound or pictures is`(head: [UInt8]) throws {
    try Data(head + [UInt8](repeating: 0, count: 100)).write(to: URL(filePath: song.description))
    #expect(try samples(decode(ffmpeg(#"cat "$folder/decoded.wav" > /dev/fd/4"#))) == audio)
  }

  /// Headers of containers that libsndfile reads, with codecs in them that it does not.
  static let foreign: [[UInt8]] = {
    func text(_ text: String) -> [UInt8] { Array(text.utf8) }
    func big(_ value: some FixedWidthInteger) -> [UInt8] { little(value).reversed() }
    func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
    func file(_ parts: [UInt8]...) -> [UInt8] { Array(parts.joined()) }
    func wav(_ tag: UInt16) -> [UInt8] { wavBytes(bits: 0, formatTag: tag, data: zeros(400)) }
    func page(_ content: [UInt8]) -> [UInt8] {
      file(text("OggS"), [0, 2], zeros(8), [1, 0, 0, 0], zeros(8), [1, UInt8(content.count)], content)
    }
    let guid: [UInt8] = [0, 0x20, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
    let extensible = file(
      text("RIFF"), little(UInt32(480)), text("WAVEfmt "), little(UInt32(40)), little(UInt16(0xFFFE)), [2, 0],
      little(UInt32(44100)), little(UInt32(176_400)), [4, 0, 16, 0, 22, 0, 16, 0, 3, 0, 0, 0], guid, text("data"),
      little(UInt32(400)), zeros(400))
    let aiff = file(
      text("FORM"), big(UInt32(200)), text("AIFCCOMM"), big(UInt32(24)),
      [0, 2, 0, 0, 0, 10, 0, 16], [0x40, 0x0E, 0xAC, 0x44],
      zeros(6), text("QDMC"), zeros(2), text("SSND"), big(UInt32(108)), zeros(108))
    let caf = file(
      text("caff"), [0, 1, 0, 0], text("desc"), big(UInt64(32)), big(44100.0.bitPattern), text("aac "), zeros(8),
      big(UInt32(1024)), big(UInt32(2)), zeros(4), text("data"), big(UInt64(104)), zeros(104))
    let tagged = file(text("ID3"), [4, 0, 0, 0, 0, 0, 5], zeros(5), [0xFF, 0xF1, 0x50, 0x80], zeros(100))
    let (speex, theora) = (page(file(text("Speex   1.2"), zeros(69))), page(file([0x80], text("theora"), zeros(35))))
    return [wav(0x50), wav(0xFF), wav(0x161), wav(0x2000), extensible, aiff, caf, speex, theora, tagged]
  }()

  @Test(arguments: 0..<foreign.count) func `codecs that libsndfile lacks are for ffmpeg`(index: Int) throws {
    try Data(Self.foreign[index]).write(to: URL(filePath: song.description))
    #expect(try samples(decode(ffmpeg(#"cat "$folder/decoded.wav" > /dev/fd/4"#))) == audio)
    #expect(throws: AudioFileError.needsFFmpeg(song)) { try decode(FFmpeg(searchPath: "/nonexistent")) }
    // Without all of its header it is damaged.
    for length in [4, 11, 13, 25] {
      try Data(Self.foreign[index].prefix(length)).write(to: URL(filePath: song.description))
      #expect(try !AudioInput(path: song).needsDecoding || Self.foreign[index].starts(with: "ID3".utf8), "\(length)")
    }
  }

  @Test func `what libsndfile reads stays as it is`() throws {
    let input = try AudioInput(path: FilePath(folder.path("decoded.wav")))
    #expect(try input.decoded(by: ffmpeg("exit 1"), spoolFolder: "/nonexistent") === input)
  }

  // The real program.

  /// Apple's lossless codec gives back what was put in, at its own rate and with its own channels, behind any name.
  @Test(.enabled(if: FFmpeg().program != nil, "ffmpeg is not installed"), arguments: [(8000, 1), (48000, 6)])
  func `the real ffmpeg gives every sample`(rate: Int, channels: Int) throws {
    let tone = (0..<20_000).map { Float(($0 * 7919) % 65536 - 32768) / 32768 }
    let audio = AudioBuffer(channels: (0..<channels).map { channel in tone.map { $0 / Float(1 << channel) } })
    let writer = try AudioFileWriter(
      path: folder.path("plain.wav"), sampleRate: rate, channelCount: channels, sampleFormat: .int24)
    try writer.write(audio)
    try writer.finish()
    let name = FilePath(bytes: Array(folder.path("").utf8) + Array("/-i \n'caf\u{301}".utf8) + [0xE9, 0x2E, 0x6D])
    let program = try #require(FFmpeg().program)
    let encoding = try Process.run(
      URL(filePath: program.description),
      arguments: ["-v", "error", "-nostdin", "-i", folder.path("plain.wav"), "-c:a", "alac", folder.path("x.m4a")])
    encoding.waitUntilExit()
    #expect(encoding.terminationStatus == 0)
    #expect(
      name.bytes.withUnsafeBufferPointer { _ in
        rename(folder.path("x.m4a"), name.bytes.map { CChar(bitPattern: $0) } + [0])
      } == 0)
    let input = try AudioInput(path: name).decoded(spoolFolder: FilePath(folder.path("")))
    #expect(input.warnings.isEmpty)
    #expect(try AudioFileReader(input).format.sampleRate == rate)
    #expect(try samples(input) == samples(AudioInput(path: FilePath(folder.path("plain.wav")))))
  }

  @Test(.enabled(if: FFmpeg().program != nil, "ffmpeg is not installed"), arguments: ["m4a", "mka", "wma", "wv"])
  func `the real ffmpeg tells the tags`(ending: String) throws {
    let program = try #require(FFmpeg().program)
    let comment = #"a=b;c#d\ "# + String(repeating: "x", count: 5000)
    let writer = try AudioFileWriter(
      path: folder.path("noise.wav"), sampleRate: 44100, channelCount: 1, sampleFormat: .int16)
    try writer.write(AudioBuffer(channels: [noise(20_000)]))
    try writer.finish()
    let encoding = try Process.run(
      URL(filePath: program.description),
      arguments: ["-v", "error", "-nostdin", "-y", "-i", folder.path("noise.wav"), "-metadata", "title=Motörhead"]
        + ["-metadata", "artist=歌手", "-metadata", "track=3/12", "-metadata", "comment=\(comment)"]
        + [folder.path("song." + ending)])
    encoding.waitUntilExit()
    #expect(encoding.terminationStatus == 0)
    let input = try AudioInput(path: FilePath(folder.path("song." + ending)))
      .decoded(spoolFolder: FilePath(folder.path("")))
    let tags = try AudioFileReader(input).tags
    #expect(tags[.title] == "Motörhead" && tags[.artist] == "歌手" && tags[.trackNumber] == "3/12")
    #expect(tags[.comment] == comment && tags.fields.count == 4)
  }

  @Test(.enabled(if: FFmpeg().program != nil, "ffmpeg is not installed"))
  func `the real ffmpeg says what is wrong`() throws {
    #expect(throws: AudioFileError.self) { try decode(FFmpeg()) }
  }

  @Test(.enabled(if: FFmpeg().program != nil, "ffmpeg is not installed"), arguments: ["mp4", "mkv", "avi"])
  func `the real ffmpeg finds no sound in a video that has none`(ending: String) throws {
    let program = try #require(FFmpeg().program)
    let film = folder.path("film." + ending)
    let encoding = try Process.run(
      URL(filePath: program.description),
      arguments: ["-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=size=64x64:duration=0.2", film])
    encoding.waitUntilExit()
    #expect(encoding.terminationStatus == 0)
    #expect(throws: AudioFileError.noAudioTrack(FilePath(film))) {
      try AudioInput(path: FilePath(film)).decoded(spoolFolder: FilePath(folder.path("")))
    }
  }
}
