import Tensors
import Testing

/// Scratch memory: aligned, apart, given back, kept.
struct ArenaTests {
  @Test func piecesAreAlignedAndApart() {
    var random = Random(21)
    let arena = Arena()
    var pieces: [(start: UnsafeMutablePointer<Float>, count: Int)] = []
    for index in 0..<400 {
      // Some larger than a block, some of nothing.
      let count =
        index % 50 == 49
        ? Int.random(in: 60_000...200_000, using: &random) : Int.random(in: 0...900, using: &random)
      let piece = arena.allocate(count)
      #expect(UInt(bitPattern: piece) % 64 == 0)
      piece.update(repeating: Float(index), count: count)
      pieces.append((piece, count))
    }
    // Had two overlapped, the later would have written over the earlier.
    for (index, piece) in pieces.enumerated() {
      #expect((0..<piece.count).allSatisfy { piece.start[$0] == Float(index) })
    }
    #expect(arena.capacity >= pieces.reduce(0) { $0 + $1.count })
  }

  @Test func rewindingGivesBackTheSamePlace() {
    let arena = Arena()
    let kept = arena.allocate(10)
    kept.update(repeating: 3, count: 10)
    let mark = arena.mark
    let first = arena.allocate(100)
    _ = arena.allocate(100_000)
    arena.rewind(to: mark)
    #expect(arena.allocate(100) == first)
    #expect(kept[9] == 3)
  }

  @Test func aScopeGivesBackWhatItTook() {
    struct Failure: Error {}
    let arena = Arena()
    let first = arena.scope { arena.allocate(50) }
    #expect(arena.allocate(50) == first)
    let second = arena.allocate(7)
    #expect(throws: Failure.self) {
      try arena.scope {
        _ = arena.allocate(900)
        throw Failure()
      }
    }
    #expect(arena.allocate(1) == second + 16)
  }

  /// What a first pass took is there for the second, which takes no more from the system.
  @Test func resetKeepsTheBlocks() {
    let arena = Arena()
    func pass() -> [UnsafeMutablePointer<Float>] {
      let first = arena.allocate(50_000)
      let second = arena.scope { arena.allocate(60_000) }
      return [first, second, arena.allocate(40_000), arena.allocate(90_000), arena.allocate(10)]
    }
    let pieces = pass()
    let capacity = arena.capacity
    for _ in 0..<3 {
      arena.reset()
      #expect(pass() == pieces)
      #expect(arena.capacity == capacity)
    }
  }

  /// What was given back in between counts once: the block is for the most that was ever taken at one time.
  @Test func resetKeepsNoMoreThanWasTaken() {
    let arena = Arena()
    _ = arena.allocate(1 << 16)
    for count in [100_000, 200_000, 150_000] {
      arena.scope { arena.allocate(count).update(repeating: 1, count: count) }
    }
    arena.reset()
    #expect(arena.capacity == (1 << 16) + 200_000)
  }

  @Test func aMarkInAnEarlierBlockIsFoundAgain() {
    let arena = Arena()
    let mark = arena.mark
    let first = arena.allocate(1 << 16)
    let second = arena.allocate(1 << 16)
    arena.rewind(to: mark)
    #expect(arena.allocate(1 << 16) == first)
    #expect(arena.allocate(1 << 16) == second)
  }
}
