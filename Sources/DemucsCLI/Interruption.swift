import AudioFiles
import Dispatch
import Foundation
import Separation
import Synchronization

/// Ends the program in good order when it is told to stop: Ctrl-C, `kill`, a closed terminal.
///
/// The separation stops at the next segment and the program ends as always. A segment takes a second or more, so
/// after half a second, or at a second signal, the program ends from here: only temporary files are open, and they
/// are removed.
///
/// `@unchecked`: the sources are written once, by `install`, and only kept.
final class Interruption: @unchecked Sendable {
  /// What a shell expects of a program ended by Ctrl-C: 128 + SIGINT.
  static let exitStatus: Int32 = 130

  private static let patience = DispatchTimeInterval.milliseconds(500)

  private let requested = Atomic<Bool>(false)
  private let console: Console
  private var sources: [any DispatchSourceSignal] = []
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
    let queue = DispatchQueue(label: "signals")
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // `nohup` and a shell's `&` ask that a signal be ignored: so be it.
      var current = sigaction()
      guard sigaction(number, nil, &current) == 0,
        unsafeBitCast(current.__sigaction_handler, to: Int.self) != unsafeBitCast(SIG_IGN, to: Int.self)
      else { continue }
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { [self] in
        if requested.exchange(true, ordering: .relaxed) { end() }
        queue.asyncAfter(deadline: .now() + Interruption.patience) { [self] in end() }
      }
      source.activate()
      sources.append(source)
    }
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
    TemporaryFiles.shared.abandon()
    ChildProcess.killAll()
    folders.withLock { for path in $0 { try? FileManager.default.removeItem(atPath: path) } }
    let results = lastResults.withLock(\.self)
    console.end(results: results?() ?? [], problem: "Interrupted.", status: Interruption.exitStatus)
  }
}
