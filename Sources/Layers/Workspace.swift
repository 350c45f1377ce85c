import Tensors

/// What a forward pass works with: threads, memory, and where intermediate tensors go if somebody wants them.
public final class Workspace {
  public let pool: WorkerPool
  /// Feature maps and token matrices: what outlives a loop.
  public let arena = Arena()
  /// The same, for what comes while maps in `arena` still wait to be used and may be given back before it.
  public let secondArena = Arena()
  /// Tiles: one arena a worker, rewound after each tile.
  public let scratch: [Arena]
  /// Receives every intermediate tensor; nil in normal use.
  public var taps: TapRecorder?
  /// Keeps account of where the time goes; nil in normal use.
  public var profile: Profile?

  public init(pool: WorkerPool) {
    self.pool = pool
    scratch = (0..<pool.threadCount).map { _ in Arena() }
  }

  /// Bytes held by all arenas.
  public var bytes: Int {
    let floats = arena.capacity + secondArena.capacity + scratch.reduce(0) { $0 + $1.capacity }
    return floats * MemoryLayout<Float>.stride
  }

  /// Gives back all memory, to be used again by the next pass.
  public func reset() {
    arena.reset()
    secondArena.reset()
    for arena in scratch { arena.reset() }
  }

  /// Runs `body` for every tile in parallel, with scratch memory that is given back after each.
  public func forEach(_ tiles: [Tile], _ body: (_ index: Int, _ tile: Tile, _ scratch: Arena) -> Void) {
    pool.forEach(tiles.count) { index, worker in
      let arena = scratch[worker]
      let mark = arena.mark
      body(index, tiles[index], arena)
      arena.rewind(to: mark)
    }
  }

  /// Runs `body` for every index below `count` in parallel, with scratch memory that is given back after each.
  public func forEach(_ count: Int, _ body: (_ index: Int, _ scratch: Arena) -> Void) {
    pool.forEach(count) { index, worker in
      let arena = scratch[worker]
      let mark = arena.mark
      body(index, arena)
      arena.rewind(to: mark)
    }
  }

  /// Runs a step of the network under a name that the profile knows it by.
  @inline(__always)
  public func measure<Result>(_ kind: String, _ body: () throws -> Result) rethrows -> Result {
    guard let profile else { return try body() }
    return try profile.measure(kind, body)
  }
}
