import Foundation
import Testing

/// Signals in moments where the program cannot come to an end by itself.
struct SignalTests {
  private let program: Program

  init() throws {
    program = try Program()
    try TestModel().write(program)
  }

  /// Runs a command of the shell, in which $demucs is the program. Jobs have signals as on a terminal.
  private func shell(_ command: String) throws -> Program.Outcome {
    let models = URL(filePath: #filePath).deletingLastPathComponent().appendingPathComponent("../../models").path
    return try program.run(
      ["-c", "set -m; ulimit -c 0; \(command)"],
      environment: ["demucs": Program.executable.path, "models": models], executable: URL(filePath: "/bin/bash"))
  }

  /// In the segment of a network that takes longer over it than the signals take to come: the thread of the signals itself
  /// leaves nothing behind.
  @Test func inTheMiddleOfASegment() throws {
    defer { program.remove() }
    try program.writeSparseSong("long.wav", seconds: 200)
    let outcome = try shell(
      """
      "$demucs" separate long.wav -n open_6s --models-dir "$models" -j 1 --quiet --clip-mode none & pid=$!
      until [ $(ls -A separated/open_6s/long 2> /dev/null | wc -l) = 6 ]; do kill -0 $pid || exit 99; done
      # Past the question whether to go on that comes before the segment. Of two at the same moment the system makes one.
      sleep 0.3
      while kill -INT $pid; do sleep 0.01; done 2> /dev/null; wait $pid
      """)
    #expect(outcome.status == 130, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("Interrupted.\n"), "\(outcome.errors)")
    #expect(try program.files() == ["long.wav", "tiny.safetensors"])
  }

  /// SIGQUIT ends it as it ends any program, without a backtrace; what is not whole goes before.
  @Test(arguments: [
    "separate long.wav -n tiny.safetensors --quiet --clip-mode none", "separate long.wav -n tiny.safetensors --json",
  ])
  func quitting(command: String) throws {
    defer { program.remove() }
    try program.writeSparseSong("long.wav", seconds: 20_000)
    let outcome = try shell(
      """
      "$demucs" \(command) 2> errors & pid=$!
      until [ -d separated/tiny/long ]; do sleep 0.05; kill -0 $pid || exit 99; done
      kill -QUIT $pid; wait $pid
      """)
    #expect(outcome.status == 128 + SIGQUIT, "\(outcome.errors)")
    let errors = String(decoding: try program.bytes("errors"), as: UTF8.self).split(separator: "\n")
    #expect(errors.allSatisfy { $0.hasPrefix("long.wav: ") }, "\(errors)")
    #expect(outcome.output.isEmpty)
    #expect(try program.files() == ["errors", "long.wav", "tiny.safetensors"])
  }

  /// A command that measures, and one that waits for names.
  @Test(arguments: [
    "bench -n tiny.safetensors -j 2 --runs 10000000", "separate --from-file - -n tiny.safetensors < names",
  ])
  func quittingElsewhere(command: String) throws {
    defer { program.remove() }
    let outcome = try shell(
      """
      mkfifo names; sleep 100 > names & trap "kill -KILL $!" EXIT
      "$demucs" \(command) > output 2> errors & pid=$!
      until [ $(ls /proc/$pid/task 2> /dev/null | wc -l) -gt 1 ]; do kill -0 $pid || exit 99; done
      kill -QUIT $pid; wait $pid
      """)
    #expect(outcome.status == 128 + SIGQUIT, "\(outcome.errors)")
    #expect(String(decoding: try program.bytes("errors"), as: UTF8.self).isEmpty)
  }

  /// Names that do not come: from a pipe, and where the list is named.
  @Test(arguments: [
    ("--from-file - < names", "Interrupted.\n", "INT"), ("--from-file names", "Interrupted.\n", "TERM"),
    ("--from-file - --json < names", "Interrupted.\n", "HUP"),
    (
      "--from-file - --progress json < names", #"{"event":"interrupted"}"# + "\n", "INT"
    ),
  ])
  func whileNamesAreAwaited(arguments: String, errors: String, signal: String) throws {
    defer { program.remove() }
    let outcome = try shell(
      """
      mkfifo names; sleep 100 > names & trap "kill -KILL $!" EXIT
      "$demucs" separate -n tiny.safetensors \(arguments) 2> errors & pid=$!
      # Told early, before it listens, it would end as any program. A shell that is about to become it catches signals too.
      until [ $(ls /proc/$pid/task 2> /dev/null | wc -l) -gt 1 ] &&
        grep -q '^SigCgt:.*[2367abef]$' /proc/$pid/status; do sleep 0.05; kill -0 $pid || exit 99; done
      kill -\(signal) $pid; wait $pid
      """)
    #expect(outcome.status == 130, "\(outcome.errors)")
    #expect(String(decoding: try program.bytes("errors"), as: UTF8.self) == errors)
    #expect(outcome.output.isEmpty)
  }
}
