/// A dense, row-major array of 32-bit floats in 64-byte aligned memory.
///
/// A tensor is a reference: whoever holds it sees the same numbers. It is written by one owner (a loader, a
/// layer) and read by many; the owner hands it on only when it is complete.
public final class Tensor: @unchecked Sendable {
  /// Extent of each axis, outermost first; an empty shape is a scalar.
  public let shape: [Int]
  /// Number of elements: the product of `shape`.
  public let count: Int
  /// First element; `count` elements follow, the last axis contiguous.
  public let data: UnsafeMutablePointer<Float>

  /// Allocates a tensor.
  /// - Parameters:
  ///   - shape: extents, none negative.
  ///   - zeroed: whether the elements start as 0 (the default) or undefined.
  public init(shape: [Int], zeroed: Bool = true) {
    self.shape = shape
    count = shape.reduce(1, *)
    data = AlignedMemory.allocate(count)
    if zeroed { data.initialize(repeating: 0, count: count) }
  }

  /// Copies `values`, which must be as many as `shape` holds.
  public convenience init(shape: [Int], values: some Collection<Float>) {
    precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill shape \(shape)")
    self.init(shape: shape, zeroed: false)
    for (index, value) in values.enumerated() { data[index] = value }
  }

  deinit { AlignedMemory.deallocate(data, count) }

  /// A copy of the elements in order.
  public var values: [Float] { withExtendedLifetime(self) { Array(elements) } }

  /// The elements in order, valid as long as the tensor lives.
  public var elements: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: data, count: count) }

  /// The elements, to be written.
  public var mutableElements: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: data, count: count)
  }
}
