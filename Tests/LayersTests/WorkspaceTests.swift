import GoldenSupport
import Layers
import Tensors
import Testing

/// How work is cut up and shared out: the same pieces, under the same numbers, for any number of threads.
struct WorkspaceTests {
  @Test(arguments: [1, 5], [1, 127, 128, 1000, 5000])
  func tilesCoverEverythingOnce(rows: Int, columns: Int) {
    for channels in [1, 48, 64, 512, 1 << 20] {
      for whole in [0, columns - 1, columns] {
        let tiles = Tile.tiles(rows: rows, columns: columns, channels: channels, whole: whole)
        var covered = [Int](repeating: 0, count: rows * columns)
        for tile in tiles {
          for column in tile.start..<tile.start + tile.count { covered[tile.row * columns + column] += 1 }
        }
        #expect(covered == [Int](repeating: 1, count: rows * columns))
        if whole == columns { #expect(tiles.count == rows) }
        #expect(tiles.allSatisfy { $0.count == columns || $0.count * channels <= 1 << 16 || $0.count <= 128 })
      }
    }
  }

  /// Rows of a spectrogram stay whole unless they are too few to share out, or long.
  @Test func rowsAreKept() {
    func count(_ rows: Int, _ columns: Int) -> Int {
      Tile.tiles(rows: rows, columns: columns, channels: 1024, keepsRows: true).count
    }
    #expect(count(8, 336) == 8 && count(4, 384) == 4 && count(1, 336) == 3 && count(8, 500) == 32)
  }

  @Test(arguments: [1, 16, 336, 384, 385, 431, 769, 1895, 5000]) func blocksFollowEachOther(columns: Int) {
    let blocks = Tile.blocks(columns: columns)
    #expect(blocks.first?.lowerBound == 0 && blocks.last?.upperBound == columns)
    #expect(zip(blocks, blocks.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    #expect(blocks.allSatisfy { !$0.isEmpty && $0.count <= 384 && $0.lowerBound % 16 == 0 })
    #expect(blocks.count == (columns + 383) / 384)
  }

  /// A result goes where its number says: sums are then formed in one order, whoever made the parts.
  @Test(arguments: [1, 2, 3, 8]) func everyTileComesWithItsNumber(threads: Int) {
    let workspace = Workspace(pool: WorkerPool(threadCount: threads))
    let tiles = Tile.tiles(rows: 7, columns: 900, channels: 512)
    let seen = Tensor(shape: [tiles.count, 3])
    workspace.forEach(tiles) { index, tile, _ in
      for (place, value) in [tile.row, tile.start, tile.count].enumerated() {
        seen.data[3 * index + place] += Float(value)
      }
    }
    #expect(seen.values == tiles.flatMap { [Float($0.row), Float($0.start), Float($0.count)] })
  }

  /// Scratch memory is a worker's own while a tile is computed, and given back after it.
  @Test(arguments: [1, 2, 3]) func scratchIsGivenBack(threads: Int) {
    let workspace = Workspace(pool: WorkerPool(threadCount: threads))
    let tiles = Tile.tiles(rows: 300, columns: 10, channels: 1)
    let isWhole = Tensor(shape: [tiles.count])
    workspace.forEach(tiles) { index, _, scratch in
      let memory = scratch.allocate(5000)
      memory.update(repeating: Float(index), count: 5000)
      isWhole.data[index] = (0..<5000).allSatisfy { memory[$0] == Float(index) } ? 1 : 0
    }
    workspace.forEach(tiles.count) { index, scratch in _ = scratch.allocate(5000) }
    #expect(isWhole.values.allSatisfy { $0 == 1 })
    // 600 tiles in the place of one.
    #expect(workspace.scratch.allSatisfy { $0.capacity <= 1 << 16 })
  }

  /// 2^60 + 1 - 2^60 is 0 and 2^60 - 2^60 + 1 is 1: the order shows.
  @Test func partsAreAddedInOrder() {
    #expect(sumOfParts([0x1p60, 5, 1, 6, -0x1p60, 7], length: 2) == [0, 18])
    #expect(sumOfParts([0x1p60, 5, -0x1p60, 7, 1, 6], length: 2) == [1, 18])
  }

  @Test(arguments: [0, 1, 16, 17, 40]) func mapsAreSurroundedByZeros(margin: Int) {
    let arena = Arena()
    arena.scope { arena.allocate(20_000).update(repeating: .nan, count: 20_000) }
    for columns in [1, 15, 16, 17, 100] {
      let map = FeatureMap(in: arena, rows: 3, channels: 2, columns: columns, margin: margin)
      #expect(map.stride >= columns + margin && map.hasCleanMargins)
      #expect((1..<margin + 1).allSatisfy { map.data[-$0] == 0 })
      #expect(map.row(2) == map.line(row: 2, channel: 0) && map.line(row: 1, channel: 1) == map.data + 3 * map.stride)
    }
  }
}
