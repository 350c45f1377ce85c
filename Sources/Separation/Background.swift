import Foundation

/// Work that a thread of its own does beside the caller.
///
/// Where the system grants no thread, the caller does the work when it asks for the result.
///
/// `@unchecked`: the work, and then what comes of it, is one thread's at a time; `finished` hands it over.
package final class Background<Value>: @unchecked Sendable {
  private var work: (() throws -> Value)?
  private var result: Result<Value, any Error>?
  private let finished = DispatchSemaphore(value: 0)
  /// Whether a thread has the work, and nobody has asked for the result.
  package private(set) var isOnItsWay = false

  /// Begins the work.
  package init(_ work: sending @escaping () throws -> Value) {
    self.work = work
    isOnItsWay = DetachedThread.start { [self] in
      run()
      finished.signal()
    }
  }

  /// Waits for the end of the work; may be asked again, by the thread that began it.
  /// - Throws: what the work threw.
  package func value() throws -> Value {
    if isOnItsWay {
      finished.wait()
      isOnItsWay = false
    } else {
      run()
    }
    guard let result else { throw CancellationError() }
    return try result.get()
  }

  private func run() {
    guard let work else { return }
    self.work = nil
    result = Result { try work() }
  }
}

/// A thread that nobody joins. That of Foundation does not tell where the system has none to give.
private enum DetachedThread {
  /// - Returns: false if the system has none to give.
  static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    var attributes = pthread_attr_t()
    guard pthread_attr_init(&attributes) == 0 else { return false }
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    // libsndfile and its encoders keep blocks on the stack.
    pthread_attr_setstacksize(&attributes, 1 << 22)
    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, work.toOpaque())
    if status != 0 { work.release() }
    return status == 0
  }

  /// What a new thread is handed.
  private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
