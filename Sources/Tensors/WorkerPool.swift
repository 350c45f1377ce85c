import Foundation
import Synchronization

/// A fixed set of threads that run the iterations of a loop.
///
/// Work is cut into iterations by the caller, never by the number of threads, so that every result is the
/// same, bit for bit, for any pool. The calling thread works too: a pool of one starts no thread.
public final class WorkerPool: @unchecked Sendable {
  /// Number of threads that take part in a loop, the caller among them.
  public let threadCount: Int

  private struct Loop {
    let count: Int
    let body: (_ iteration: Int, _ worker: Int) -> Void
  }

  private let condition = NSCondition()
  private var loop: Loop?
  private var generation = 0
  private var running = 0
  private var stopping = false
  private let next = Atomic<Int>(0)

  /// - Parameter threadCount: threads that take part, at least 1.
  public init(threadCount: Int) {
    self.threadCount = max(1, threadCount)
    for worker in 1..<max(1, self.threadCount) {
      // The thread holds only what it waits on; the pool is released when its last user is gone.
      let thread = Thread { [unowned self] in self.serve(worker) }
      thread.name = "demucs-worker-\(worker)"
      thread.stackSize = 1 << 20
      thread.start()
    }
  }

  /// Runs `body(iteration, worker)` for every iteration below `count` and returns when all are done.
  ///
  /// Iterations start in order, each on whichever worker is free; `worker` is below `threadCount` and no two
  /// iterations run on one worker at once, so it may index scratch memory. Must not be called from within `body`.
  public func forEach(_ count: Int, _ body: (_ iteration: Int, _ worker: Int) -> Void) {
    guard count > 1, threadCount > 1 else {
      for iteration in 0..<max(0, count) { body(iteration, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      condition.lock()
      loop = Loop(count: count, body: body)
      next.store(0, ordering: .relaxed)
      running = threadCount - 1
      generation += 1
      condition.broadcast()
      condition.unlock()
      drain(count, body, worker: 0)
      condition.lock()
      while running > 0 { condition.wait() }
      loop = nil
      condition.unlock()
    }
  }

  /// Ends the threads. Called once, after the last loop.
  public func stop() {
    condition.lock()
    stopping = true
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

  private func serve(_ worker: Int) {
    var seen = 0
    while true {
      condition.lock()
      while generation == seen && !stopping { condition.wait() }
      if stopping {
        condition.unlock()
        return
      }
      seen = generation
      let current = loop
      condition.unlock()
      if let current { drain(current.count, current.body, worker: worker) }
      condition.lock()
      running -= 1
      if running == 0 { condition.broadcast() }
      condition.unlock()
    }
  }
}
