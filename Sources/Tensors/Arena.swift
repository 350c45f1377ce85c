/// Scratch memory that is taken in order and given back in the reverse order.
///
/// It comes in blocks that are kept: the first pass over a network makes them, and later ones, which take the same sizes in
/// the same order, find them there. Memory is 64-byte aligned and not cleared.
public final class Arena: @unchecked Sendable {
  private struct Block {
    let start: UnsafeMutablePointer<Float>
    let capacity: Int
  }

  /// A place in the arena to return to.
  public struct Mark {
    fileprivate let block: Int
    fileprivate let used: Int
  }

  private var blocks: [Block] = []
  /// Index of the block that memory is taken from, and the floats of it that are taken.
  private var current = 0
  private var used = 0

  public init() {}

  deinit {
    for block in blocks { AlignedMemory.deallocate(block.start, block.capacity) }
  }

  /// Floats held from the system.
  public var capacity: Int { blocks.reduce(0) { $0 + $1.capacity } }

  /// Takes `count` floats, undefined in value.
  public func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    let rounded = (max(count, 1) + 15) & ~15
    if current < blocks.count, used + rounded <= blocks[current].capacity {
      defer { used += rounded }
      return blocks[current].start + used
    }
    let next = blocks.isEmpty ? 0 : current + 1
    if next < blocks.count, blocks[next].capacity < rounded {
      // Blocks after the current one are free; where the first is too small, they would only be in the way.
      for block in blocks[next...] { AlignedMemory.deallocate(block.start, block.capacity) }
      blocks.removeSubrange(next...)
    }
    if next == blocks.count {
      let capacity = max(rounded, 1 << 16)
      blocks.append(Block(start: AlignedMemory.allocate(capacity), capacity: capacity))
    }
    current = next
    used = rounded
    return blocks[next].start
  }

  /// The present place.
  public var mark: Mark { Mark(block: current, used: used) }

  /// Gives back everything taken since `mark`.
  public func rewind(to mark: Mark) {
    current = mark.block
    used = mark.used
  }

  /// Gives back everything; the blocks stay.
  public func reset() {
    current = 0
    used = 0
  }

  /// Runs `body` and gives back what it took.
  public func scope<Result>(_ body: () throws -> Result) rethrows -> Result {
    let place = mark
    defer { rewind(to: place) }
    return try body()
  }
}
