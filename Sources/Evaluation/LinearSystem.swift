import Tensors

/// Systems of linear equations, by LAPACK.
enum LinearSystem {
  /// Solves A X = B.
  /// - Parameters:
  ///   - matrix: `[n, n]`, column-major; its factors take its place.
  ///   - right: the columns of B, `n` values each.
  /// - Returns: the columns of X; nil where A has no inverse or is too large.
  /// - Throws: `EvaluationError.noOpenBLAS`.
  static func solve(_ matrix: inout [Double], _ right: [[Double]]) throws -> [[Double]]? {
    guard OpenBLAS.isAvailable else { throw EvaluationError.noOpenBLAS }
    guard let n = right.first?.count, n > 0 else { return nil }
    var solution = right.flatMap(\.self)
    guard OpenBLAS.solve(&matrix, &solution, columns: right.count) else { return nil }
    return right.indices.map { Array(solution[$0 * n..<($0 + 1) * n]) }
  }
}
