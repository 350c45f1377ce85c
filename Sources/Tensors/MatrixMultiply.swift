import CKernels

/// Single-precision matrix products, one thread a call.
///
/// Parallelism is the caller's (`WorkerPool`): a product is one tile, so the order of its additions, and with it every
/// bit of a result, does not depend on the number of threads.
///
/// From x86-64-v3 on the products are those of `CKernels`. They read their operands where these lie, while a BLAS packs
/// both first, every time, which costs tiles of a network more than it gains (docs/performance.md). Elsewhere OpenBLAS,
/// where it is installed, has kernels for the processor and we have slow ones.
public enum MatrixMultiply {
  /// c = sum of a[tap] b[tap], or that added to c; all row-major.
  ///
  /// - Parameters:
  ///   - rows: rows of `a` and `c`.
  ///   - columns: columns of `b` and `c`.
  ///   - depth: columns of `a`, rows of `b`.
  ///   - taps: how many products to add up.
  ///   - aStride, bStride, cStride: floats from one row to the next.
  ///   - aTap, bTap: floats from one product's operand to the next one's.
  ///   - accumulate: whether to add to what `c` holds.
  ///   - compute: what the sums run in. Where that is narrower than float they are rounded after every `roundedDepth`
  ///     products.
  @inline(__always)
  public static func multiply(
    rows: Int, columns: Int, depth: Int, taps: Int = 1,
    _ a: UnsafePointer<Float>, _ aStride: Int, tap aTap: Int = 0,
    _ b: UnsafePointer<Float>, _ bStride: Int, tap bTap: Int = 0,
    into c: UnsafeMutablePointer<Float>, _ cStride: Int, accumulate: Bool = false, compute: NumberFormat = .fp32
  ) {
    guard !compute.isNarrow else {
      return multiplyRounding(
        rows: rows, columns: columns, depth: depth, taps: taps, a, aStride, tap: aTap, b, bStride, tap: bTap, into: c,
        cStride, accumulate: accumulate, compute)
    }
    let start = kernel_meter_start()
    var product = kernel_product(
      rows: rows, columns: columns, depth: depth, taps: taps, a: a, a_row: aStride, a_tap: aTap, b: b, b_row: bStride,
      b_tap: bTap, c: c, c_row: cStride, accumulate: accumulate)
    if usesOpenBLAS { OpenBLAS.multiply(product) } else { kernel_multiply(&product) }
    kernel_meter_stop(start, 2 * Double(rows) * Double(columns) * Double(depth) * Double(taps))
  }

  /// Products that a narrow unit adds up before its sum is rounded: those of one tile of a matrix unit.
  public static let roundedDepth = 16

  private static func multiplyRounding(
    rows: Int, columns: Int, depth: Int, taps: Int, _ a: UnsafePointer<Float>, _ aStride: Int, tap aTap: Int,
    _ b: UnsafePointer<Float>, _ bStride: Int, tap bTap: Int, into c: UnsafeMutablePointer<Float>, _ cStride: Int,
    accumulate: Bool, _ format: NumberFormat
  ) {
    for tap in 0..<taps {
      for first in stride(from: 0, to: depth, by: roundedDepth) {
        multiply(
          rows: rows, columns: columns, depth: min(roundedDepth, depth - first), a + tap * aTap + first, aStride,
          b + tap * bTap + first * bStride, bStride, into: c, cStride, accumulate: accumulate || tap > 0 || first > 0)
        format.round(c, stride: cStride, lines: rows, columns: columns)
      }
    }
  }

  @usableFromInline static let usesOpenBLAS = Processor.instructionSet == "baseline" && OpenBLAS.isAvailable
}
