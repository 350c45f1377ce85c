import CKernels
import Tensors
import Testing

/// Sums of matrix products against a plain double loop.
struct MatrixMultiplyTests {
  /// Whoever multiplies: our kernels for each instruction set, OpenBLAS, and what the program takes.
  enum Engine: Sendable, CustomTestStringConvertible {
    case kernels(KernelSet)
    case openBLAS
    case chosen

    static let all: [Engine] = KernelSet.all.map(Engine.kernels) + [.openBLAS, .chosen]

    var testDescription: String {
      switch self {
      case .kernels(let set): "\(set)"
      case .openBLAS: "OpenBLAS"
      case .chosen: "chosen"
      }
    }

    func multiply(_ p: kernel_product) {
      switch self {
      case .kernels(let set): withUnsafePointer(to: p) { set.run.multiply($0) }
      case .openBLAS: OpenBLAS.multiply(p)
      case .chosen:
        MatrixMultiply.multiply(
          rows: p.rows, columns: p.columns, depth: p.depth, taps: p.taps, p.a, p.a_row, tap: p.a_tap, p.b, p.b_row,
          tap: p.b_tap, into: p.c, p.c_row, accumulate: p.accumulate)
      }
    }
  }

  struct Size: Sendable {
    let rows: Int
    let columns: Int
    let depth: Int
    let taps: Int
  }

  /// Largest error of one product with operands of the order of 1, lines with something between them; infinite for a NaN
  /// or for a write between the lines of the result.
  private func error(_ engine: Engine, _ size: Size, accumulate: Bool, _ random: inout Random) -> Double {
    let (aRow, bRow, cRow) = (size.depth + 3, size.columns + 5, size.columns + 1)
    // Taps of b overlap, as those of a convolution do.
    let (aTap, bTap) = (size.rows * aRow, 2)
    let a = random.floats(size.taps * aTap)
    let b = random.floats(size.depth * bRow + size.taps * bTap)
    let before = random.floats(size.rows * cRow)
    // What is not added to is written over, a NaN too.
    var c = accumulate ? before : before.map { _ in Float.nan }
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        c.withUnsafeMutableBufferPointer { c in
          engine.multiply(
            kernel_product(
              rows: size.rows, columns: size.columns, depth: size.depth, taps: size.taps, a: a.baseAddress, a_row: aRow,
              a_tap: aTap, b: b.baseAddress, b_row: bRow, b_tap: bTap, c: c.baseAddress, c_row: cRow,
              accumulate: accumulate))
        }
      }
    }
    var worst = 0.0
    for r in 0..<size.rows {
      for i in 0..<size.columns {
        var sum = accumulate ? Double(before[r * cRow + i]) : 0
        for tap in 0..<size.taps {
          for d in 0..<size.depth { sum += Double(a[tap * aTap + r * aRow + d]) * Double(b[tap * bTap + d * bRow + i]) }
        }
        let error = abs(Double(c[r * cRow + i]) - sum)
        worst = error.isNaN ? .infinity : max(worst, error)
      }
      let behind = c[r * cRow + size.columns]
      guard accumulate ? behind == before[r * cRow + size.columns] : behind.isNaN else { return .infinity }
    }
    return worst
  }

  /// Rows, columns and depth around the tiles of every instruction set.
  @Test(arguments: Engine.all, [1, 3, 4, 5, 7, 8, 9, 12, 17]) func aroundTheTiles(engine: Engine, rows: Int) {
    var random = Random(13)
    for columns in [1, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 23, 24, 25, 31, 33, 47, 48, 49, 63, 65, 84, 100, 145] {
      for (depth, taps) in [(1, 1), (2, 3), (31, 1), (6, 2)] {
        for accumulate in [false, true] {
          let size = Size(rows: rows, columns: columns, depth: depth, taps: taps)
          let worst = error(engine, size, accumulate: accumulate, &random)
          #expect(worst < 3e-6, "\(size), accumulate \(accumulate)")
        }
      }
    }
  }

  @Test(arguments: Engine.all) func largerOnes(engine: Engine) {
    var random = Random(11)
    for (rows, columns, depth, taps) in [(48, 336, 32, 2), (6, 97, 144, 3), (97, 3, 200, 1), (64, 513, 48, 1)] {
      let size = Size(rows: rows, columns: columns, depth: depth, taps: taps)
      let worst = error(engine, size, accumulate: true, &random)
      #expect(worst < 2e-6 * Double(depth * taps).squareRoot(), "\(size)")
    }
  }

  /// Sums are made of short chains. A single chain of so many numbers of one sign is off by 1.9e-6 of the sum, chains of 64
  /// by 2.1e-7 (emulated in NumPy).
  @Test(arguments: KernelSet.all, [(5, 50), (3, 2)]) func longSumsLoseLittle(set: KernelSet, shape: (Int, Int)) {
    var random = Random(14)
    let (rows, columns, depth, taps) = (shape.0, shape.1, 1024, 4)
    let a = random.floats(rows * depth * taps).map { abs($0) + 1 }
    let b = random.floats(depth * columns * taps).map { abs($0) + 1 }
    var c = [Float](repeating: .nan, count: rows * columns)
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        c.withUnsafeMutableBufferPointer { c in
          let product = kernel_product(
            rows: rows, columns: columns, depth: depth, taps: taps, a: a.baseAddress, a_row: depth, a_tap: rows * depth,
            b: b.baseAddress, b_row: columns, b_tap: depth * columns, c: c.baseAddress, c_row: columns,
            accumulate: false)
          withUnsafePointer(to: product) { set.run.multiply($0) }
        }
      }
    }
    for r in 0..<rows {
      for i in 0..<columns {
        var sum = 0.0
        for tap in 0..<taps {
          for d in 0..<depth {
            sum += Double(a[(tap * rows + r) * depth + d]) * Double(b[(tap * depth + d) * columns + i])
          }
        }
        #expect(abs(Double(c[r * columns + i]) - sum) < 6e-7 * sum)
      }
    }
  }

  /// An element of the result does not depend on the tile that it falls into: whoever cuts a product in two gets the same
  /// bits.
  @Test(arguments: KernelSet.all) func anyCutGivesTheSameBits(set: KernelSet) {
    var random = Random(12)
    let (rows, columns, depth) = (21, 150, 200)
    let (a, b) = (random.floats(rows * depth), random.floats(depth * columns))
    func product(_ cut: Int, _ rowCut: Int) -> [Float] {
      var c = [Float](repeating: .nan, count: rows * columns)
      for rowRange in [0..<rowCut, rowCut..<rows] where !rowRange.isEmpty {
        for range in [0..<cut, cut..<columns] where !range.isEmpty {
          a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
              c.withUnsafeMutableBufferPointer { c in
                var part = kernel_product(
                  rows: rowRange.count, columns: range.count, depth: depth, taps: 1,
                  a: a.baseAddress! + rowRange.lowerBound * depth, a_row: depth, a_tap: 0,
                  b: b.baseAddress! + range.lowerBound, b_row: columns, b_tap: 0,
                  c: c.baseAddress! + rowRange.lowerBound * columns + range.lowerBound, c_row: columns,
                  accumulate: false)
                set.run.multiply(&part)
              }
            }
          }
        }
      }
      return c
    }
    let whole = product(columns, rows)
    for (cut, rowCut) in [(16, 21), (48, 8), (100, 13), (50, 1), (149, 20), (20, 5)] {
      #expect(product(cut, rowCut) == whole, "cut at column \(cut), row \(rowCut)")
    }
  }

  @Test func theKernelsAreTheBestThatRunHere() {
    #expect(["baseline", "x86-64-v3", "x86-64-v4"].contains(Processor.instructionSet))
    #if arch(x86_64)
      #expect(KernelSet.all.last?.name == Processor.instructionSet)
    #endif
  }

  /// Tiles are computed by any thread: the same product must give the same bits wherever it is made.
  @Test func everyThreadGetsTheSameBits() {
    var random = Random(12)
    let (a, b) = (random.floats(96 * 100), random.floats(100 * 200))
    let results = (0..<64).map { _ in Tensor(shape: [96, 200]) }
    WorkerPool(threadCount: 4).forEach(results.count) { iteration, _ in
      MatrixMultiply.multiply(
        rows: 96, columns: 200, depth: 100, a, 100, b, 200, into: results[iteration].data, 200)
    }
    let first = results[0].values
    #expect(results.allSatisfy { $0.values == first })
  }
}
