import AudioFiles
import Foundation
import Synchronization

/// What the program says: results on standard output, everything else on standard error.
///
/// Writes go straight to the system, so that nothing is lost when the program ends from a signal's thread, and one line
/// never lands inside another.
final class Console: Sendable {
  /// How standard error is read.
  enum Style: Sendable {
    /// A person at a terminal: a bar that redraws itself.
    case terminal
    /// A log: plain lines.
    case log
    /// As a log, without progress.
    case plain
    /// A program: JSON, an object a line.
    case json
    /// Nobody: only errors and warnings.
    case quiet
  }

  let style: Style
  /// Whether the last line of the terminal is a bar that the next line has to replace.
  private let barIsShown = Mutex(false)
  /// The first error number that standard output gave; 0 for none.
  private let failure = Mutex<Int32>(0)
  /// What `end` writes to standard error before its own line.
  private let lastEvents = Mutex<[JSONEvent.Object]>([])

  init(style: Style) { self.style = style }

  /// Opens standard input, output and error where the program was started without: else a song or a stem would be opened
  /// under their numbers, and what the program says would be written into it. Writing to what is opened here fails.
  static func reserveStandardDescriptors() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest number that is free is this one.
      _ = open("/dev/null", O_RDONLY)
    }
  }

  /// The style that fits standard error.
  static func style(quiet: Bool, verbose: Bool) -> Style {
    if quiet { return .quiet }
    let dumb = ProcessInfo.processInfo.environment["TERM"].map { $0 == "dumb" || $0.isEmpty } ?? true
    return isatty(STDERR_FILENO) == 1 && !dumb && !verbose ? .terminal : .log
  }

  /// Writes a line to standard output.
  func result(_ line: String) { result(Array(line.utf8)) }

  /// Writes a line of any bytes to standard output.
  func result(_ line: [UInt8]) {
    barIsShown.withLock { shown in
      Console.clear(&shown)
      let code = Console.write(line + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
      failure.withLock { if $0 == 0 { $0 = code } }
    }
  }

  /// Writes a path to standard output, byte by byte: it is for programs.
  func result(_ path: FilePath) { result(path.bytes) }

  /// Why a line to standard output was lost; nil if none was.
  var resultFailure: String? {
    failure.withLock { $0 == 0 ? nil : String(cString: strerror($0)) }
  }

  /// What is wrong with standard output, and what to do; nil if nothing is.
  var resultProblem: String? {
    resultFailure.map { "standard output: the results cannot be written: \($0). Check what reads it" }
  }

  /// Whether standard output is a pipe that nobody reads any more, as behind `| head -1`.
  var readerIsGone: Bool { failure.withLock { $0 == EPIPE } }

  /// Writes a line to standard error that `--quiet` keeps back.
  func note(_ line: String) {
    if style != .quiet { problem(line) }
  }

  /// Writes a line to standard error: an error or a warning.
  func problem(_ line: String) {
    barIsShown.withLock { shown in
      Console.clear(&shown)
      Console.write((style == .json ? JSONEvent.message(line) : Console.printable(line)) + "\n", to: STDERR_FILENO)
    }
  }

  /// Says that the program was told to stop: the last that it says.
  func interrupted() {
    barIsShown.withLock { shown in
      Console.clear(&shown)
      Console.write(interruptedLine, to: STDERR_FILENO)
    }
  }

  private var interruptedLine: String { (style == .json ? JSONEvent.interrupted : "Interrupted.") + "\n" }

  /// Writes an object to standard error.
  func event(_ values: JSONEvent.Object) {
    barIsShown.withLock { _ in _ = Console.write(JSONEvent.line(values) + "\n", to: STDERR_FILENO) }
  }

  /// Keeps objects for standard error until the program is ended by `end`.
  func leave(_ events: [JSONEvent.Object]) { lastEvents.withLock { $0 = events } }

  /// One line that does nothing to a terminal: a name of a file may hold line breaks and escape sequences.
  static func printable(_ line: String) -> String {
    var result = ""
    for scalar in line.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Shows `line` as the last line of the terminal in place of the bar that is there.
  func bar(_ line: String) {
    guard style == .terminal else { return }
    barIsShown.withLock { shown in
      Console.write("\r\(Console.printable(line))\u{1B}[K", to: STDERR_FILENO)
      shown = true
    }
  }

  /// Writes last lines and ends the program, which was told to stop, from any thread. Nothing waits for a reader that does
  /// not read, not even where another thread does.
  /// - Parameter results: lines for standard output.
  func end(results: [String], status: Int32) -> Never {
    for _ in 0..<10 {
      barIsShown.withLockIfAvailable { shown -> Void in
        if shown { Console.writeNow("\r\u{1B}[K", to: STDERR_FILENO) }
        for line in results where !Console.writeNow(line + "\n", to: STDOUT_FILENO) { break }
        for event in lastEvents.withLock(\.self)
        where !Console.writeNow(JSONEvent.line(event) + "\n", to: STDERR_FILENO) {
          break
        }
        Console.writeNow(interruptedLine, to: STDERR_FILENO)
        _exit(status)
      }
      usleep(10_000)
    }
    Console.writeNow(interruptedLine, to: STDERR_FILENO)
    _exit(status)
  }

  /// Writes what a reader takes at once.
  /// - Returns: whether that was all.
  @discardableResult private static func writeNow(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      // A pipe that is said to take anything takes so many bytes.
      var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      guard poll(&wanted, 1, 0) > 0, wanted.revents & Int16(POLLOUT) != 0,
        write(Array(rest.prefix(Int(PIPE_BUF))), to: descriptor) == 0
      else { return false }
      rest = rest.dropFirst(Int(PIPE_BUF))
    }
    return true
  }

  /// Columns of the terminal, 80 if it does not say.
  static var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  private static func clear(_ shown: inout Bool) {
    if shown { write("\r\u{1B}[K", to: STDERR_FILENO) }
    shown = false
  }

  /// - Returns: 0, or the error number of the system.
  @discardableResult private static func write(_ text: String, to descriptor: Int32) -> Int32 {
    write(Array(text.utf8), to: descriptor)
  }

  @discardableResult private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }
}
