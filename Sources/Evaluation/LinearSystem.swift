import COpenBLAS

/// Systems of linear equations, by LAPACK.
enum LinearSystem {
  /// Solves A X = B by LU factors with partial pivoting, as `numpy.linalg.solve` does.
  /// - Parameters:
  ///   - matrix: `[n, n]`, column-major; its factors take its place, as it may be most of the memory.
  ///   - right: the columns of B, `n` values each.
  /// - Returns: the columns of X; nil where A has no inverse or is too large.
  static func solve(_ matrix: inout [Double], _ right: [[Double]]) -> [[Double]]? {
    guard let n = right.first?.count, n > 0, matrix.count == n * n, var size = blasint(exactly: n),
      var columns = blasint(exactly: right.count)
    else { return nil }
    var pivots = [blasint](repeating: 0, count: n)
    var solution = right.flatMap(\.self)
    var (matrixStride, rightStride) = (size, size)
    var info: blasint = 0
    dgesv_(&size, &columns, &matrix, &matrixStride, &pivots, &solution, &rightStride, &info)
    guard info == 0 else { return nil }
    return (0..<right.count).map { Array(solution[$0 * n..<($0 + 1) * n]) }
  }
}
