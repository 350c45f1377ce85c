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
/// are removed.
final class Interruption: Sendable {
  /// What a shell expects of a program ended by Ctrl-C: 128 + SIGINT.
  static let exitStatus: Int32 = 130

  private let requested = Atomic<Bool>(false)
  private let console: Console
  /// What there is to say on standard output when the program ends from here.
  private let lastResults = Mutex<(@Sendable () -> [String])?>(nil)
  /// Temporary folders, which go when the program ends from here.
  private let folders = Mutex<Set<String>>([])

  init(console: Console) { self.console = console }

  /// Starts to listen.
  func install() {
    // A reader of standard output that went away must not leave temporary files behind.
    signal(SIGPIPE, SIG_IGN)
    // A limit on file sizes is to end in a message, as a full disk does.
    signal(SIGXFSZ, SIG_IGN)
    // Whoever started the program may have kept them back from itself, and so from what it starts.
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, number) }
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    // A handler must not be the first to ask for them.
    withExtendedLifetime(signals) {}
    let listener = Background { [self] in listen() }
    // Where there is no thread to be had, a signal ends the program as it would any.
    guard listener.isOnItsWay else { return }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // `nohup` and a shell's `&` ask that a signal be ignored: so be it.
      var current = sigaction()
      guard sigaction(number, nil, &current) == 0,
        unsafeBitCast(current.__sigaction_handler, to: Int.self) != unsafeBitCast(SIG_IGN, to: Int.self)
      else { continue }
      signal(number) { _ in sem_post(signals.semaphore) }
    }
  }

  private func listen() {
    signals.wait()
    requested.store(true, ordering: .relaxed)
    signals.wait(milliseconds: 500)
    end()
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

  private func end() -> Never {
    abandonWork()
    let results = lastResults.withLock(\.self)
    console.end(results: results?() ?? [], problem: "Interrupted.", status: Interruption.exitStatus)
  }

  /// Leaves nothing behind, for a program that ends at once.
  func abandonWork() {
    TemporaryFiles.shared.abandon()
    ChildProcess.killAll()
    folders.withLock { for path in $0 { try? FileManager.default.removeItem(atPath: path) } }
  }
}
