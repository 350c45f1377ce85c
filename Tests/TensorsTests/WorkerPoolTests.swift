import Foundation
import Synchronization
import Tensors
import Testing

/// Loops over threads: every iteration once, no two at once on one worker, and an end.
struct WorkerPoolTests {
  @Test(arguments: [1, 2, 3, 8], [0, 1, 2, 7, 1000]) func everyIterationRunsOnce(threads: Int, count: Int) {
    let pool = WorkerPool(threadCount: threads)
    #expect(pool.threadCount == threads)
    let runs = Mutex([Int](repeating: 0, count: count))
    pool.forEach(count) { iteration, worker in
      runs.withLock { $0[iteration] += 1 }
      #expect((0..<threads).contains(worker))
    }
    #expect(runs.withLock { $0 } == [Int](repeating: 1, count: count))
  }

  @Test(arguments: [-3, 0]) func aPoolHasAtLeastOneThread(threads: Int) {
    let pool = WorkerPool(threadCount: threads)
    let runs = Mutex(0)
    pool.forEach(5) { _, _ in runs.withLock { $0 += 1 } }
    #expect(pool.threadCount == 1 && runs.withLock { $0 } == 5)
  }

  @Test(arguments: [2, 3, 8]) func aWorkerDoesOneThingAtATime(threads: Int) {
    let pool = WorkerPool(threadCount: threads)
    let busy = Mutex(Set<Int>())
    let begun = Atomic(0)
    pool.forEach(300) { _, worker in
      let isFree = busy.withLock { $0.insert(worker).inserted }
      #expect(isFree, "worker \(worker) was busy")
      // Until a second thread is there, however busy the machine, no loop has been shared.
      begun.wrappingAdd(1, ordering: .sequentiallyConsistent)
      while begun.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
      usleep(50)
      busy.withLock { _ = $0.remove(worker) }
    }
  }

  /// All threads take part: each iteration waits until as many have begun as there are threads.
  @Test(arguments: [2, 3, 8]) func allThreadsTakePart(threads: Int) {
    let begun = Atomic(0)
    WorkerPool(threadCount: threads).forEach(threads) { _, _ in
      begun.wrappingAdd(1, ordering: .sequentiallyConsistent)
      while begun.load(ordering: .sequentiallyConsistent) < threads { sched_yield() }
    }
    #expect(begun.load(ordering: .relaxed) == threads)
  }

  /// What the loop wrote is seen behind it, loop after loop.
  @Test(arguments: [1, 2, 3, 8]) func manySmallLoops(threads: Int) {
    let pool = WorkerPool(threadCount: threads)
    let cells = Tensor(shape: [13])
    for round in 1...3000 {
      pool.forEach(1 + round % 13) { iteration, _ in cells.data[iteration] += 1 }
    }
    let expected = (0..<13).map { index in Float((1...3000).filter { $0 % 13 >= index }.count) }
    #expect(cells.values == expected)
  }

  @Test func poolsComeAndGo() {
    let runs = Mutex(0)
    for _ in 0..<200 {
      let pool = WorkerPool(threadCount: 4)
      pool.forEach(3) { _, _ in runs.withLock { $0 += 1 } }
    }
    // Some were never used.
    for _ in 0..<200 { _ = WorkerPool(threadCount: 3) }
    #expect(runs.withLock { $0 } == 600)
  }
}
