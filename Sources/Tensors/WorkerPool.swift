import Foundation
import Synchronization

/// A fixed set of threads that run the iterations of a loop.
///
/// Work is cut into iterations by the caller, never by the number of threads, so that every result is the
/// same, bit for bit, for any pool. The calling thread works too: a pool of one starts no thread.
public final class WorkerPool: Sendable {
  /// Number of threads that take part in a loop, the caller among them; fewer than asked for where the system grants no more.
  public let threadCount: Int
  private let crew: Crew

  /// - Parameter threadCount: threads that take part; below 1 counts as 1.
  public init(threadCount: Int) {
    crew = Crew()
    // A system that grants no more threads is worked with as it is.
    var workers = 1
    while workers < threadCount, crew.hire(worker: workers) { workers += 1 }
    self.threadCount = workers
  }

  deinit { crew.dismiss() }

  /// Runs `body(iteration, worker)` for every iteration below `count` and returns when all are done.
  ///
  /// Iterations start in order, each on whichever worker is free. `worker` is below `threadCount` and no two
  /// iterations run on one worker at once, so it may index scratch memory. Loops do not nest, and one pool runs
  /// one loop at a time.
  public func forEach(_ count: Int, _ body: (_ iteration: Int, _ worker: Int) -> Void) {
    guard count > 1, threadCount > 1 else {
      for iteration in 0..<max(0, count) { body(iteration, 0) }
      return
    }
    withoutActuallyEscaping(body) { crew.run(count, $0) }
  }
}

/// What the threads of a pool share; they keep it, and not the pool, alive.
private final class Crew: @unchecked Sendable {
  private let condition = NSCondition()
  private var helpers = 0
  private let next = Atomic<Int>(0)
  private var count = 0
  private var body: ((Int, Int) -> Void)?
  private var generation = 0
  private var busy = 0
  private var dismissed = false

  /// What a new thread is handed.
  private final class Contract {
    let crew: Crew
    let worker: Int

    init(_ crew: Crew, _ worker: Int) {
      self.crew = crew
      self.worker = worker
    }
  }

  /// Starts one more thread.
  /// - Returns: false if the system has none to give.
  func hire(worker: Int) -> Bool {
    var attributes = pthread_attr_t()
    guard pthread_attr_init(&attributes) == 0 else { return false }
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 1 << 21)
    let contract = Unmanaged.passRetained(Contract(self, worker))
    var thread = pthread_t()
    let status = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        let contract = Unmanaged<Contract>.fromOpaque(argument).takeRetainedValue()
        contract.crew.serve(contract.worker)
        return nil
      }, contract.toOpaque())
    guard status == 0 else {
      contract.release()
      return false
    }
    helpers += 1
    return true
  }

  func run(_ count: Int, _ body: @escaping (Int, Int) -> Void) {
    condition.lock()
    self.count = count
    self.body = body
    next.store(0, ordering: .relaxed)
    busy = helpers
    generation += 1
    condition.broadcast()
    condition.unlock()

    drain(count, body, worker: 0)

    condition.lock()
    while busy > 0 { condition.wait() }
    self.body = nil
    condition.unlock()
  }

  func serve(_ worker: Int) {
    var seen = 0
    condition.lock()
    while true {
      while generation == seen && !dismissed { condition.wait() }
      if dismissed { break }
      seen = generation
      guard let body else { continue }
      let count = count
      condition.unlock()
      drain(count, body, worker: worker)
      condition.lock()
      busy -= 1
      if busy == 0 { condition.broadcast() }
    }
    condition.unlock()
  }

  func dismiss() {
    condition.lock()
    dismissed = true
    condition.broadcast()
    condition.unlock()
  }

  private func drain(_ count: Int, _ body: (Int, Int) -> Void, worker: Int) {
    while true {
      let iteration = next.wrappingAdd(1, ordering: .relaxed).oldValue
      if iteration >= count { return }
      body(iteration, worker)
    }
  }
}
