/// Scratch memory that is taken in order and given back all at once.
///
/// The first pass over a network finds out how much is needed; from the second on everything fits into one block and
/// nothing is allocated. Memory is 64-byte aligned and not cleared.
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

  deinit { release() }

  /// Floats held from the system.
  public var capacity: Int { blocks.reduce(0) { $0 + $1.capacity } }

  /// Takes `count` floats, undefined in value.
  public func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    let rounded = (max(count, 1) + 15) & ~15
    while current < blocks.count {
      let block = blocks[current]
      if used + rounded <= block.capacity {
        defer { used += rounded }
        return block.start + used
      }
      current += 1
      used = 0
    }
    let capacity = max(rounded, 1 << 16)
    blocks.append(Block(start: Tensor.allocate(capacity), capacity: capacity))
    current = blocks.count - 1
    used = rounded
    return blocks[current].start
  }

  /// The present place.
  public var mark: Mark { Mark(block: current, used: used) }

  /// Gives back everything taken since `mark`.
  public func rewind(to mark: Mark) {
    current = mark.block
    used = mark.used
  }

  /// Gives back everything, and joins the blocks into one if there are several.
  public func reset() {
    if blocks.count > 1 {
      let total = capacity
      release()
      blocks = [Block(start: Tensor.allocate(total), capacity: total)]
    }
    current = 0
    used = 0
  }

  /// Runs `body` and gives back what it took.
  public func scope<Result>(_ body: () throws -> Result) rethrows -> Result {
    let place = mark
    defer { rewind(to: place) }
    return try body()
  }

  private func release() {
    for block in blocks { UnsafeMutableRawPointer(block.start).deallocate() }
    blocks = []
  }
}
