import AudioFiles
import Foundation
import Separation
import Synchronization

/// Signals that have come. A handler may do next to nothing, but this it may.
private let signals = SignalCount()

private struct SignalCount: @unchecked Sendable {
  let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  /// Waits for one more, and no longer than asked.
  func wait(milliseconds: Int? = nil) {
    var end = timespec()
    clock_gettime(CLOCK_REALTIME, &end)
    end.tv_nsec += (milliseconds ?? 0) * 1_000_000
    (end.tv_sec, end.tv_nsec) = (end.tv_sec + end.tv_nsec / 1_000_000_000, end.tv_nsec % 1_000_000_000)
    while (milliseconds == nil ? sem_wait(semaphore) : sem_timedwait(semaphore, &end)) != 0, errno == EINTR {}
  }
}

/// Ends the program in good order when it is told to stop: Ctrl-C, `kill`, a closed terminal.
///
/// The separation stops at the next segment and the program ends as always. A segment takes a second or more, so
/// after half a second, or at a second signal, the program ends from here: only temporary files are open, and they
/// are removed. SIGQUIT (Ctrl-\\) ends it at once, after that.
final class Interruption: Sendable {
  /// What a shell expects of a program ended by Ctrl-C: 128 + SIGINT.
  static let exitStatus: Int32 = 130

  /// The one that is told of signals: the last that was installed.
  private static let current = Mutex<Interruption?>(nil)

  private let requested = Atomic<Bool>(false)
  private let console: Console
  /// Milliseconds that the program has to end by itself.
  private let grace: Int
  /// What there is to say on standard output when the program ends from here.
  private let lastResults = Mutex<(@Sendable () -> [String])?>(nil)
  /// Temporary folders, which go when the program ends from here.
  private let folders = Mutex<Set<String>>([])
  /// What else there is to remove then.
  private let cleaning = Mutex<[@Sendable () -> Void]>([])

  init(console: Console, grace: Int = 500) { (self.console, self.grace) = (console, grace) }

  /// Has a program that has just begun end by signals as any does, without the backtrace that Swift prints at SIGQUIT.
  static func prepare() {
    // Whoever started the program may have kept them back from itself, and so from what it starts.
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { sigaddset(&set, number) }
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    if !isIgnored(SIGQUIT) { signal(SIGQUIT, SIG_DFL) }
  }

  /// Starts to listen, in the place of another one that did.
  func install() {
    let isFirst = Interruption.current.withLock { current in
      defer { current = self }
      return current == nil
    }
    if !isFirst { return }
    // A reader of standard output that went away must not leave temporary files behind.
    signal(SIGPIPE, SIG_IGN)
    // A limit on file sizes is to end in a message, as a full disk does.
    signal(SIGXFSZ, SIG_IGN)
    // A handler must not be the first to ask for them.
    withExtendedLifetime(signals) {}
    let listener = Background { Interruption.listen() }
    // Where there is no thread to be had, a signal ends the program as it would any.
    guard listener.isOnItsWay else { return }
    // `nohup` and a shell's `&` ask that a signal be ignored: so be it.
    if !Interruption.isIgnored(SIGQUIT) {
      signal(SIGQUIT) { number in
        // A second one needs no help of ours; and that the first has come is seen by it.
        signal(number, SIG_DFL)
        sem_post(signals.semaphore)
      }
    }
    for number in [SIGHUP, SIGTERM, SIGINT] where !Interruption.isIgnored(number) {
      signal(number) { _ in sem_post(signals.semaphore) }
    }
  }

  private static func listen() {
    signals.wait()
    if hasDefault(SIGQUIT) { quit() }
    let grace = current.withLock { current -> Int? in
      current?.requested.store(true, ordering: .relaxed)
      return current?.grace
    }
    signals.wait(milliseconds: grace ?? 0)
    if hasDefault(SIGQUIT) { quit() }
    current.withLock(\.self)?.end()
  }

  private static func isIgnored(_ number: Int32) -> Bool { handler(of: number) == unsafeBitCast(SIG_IGN, to: Int.self) }

  private static func hasDefault(_ number: Int32) -> Bool { handler(of: number) == 0 }

  /// The address of what handles a signal; 0 is what the system does by itself.
  private static func handler(of number: Int32) -> Int {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return 0 }
    return unsafeBitCast(action.__sigaction_handler, to: Int.self)
  }

  /// Whether an error says that the program was told to stop.
  static func isStop(_ error: any Error) -> Bool {
    error is CancellationError || error as? OutputError == .abandoned
  }

  /// - Throws: `CancellationError` once the program was told to stop.
  func check() throws {
    if requested.load(ordering: .relaxed) { throw CancellationError() }
  }

  /// Has lines written to standard output when the program ends from here, if they can be written at once.
  func finally(_ results: @escaping @Sendable () -> [String]) { lastResults.withLock { $0 = results } }

  /// Has something removed when the program ends from here, on the thread of the signals.
  func whenAbandoned(_ clean: @escaping @Sendable () -> Void) { cleaning.withLock { $0.append(clean) } }

  /// Makes a folder for files that nobody keeps; it goes when the program is interrupted, or with `removeFolder`.
  func makeTemporaryFolder() throws -> String {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("demucs-cli-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    folders.withLock { _ = $0.insert(path) }
    return path
  }

  func removeFolder(_ path: String) {
    folders.withLock { folders in
      try? FileManager.default.removeItem(atPath: path)
      folders.remove(path)
    }
  }

  /// Ends the program as SIGQUIT ends any: quietly, and with a core dump if the system makes them.
  private static func quit() {
    current.withLock(\.self)?.abandonWork()
    kill(getpid(), SIGQUIT)
  }

  private func end() -> Never {
    abandonWork()
    let results = lastResults.withLock(\.self)
    console.end(results: results?() ?? [], status: Interruption.exitStatus)
  }

  /// Leaves nothing behind, for a program that ends at once.
  func abandonWork() {
    TemporaryFiles.shared.abandon()
    ChildProcess.killAll()
    folders.withLock { for path in $0 { try? FileManager.default.removeItem(atPath: path) } }
    for clean in cleaning.withLock(\.self) { clean() }
  }
}
