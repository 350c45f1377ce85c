import CKernels

/// Where the time of forward passes goes, by kind of step.
///
/// Steps may nest: time and work count for the innermost. Products are counted by the meter of `CKernels`, so the numbers
/// are those of the products that ran, not of a formula.
public final class Profile {
  /// What one kind of step has cost so far.
  public struct Entry: Sendable {
    public let kind: String
    /// How often the step ran.
    public internal(set) var count = 0
    /// Wall-clock seconds, parallel loops included.
    public internal(set) var seconds = 0.0
    /// Seconds that all threads together spent in matrix products.
    public internal(set) var productSeconds = 0.0
    /// Floating-point operations of those products.
    public internal(set) var operations = 0.0
  }

  private struct Frame {
    let kind: String
    let start: ContinuousClock.Instant
    let operations: Double
    let productSeconds: Double
    var nested = Entry(kind: "")
  }

  private var frames: [Frame] = []
  private var table: [String: Entry] = [:]
  private var order: [String] = []

  public init() {}

  /// The kinds in the order in which they were first met.
  public var entries: [Entry] { order.compactMap { table[$0] } }

  public func measure<Result>(_ kind: String, _ body: () throws -> Result) rethrows -> Result {
    let (operations, productSeconds) = Self.products()
    if table[kind] == nil {
      table[kind] = Entry(kind: kind)
      order.append(kind)
    }
    kernel_meter_run(true)
    frames.append(Frame(kind: kind, start: .now, operations: operations, productSeconds: productSeconds))
    defer { finish() }
    return try body()
  }

  private func finish() {
    let frame = frames.removeLast()
    if frames.isEmpty { kernel_meter_run(false) }
    let duration = (ContinuousClock.now - frame.start).components
    let seconds = Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
    let (operations, productSeconds) = Self.products()
    let work = operations - frame.operations
    let time = productSeconds - frame.productSeconds
    table[frame.kind]?.count += 1
    table[frame.kind]?.seconds += seconds - frame.nested.seconds
    table[frame.kind]?.operations += work - frame.nested.operations
    table[frame.kind]?.productSeconds += time - frame.nested.productSeconds
    guard !frames.isEmpty else { return }
    frames[frames.count - 1].nested.seconds += seconds
    frames[frames.count - 1].nested.operations += work
    frames[frames.count - 1].nested.productSeconds += time
  }

  private static func products() -> (operations: Double, seconds: Double) {
    var operations = 0.0
    var seconds = 0.0
    kernel_meter_total(&operations, &seconds)
    return (operations, seconds)
  }
}
