import Foundation
import Tensors
import Testing

/// Matrix products against a plain double loop.
struct MatrixMultiplyTests {
  struct Size: Sendable {
    let rows: Int
    let columns: Int
    let depth: Int
  }

  static let sizes = [
    (1, 1, 1), (1, 17, 3), (3, 1, 5), (7, 5, 1), (13, 31, 17), (48, 336, 32), (6, 97, 144), (97, 3, 2),
    (64, 513, 48),
    (33, 33, 33),
  ].map { Size(rows: $0.0, columns: $0.1, depth: $0.2) }

  @Test(arguments: sizes, [false, true]) func equalsTheDoubleLoop(size: Size, transposeB: Bool) {
    MatrixMultiply.prepare()
    var random = Random(11)
    let (rows, columns, depth) = (size.rows, size.columns, size.depth)
    // Lines with something between them.
    let (aStride, bStride, cStride) = (depth + 3, (transposeB ? depth : columns) + 2, columns + 1)
    let a = random.floats(rows * aStride)
    let b = random.floats((transposeB ? columns : depth) * bStride)
    let before = random.floats(rows * cStride)
    for (alpha, beta) in [(Float(1), Float(0)), (1, 1), (0.25, 0), (2, 0.5)] {
      // With beta 0 the result is written over whatever is there, a NaN too.
      var c = beta == 0 ? before.map { _ in Float.nan } : before
      MatrixMultiply.multiply(
        rows: rows, columns: columns, depth: depth, a, aStride, b, bStride, transposeB: transposeB, into: &c,
        cStride, alpha: alpha, beta: beta)
      for r in 0..<rows {
        for i in 0..<columns {
          var sum = 0.0
          for d in 0..<depth {
            sum += Double(a[r * aStride + d]) * Double(transposeB ? b[i * bStride + d] : b[d * bStride + i])
          }
          let expected = sum * Double(alpha) + Double(beta) * Double(before[r * cStride + i])
          #expect(abs(Double(c[r * cStride + i]) - expected) < 2e-6 * Double(depth).squareRoot())
        }
        let guardValue = c[r * cStride + columns]
        #expect(
          beta == 0 ? guardValue.isNaN : guardValue == before[r * cStride + columns], "wrote between rows")
      }
    }
  }

  /// Our own kernel, for products with a short side: rows, columns and depth around its tiles, both layouts of `a`.
  @Test(arguments: KernelSet.all, [1, 3, 4, 5, 7, 8, 9, 17]) func narrowProducts(set: KernelSet, rows: Int) {
    var random = Random(13)
    for columns in [1, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 23, 24, 25, 47, 48, 49, 65, 100] {
      for depth in [1, 2, 31] {
        let (a, b) = (random.floats(rows * depth * 3), random.floats(depth * (columns + 2)))
        for isTurned in [false, true] {
          let (aRow, aDepth) = isTurned ? (3, 3 * rows) : (3 * depth, 3)
          for accumulate in [false, true] {
            let before = random.floats(rows * (columns + 1))
            var c = accumulate ? before : before.map { _ in Float.nan }
            set.run.multiply(
              rows, columns, depth, a, aRow, aDepth, b, columns + 2, &c, columns + 1, accumulate ? 1 : 0)
            var worst = 0.0
            for r in 0..<rows {
              for i in 0..<columns {
                var sum = accumulate ? Double(before[r * (columns + 1) + i]) : 0
                for d in 0..<depth { sum += Double(a[r * aRow + d * aDepth]) * Double(b[d * (columns + 2) + i]) }
                let error = abs(Double(c[r * (columns + 1) + i]) - sum)
                worst = error.isNaN ? .infinity : max(worst, error)
              }
              let behind = c[r * (columns + 1) + columns]
              #expect(accumulate ? behind == before[r * (columns + 1) + columns] : behind.isNaN, "wrote between rows")
            }
            #expect(worst < 3e-6, "\(rows) x \(columns) x \(depth)")
          }
        }
      }
    }
  }

  /// A library that does not know the processor takes its oldest kernels, at a quarter of the speed.
  @Test func kernelsAreThoseOfTheProcessor() {
    let fallbacks: Set = ["Prescott", "Core2", "Nehalem", "Barcelona", "Generic", "Unknown"]
    guard ["x86-64-v3", "x86-64-v4"].contains(Processor.instructionSet) else { return }
    guard ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] == nil else { return }
    #expect(
      !fallbacks.contains(MatrixMultiply.kernelName),
      "\(Processor.instructionSet), \(MatrixMultiply.kernelName)")
  }

  @Test func theKernelsAreTheBestThatRunHere() {
    #expect(["baseline", "x86-64-v3", "x86-64-v4"].contains(Processor.instructionSet))
    #if arch(x86_64)
      #expect(KernelSet.all.last?.name == Processor.instructionSet)
    #endif
  }

  /// Tiles are computed by any thread: the same product must give the same bits wherever it is made.
  @Test func everyThreadGetsTheSameBits() {
    // Before it, OpenBLAS has threads of its own, and another test may just be changing its kernels.
    MatrixMultiply.prepare()
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
