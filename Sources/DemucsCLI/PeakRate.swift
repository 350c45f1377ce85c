import CKernels
import Tensors

/// What this machine reaches in products of 1024 x 1024 matrices, one on each thread at the same time: the best of our
/// kernels and, where it is installed, OpenBLAS.
struct PeakRate {
  private(set) var operationsPerSecond = 0.0
  /// Whose product that was.
  private(set) var library = ""

  init(_ pool: WorkerPool) {
    let size = 1024
    let operands = (0..<pool.threadCount).map { _ in
      (0..<3).map { _ in Tensor(shape: [size, size], values: (0..<size * size).map { Float($0 % 7) - 3 }) }
    }
    let products = operands.map {
      kernel_product(
        rows: size, columns: size, depth: size, taps: 1, a: $0[0].data, a_row: size, a_tap: 0, b: $0[1].data,
        b_row: size, b_tap: 0, c: $0[2].data, c_row: size, accumulate: false)
    }
    // Under a limit on address space there may be no room for it.
    if !AddressSpace.isLimited, let kernels = OpenBLAS.kernelName {
      measure(pool, products, "OpenBLAS \(kernels)", OpenBLAS.multiply)
    }
    measure(pool, products, "our kernels") { product in withUnsafePointer(to: product, kernel_multiply) }
    withExtendedLifetime(operands) {}
  }

  private mutating func measure(
    _ pool: WorkerPool, _ products: [kernel_product], _ library: String, _ multiply: (kernel_product) -> Void
  ) {
    let repetitions = 4
    let work = products.reduce(0) { $0 + 2 * Double($1.rows) * Double($1.columns) * Double($1.depth) }
    for _ in 0..<5 {
      let start = ContinuousClock.now
      pool.forEach(products.count) { index, _ in
        for _ in 0..<repetitions { multiply(products[index]) }
      }
      let rate = work * Double(repetitions) / (ContinuousClock.now - start).seconds
      if rate > operationsPerSecond { (operationsPerSecond, self.library) = (rate, library) }
    }
  }
}
