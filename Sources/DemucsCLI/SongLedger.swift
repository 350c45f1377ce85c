import Synchronization

/// Which songs of a command were told of: each is once and to its end, whichever thread tells, and however the program ends.
///
/// `package`, as the tests use it.
package final class SongLedger: Sendable {
  /// A song that the run stopped before.
  package struct Rest: Equatable, Sendable {
    package let number: Int
    /// Whether its turn had come.
    package let isBegun: Bool

    package init(number: Int, isBegun: Bool) { (self.number, self.isBegun) = (number, isBegun) }
  }

  private struct State {
    var begun: Set<Int> = []
    var told: Set<Int> = []

    mutating func takeRest(of numbers: [Int]) -> [Rest] {
      numbers.filter { told.insert($0).inserted }.map { Rest(number: $0, isBegun: begun.contains($0)) }
    }
  }

  private let state = Mutex(State())

  package init() {}

  /// Says that it is a song's turn, unless it was told of.
  package func begin(_ number: Int, _ say: () -> Void) {
    state.withLock { state in
      guard !state.told.contains(number) else { return }
      state.begun.insert(number)
      say()
    }
  }

  /// Tells of a song, unless that was done. Nothing is told of another song, or of this one, before `say` returns.
  package func tell(_ number: Int, _ say: () -> Void) {
    state.withLock { state in
      if state.told.insert(number).inserted { say() }
    }
  }

  /// Tells of the songs that nobody told of.
  package func tellRest<Result>(of numbers: [Int], _ say: ([Rest]) -> Result) -> Result {
    state.withLock { say($0.takeRest(of: numbers)) }
  }

  /// The same, but for a thread that must not wait.
  /// - Returns: nil where another thread is telling.
  package func tellRestIfAvailable<Result>(of numbers: [Int], _ say: ([Rest]) -> Result) -> Result? {
    state.withLockIfAvailable { say($0.takeRest(of: numbers)) }
  }
}
