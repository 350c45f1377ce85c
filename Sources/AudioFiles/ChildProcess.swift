import Glibc
import Synchronization

/// Another program that runs beside this one and never outlives its use.
///
/// It has a process group of its own: Ctrl-C in a terminal goes to this program, which then ends the other.
package final class ChildProcess {
  private let number: pid_t
  private let errorPipe: Int32
  private var waitStatus: Int32?

  private struct Running {
    var numbers: Set<pid_t> = []
    /// Whether the program is about to end.
    var isOver = false
  }

  /// Children that are running, for a program that has to end at once.
  private static let running = Mutex(Running())

  /// Kills every child: for a thread that ends this program, which then waits for none. No other thread is told that its
  /// child has ended, as it would take that for a fault of the child's; and no more are started.
  package static func killAll() {
    running.withLock { running in
      running.isOver = true
      for number in running.numbers { killGroup(number) }
    }
  }

  /// With what it may have started in its turn.
  private static func killGroup(_ number: pid_t) {
    kill(-number, SIGKILL)
  }

  /// Starts a program with nothing on standard input, and standard output thrown away.
  /// - Parameters:
  ///   - program: the file of the program.
  ///   - arguments: with the program's name.
  ///   - descriptors: what the program gets open, and under which numbers, from 3 to 15.
  /// - Throws: `ProcessError`.
  init(_ program: FilePath, arguments: [String], descriptors: [(own: Int32, other: Int32)]) throws {
    var pipes: [Int32] = [-1, -1]
    guard pipe(&pipes) == 0 else { throw ProcessError(reason: systemMessage(errno)) }
    for end in pipes { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(pipes[1]) }
    // Away from the numbers that the program is to find them under.
    let copies = descriptors.map { (fcntl($0.own, F_DUPFD_CLOEXEC, 16), $0.other) }
    defer { for (copy, _) in copies where copy >= 0 { close(copy) } }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipes[1], STDERR_FILENO)
    for (copy, other) in copies { posix_spawn_file_actions_adddup2(&actions, copy, other) }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    // SIGXFSZ stays as it is: a limit on sizes is to end in a message.
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var number: pid_t = 0
    let code =
      ChildProcess.running.withLock { running in
        if running.isOver { return ECANCELED }
        let code = program.withCString { posix_spawn(&number, $0, &actions, &attributes, &words, environ) } ?? ENOENT
        if code == 0 { running.numbers.insert(number) }
        return code
      }
    guard code == 0 else {
      close(pipes[0])
      throw ProcessError(reason: systemMessage(code))
    }
    (self.number, errorPipe) = (number, pipes[0])
  }

  deinit {
    end()
    close(errorPipe)
  }

  /// Waits for words on standard error.
  /// - Parameters:
  ///   - limit: bytes that are kept; what comes after them is read and thrown away.
  ///   - milliseconds: how long it waits at most.
  /// - Returns: false when no more will come.
  /// - Throws: `ProcessError`.
  func readErrors(into text: inout [UInt8], limit: Int, milliseconds: Int32) throws -> Bool {
    var wanted = pollfd(fd: errorPipe, events: Int16(POLLIN), revents: 0)
    let count = poll(&wanted, 1, milliseconds)
    guard count > 0 else {
      guard count == 0 || errno == EINTR else { throw ProcessError(reason: systemMessage(errno)) }
      return true
    }
    var block = [UInt8](repeating: 0, count: 4096)
    let length = read(errorPipe, &block, block.count)
    if length > 0 { text += block.prefix(min(length, max(0, limit - text.count))) }
    return length > 0 || (length < 0 && errno == EINTR)
  }

  /// How the program ended: its exit status, or 128 and the number of the signal; nil while it runs.
  var status: Int32? {
    if waitStatus == nil { wait(WNOHANG) }
    return waitStatus.map { $0 & 0x7F == 0 ? ($0 >> 8) & 0xFF : 128 + ($0 & 0x7F) }
  }

  /// Kills the program if it still runs, with all of its group, and waits for it.
  func end() {
    guard status == nil else { return }
    ChildProcess.killGroup(number)
    wait(0)
  }

  private func wait(_ flags: Int32) {
    // Under the lock: a number that was waited for may be another program's.
    ChildProcess.running.withLock { running in
      if running.isOver { return }
      var ended = siginfo_t()
      var result: pid_t
      repeat {
        result = waitid(P_PID, id_t(number), &ended, WEXITED | WNOWAIT | flags)
      } while result < 0 && errno == EINTR
      if result == 0, ended.si_signo == 0 { return }
      // Nobody else can have the number yet. What the program may have left running goes with it.
      if result == 0 { ChildProcess.killGroup(number) }
      var value: Int32 = 0
      repeat { result = waitpid(number, &value, 0) } while result < 0 && errno == EINTR
      running.numbers.remove(number)
      // Somebody else waited for it: nobody knows how it ended.
      waitStatus = result == number ? value : 0xFF00
    }
  }
}

/// Why a program could not be started or listened to.
struct ProcessError: Error {
  let reason: String
}
