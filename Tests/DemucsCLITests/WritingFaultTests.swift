import Foundation
import GoldenSupport
import Testing

/// Places where nothing can be written, disks that fill up, readers that go away, and being told to stop.
struct WritingFaultTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
    try program.writeSong(frames: 200_000)
  }

  /// Runs a command of the shell, in which $demucs is the program.
  private func shell(_ command: String) throws -> Program.Outcome {
    try program.run(
      ["-c", command], environment: ["demucs": Program.executable.path], executable: URL(filePath: "/bin/bash"))
  }

  private func expectOneSentence(_ outcome: Program.Outcome, _ words: String) throws {
    #expect(outcome.status == 1, "\(outcome.status): \(outcome.errors)")
    let errors = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("Error: ") }
    #expect(errors.count == 1 && outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    #expect(try program.files() == ["song.wav", "tiny.safetensors"])
  }

  /// A limit on the size of files fails as a full disk does: in the middle of a write. Stems of 36 k frames at 16 bits take
  /// 145 kB, as floats 290 kB.
  @Test(arguments: [
    "--clip-mode rescale", "--clip-mode rescale-all", "--clip-mode none", "--clip-mode none --float32",
    "--clip-mode none --flac", "--clip-mode none --ogg", "--clip-mode none --mp3",
  ])
  func aDiskThatFillsUpLeavesNothing(options: String) throws {
    defer { program.remove() }
    let outcome = try shell("ulimit -f 16; exec \"$demucs\" separate song.wav -n tiny.safetensors \(options) --quiet")
    try expectOneSentence(outcome, "File too large")
    #expect(outcome.errors.contains("ree some space or choose another folder"), "\(outcome.errors)")
  }

  @Test func aPlaceThatTakesNoFilesIsNamed() throws {
    defer { program.remove() }
    // Not even root may write here.
    for place in ["/proc/stems", "/sys/kernel/stems"] {
      let outcome = try program.run(["separate", "song.wav", "-n", "tiny.safetensors", "-o", place])
      try expectOneSentence(outcome, place.split(separator: "/").first.map(String.init) ?? "")
    }
    let outcome = try program.run(["separate", "song.wav", "-n", "tiny.safetensors", "-o", "song.wav"])
    try expectOneSentence(outcome, "song.wav: is a file where a folder is needed")
  }

  /// root may write everywhere, unless it gives that up. It is found out before the song is separated.
  @Test func aFolderThatIsClosedIsNamed() throws {
    defer { program.remove() }
    let outcome = try shell(
      """
      mkdir closed; chmod 500 closed
      [ $(id -u) = 0 ] && less='setpriv --bounding-set=-dac_override'
      $less "$demucs" separate song.wav -n tiny.safetensors -o closed --quiet; status=$?; rmdir closed; exit $status
      """)
    try expectOneSentence(
      outcome, "Error: song.wav: closed: nothing can be written there: Permission denied; choose another folder.")
  }

  /// Paths that nobody takes: the stems are there, and the exit status tells.
  @Test(arguments: ["| true; exit ${PIPESTATUS[0]}", ">&-", "> /dev/full"])
  func aReaderThatWentAwayIsReported(redirection: String) throws {
    defer { program.remove() }
    let outcome = try shell("\"$demucs\" separate song.wav -n tiny.safetensors --quiet \(redirection)")
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("Error: standard output: the results cannot be written: "))
    #expect(outcome.errors.split(separator: "\n").count == 1)
    let stems = try program.files().filter { $0.hasSuffix("s.wav") || $0.hasSuffix("hum.wav") }
    #expect(stems == ["separated/tiny/song/hiss.wav", "separated/tiny/song/hum.wav"])
    #expect(try program.audio(stems[0]).channels[0].count == 36_281)
  }

  // `set -m`: without it a shell has its background jobs ignore SIGINT, which the program respects.

  /// Told to stop while stems are being written, it leaves nothing under a stem's name, and nothing else.
  @Test(arguments: ["INT", "TERM", "HUP"], ["rescale", "none"])
  func stopsInGoodOrder(signal: String, clipMode: String) throws {
    defer { program.remove() }
    // Hours of song: sparse, so that they are there at once.
    try program.writeSparseSong("long.wav", seconds: 20_000)
    let outcome = try shell(
      """
      set -m; "$demucs" separate long.wav -n tiny.safetensors --quiet --clip-mode \(clipMode) & pid=$!
      until [ -d separated/tiny/long ]; do sleep 0.05; kill -0 $pid || exit 99; done
      kill -\(signal) $pid; wait $pid
      """)
    #expect(outcome.status == 130, "\(outcome.errors)")
    // The shell has its say too.
    #expect(outcome.errors.hasPrefix("Interrupted.\n") && !outcome.errors.contains("Error"), "\(outcome.errors)")
    #expect(try program.files() == ["long.wav", "song.wav", "tiny.safetensors"])
  }

  @Test(arguments: ["rescale", "none"]) func aSecondSignalEndsItAtOnce(clipMode: String) throws {
    defer { program.remove() }
    try program.writeSparseSong("long.wav", seconds: 20_000)
    let outcome = try shell(
      """
      set -m; "$demucs" separate long.wav -n tiny.safetensors --quiet --clip-mode \(clipMode) & pid=$!
      until [ -d separated/tiny/long ]; do sleep 0.05; kill -0 $pid || exit 99; done
      # Of two at the same moment the system makes one.
      while kill -INT $pid; do sleep 0.01; done 2> /dev/null; wait $pid
      """)
    #expect(outcome.status == 130)
    #expect(try program.files() == ["long.wav", "song.wav", "tiny.safetensors"])
  }

  /// A reader that is there and does not read: the program stops all the same.
  @Test(arguments: [">&9", ">&9 2>&9"])
  func stopsWhileNobodyReads(redirection: String) throws {
    defer { program.remove() }
    let outcome = try shell(
      """
      set -m; mkfifo out; exec 9<>out; part=$(printf 'x%.0s' {1..200})
      for i in {1..40}; do cp song.wav $i.wav; done
      "$demucs" separate {1..40}.wav -n tiny.safetensors --dry-run --json \
        --filename $part/$part/$part/$part/$part/$part/$part/$part/{track}/{stem}.wav \(redirection) & pid=$!
      # Until the pipe takes no more.
      while echo | dd of=out bs=1 oflag=nonblock status=none 2> /dev/null; do kill -0 $pid || exit 99; done
      kill -INT $pid; sleep 5 & timer=$!; wait -n $pid $timer; status=$?; kill -KILL $pid $timer 2> /dev/null
      exit $status
      """)
    #expect(outcome.status == 130, "\(outcome.errors)")
  }

  /// Nothing on standard input, something that is no song, and a song whose place is taken.
  @Test(arguments: [
    ("< /dev/null", "standard input: is empty (0 bytes)"), ("< .", "standard input: is a folder"),
    ("< tiny.safetensors", "standard input: cannot be read as audio"),
    ("< <(true)", "standard input: is empty (0 bytes)"), ("<&-", "standard input: is empty (0 bytes)"),
  ])
  func standardInputWithoutASong(redirection: String, words: String) throws {
    defer { program.remove() }
    let outcome = try shell("exec \"$demucs\" separate - -n tiny.safetensors \(redirection)")
    try expectOneSentence(outcome, words)
  }

  /// A program that is started without standard streams opens its files under their numbers, if it does not take care.
  @Test(arguments: ["<&- >&-", "<&- >&- 2>&-", ">&- 2>&-", "2>&-", "<&-"])
  func nothingIsSaidIntoAFile(redirection: String) throws {
    defer { program.remove() }
    let command = "separate song.wav missing.wav -n tiny.safetensors --float32"
    let plain = try program.run(command.split(separator: " ").map(String.init) + ["-o", "plain"])
    #expect(plain.status == 1)
    let song = try program.bytes("song.wav")
    let outcome = try shell("\"$demucs\" \(command) -o closed \(redirection)")
    #expect(outcome.status == 1)
    for stem in ["hum", "hiss"] {
      let closed = try program.bytes("closed/tiny/song/\(stem).wav")
      #expect(try closed == program.bytes("plain/tiny/song/\(stem).wav"))
    }
    #expect(try program.bytes("song.wav") == song)
  }

  /// Waiting for a pipe that delivers nothing, or that nobody opens, is no reason not to stop.
  @Test(arguments: [
    ("sleep 100 > pipe.wav & trap \"kill -KILL $!\" EXIT", "pipe.wav"),
    ("sleep 100 > pipe.wav & trap \"kill -KILL $!\" EXIT", "- < pipe.wav"), ("", "pipe.wav"),
  ])
  func stopsWhileAPipeIsSilent(writer: String, input: String) throws {
    defer { program.remove() }
    let outcome = try shell(
      """
      set -m; mkfifo pipe.wav; \(writer)
      "$demucs" separate \(input) -n tiny.safetensors --quiet & pid=$!
      # Told early, before it listens, it would not be told at all. A shell that is about to become it catches signals too.
      until [ $(ls /proc/$pid/task 2> /dev/null | wc -l) -gt 1 ] &&
        grep -q '^SigCgt:.*[2367abef]$' /proc/$pid/status; do sleep 0.05; kill -0 $pid || exit 99; done
      while kill -INT $pid; do sleep 0.3; done 2> /dev/null
      wait $pid
      """)
    #expect(outcome.status == 130, "\(outcome.errors)")
    #expect(outcome.errors.contains("Interrupted.") && !outcome.errors.contains("Error"), "\(outcome.errors)")
    #expect(try program.files() == ["pipe.wav", "song.wav", "tiny.safetensors"])
  }

  @Test func standardInputIsASong() throws {
    defer { program.remove() }
    let plain = try program.run(["separate", "song.wav", "-n", "tiny.safetensors", "--float32"])
    #expect(plain.status == 0)
    for (folder, command) in [("file", "< song.wav"), ("pipe", "< <(cat song.wav)")] {
      let outcome = try shell("exec \"$demucs\" separate - -n tiny.safetensors --float32 -o \(folder) \(command)")
      #expect(outcome.output == "\(folder)/tiny/stdin/hum.wav\n\(folder)/tiny/stdin/hiss.wav\n", "\(outcome.errors)")
      for stem in ["hum", "hiss"] {
        let stdin = try program.bytes("\(folder)/tiny/stdin/\(stem).wav")
        #expect(try stdin == program.bytes("separated/tiny/song/\(stem).wav"))
      }
    }
  }

  @Test func aNamedPipeIsASong() throws {
    defer { program.remove() }
    let plain = try program.run(["separate", "song.wav", "-n", "tiny.safetensors", "--float32"])
    #expect(plain.status == 0)
    let piped = try shell(
      """
      mkfifo pipe.wav; cat song.wav > pipe.wav &
      exec "$demucs" separate pipe.wav -n tiny.safetensors --float32
      """)
    #expect(piped.status == 0, "\(piped.errors)")
    for stem in ["hum", "hiss"] {
      let piped = try program.bytes("separated/tiny/pipe/\(stem).wav")
      #expect(try piped == program.bytes("separated/tiny/song/\(stem).wav"))
    }
  }
}

extension Program {
  /// Writes a header and lets the system make up the samples, which are 0 and take no room: 16-bit stereo.
  func writeSparseSong(_ name: String, seconds: Int, sampleRate: Int = 8000) throws {
    let path = folder.appendingPathComponent(name).path
    let bytes = 4 * seconds * sampleRate
    var header = Data("RIFF".utf8)
    func add(_ value: UInt32) { withUnsafeBytes(of: value.littleEndian) { header.append(contentsOf: $0) } }
    add(UInt32(36 + bytes))
    header.append(Data("WAVEfmt ".utf8))
    for value in [16, 0x0002_0001, sampleRate, sampleRate * 4, 0x0010_0004] { add(UInt32(value)) }
    header.append(Data("data".utf8))
    add(UInt32(bytes))
    try header.write(to: URL(filePath: path))
    try #require(truncate(path, header.count + bytes) == 0)
  }
}
