import CKernels
import COpenBLAS
import Glibc

/// Single-precision matrix products on OpenBLAS, one thread a call.
///
/// Parallelism is the caller's (`WorkerPool`): OpenBLAS never sees more than a tile, so the order of its additions,
/// and with it every bit of a result, does not depend on the number of threads.
public enum MatrixMultiply {
  /// c = a b + beta c, all row-major.
  ///
  /// - Parameters:
  ///   - rows: rows of `a` and `c`.
  ///   - columns: columns of `b` and `c`.
  ///   - depth: columns of `a`, rows of `b`.
  ///   - aStride, bStride, cStride: floats from one row to the next.
  ///   - transposeB: whether `b` is stored as `[columns, depth]`.
  @inline(__always)
  public static func multiply(
    rows: Int, columns: Int, depth: Int,
    _ a: UnsafePointer<Float>, _ aStride: Int,
    _ b: UnsafePointer<Float>, _ bStride: Int, transposeB: Bool = false,
    into c: UnsafeMutablePointer<Float>, _ cStride: Int,
    alpha: Float = 1, beta: Float = 0
  ) {
    let start = kernel_meter_start()
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      blasint(rows), blasint(columns), blasint(depth), alpha,
      a, blasint(aStride), b, blasint(bStride), beta, c, blasint(cStride))
    kernel_meter_stop(start, 2 * Double(rows) * Double(columns) * Double(depth))
  }

  /// c = a b, or c += a b, by our own kernel: for products with a side too short to be worth packing, as in attention.
  @inline(__always)
  public static func multiplyNarrow(
    rows: Int, columns: Int, depth: Int,
    _ a: UnsafePointer<Float>, _ aStride: Int,
    _ b: UnsafePointer<Float>, _ bStride: Int,
    into c: UnsafeMutablePointer<Float>, _ cStride: Int, accumulate: Bool = false
  ) {
    let start = kernel_meter_start()
    kernel_multiply(rows, columns, depth, a, aStride, 1, b, bStride, c, cStride, accumulate ? 1 : 0)
    kernel_meter_stop(start, 2 * Double(rows) * Double(columns) * Double(depth))
  }

  /// Makes OpenBLAS single-threaded and sees that it uses the kernels of this processor. Called once, before the
  /// first product, by whoever builds a network; later calls do nothing.
  public static func prepare() { _ = preparation }

  /// Name of the set of kernels that OpenBLAS uses, such as `SkylakeX`.
  public static var kernelName: String {
    prepare()
    return String(cString: openblas_get_corename())
  }

  private static let preparation: Void = {
    selectKernels()
    openblas_set_num_threads(1)
  }()

  /// OpenBLAS looks its kernels up by processor model. A model younger than the library gets the oldest kernels it has
  /// (version 0.3.21 on an Emerald Rapids server: SSE3, a quarter of the speed). Then the choice is made again, by
  /// what the processor can do. `OPENBLAS_CORETYPE` set by the user always stands.
  private static func selectKernels() {
    guard getenv("OPENBLAS_CORETYPE") == nil else { return }
    let fallbacks: Set<String> = ["Prescott", "Core2", "Nehalem", "Barcelona", "Generic", "Unknown"]
    guard fallbacks.contains(String(cString: openblas_get_corename())) else { return }
    guard let better = Processor.openBLASKernels else { return }
    typealias Function = @convention(c) () -> Void
    guard let library = dlopen(nil, RTLD_LAZY),
      let quit = dlsym(library, "gotoblas_dynamic_quit"), let start = dlsym(library, "gotoblas_dynamic_init")
    else { return }
    setenv("OPENBLAS_CORETYPE", better, 1)
    unsafeBitCast(quit, to: Function.self)()
    unsafeBitCast(start, to: Function.self)()
    unsetenv("OPENBLAS_CORETYPE")
  }
}
