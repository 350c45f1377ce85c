import CKernels
import COpenBLAS

/// Products and systems of equations by OpenBLAS, one thread a call. The library is loaded when it is first needed.
public enum OpenBLAS {
  /// Bytes of address space that a thread's first call takes, and the library itself. Refused, it would ask for them for ever.
  private static let workBytes = 192 << 20

  private static var library: UnsafePointer<openblas>? {
    OutOfMemory.expect(workBytes)
    return openblas_load()
  }

  /// Whether the library is installed.
  public static var isAvailable: Bool { library != nil }

  /// Name of the set of kernels that OpenBLAS uses, such as `SkylakeX`.
  public static var kernelName: String? { library?.pointee.core_name().map { String(cString: $0) } }

  /// The sum of products that `MatrixMultiply.multiply` makes.
  /// - Precondition: `isAvailable`.
  public static func multiply(_ product: kernel_product) {
    guard let sgemm = library?.pointee.sgemm else { preconditionFailure("OpenBLAS is not installed") }
    for tap in 0..<product.taps {
      sgemm(
        Int32(openblas_row_major), Int32(openblas_not_transposed), Int32(openblas_not_transposed), Int32(product.rows),
        Int32(product.columns), Int32(product.depth), 1,
        product.a + tap * product.a_tap, Int32(product.a_row), product.b + tap * product.b_tap, Int32(product.b_row),
        tap > 0 || product.accumulate ? 1 : 0, product.c, Int32(product.c_row))
    }
  }

  /// Solves A X = B by LU factors with partial pivoting, as `numpy.linalg.solve` does.
  /// - Parameters:
  ///   - matrix: A, `[n, n]`, column-major; its factors take its place, as it may be most of the memory.
  ///   - right: B, `[n, columns]`, column-major; X takes its place.
  /// - Returns: false where A has no inverse or is too large.
  /// - Precondition: `isAvailable`.
  package static func solve(_ matrix: inout [Double], _ right: inout [Double], columns: Int) -> Bool {
    guard let dgesv = library?.pointee.dgesv else { preconditionFailure("OpenBLAS is not installed") }
    guard columns > 0, !right.isEmpty, let n = Int32(exactly: right.count / columns),
      let columns = Int32(exactly: columns),
      matrix.count == Int(n) * Int(n)
    else { return false }
    var pivots = [Int32](repeating: 0, count: Int(n))
    var info: Int32 = 0
    withUnsafePointer(to: n) { n in
      withUnsafePointer(to: columns) { dgesv(n, $0, &matrix, n, &pivots, &right, n, &info) }
    }
    return info == 0
  }
}
