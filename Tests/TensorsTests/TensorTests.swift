import Tensors
import Testing

/// The array that everything is stored in.
struct TensorTests {
  @Test func shapesCount() {
    #expect(Tensor(shape: [2, 3, 4]).count == 24)
    #expect(Tensor(shape: []).count == 1)
    #expect(Tensor(shape: [3, 0]).count == 0)
    #expect(Tensor(shape: [3, 0]).values.isEmpty)
  }

  @Test(arguments: [0, 1, 17, 1000]) func startsAsZerosInAlignedMemory(count: Int) {
    let tensor = Tensor(shape: [count])
    #expect(tensor.values == [Float](repeating: 0, count: count))
    #expect(UInt(bitPattern: tensor.data) % 64 == 0)
  }

  @Test func keepsValuesInOrder() {
    let tensor = Tensor(shape: [2, 2], values: [1, 2, 3, 4])
    #expect(tensor.data[2] == 3)
    tensor.mutableElements[3] = 9
    #expect(Array(tensor.elements) == [1, 2, 3, 9] && tensor.values == [1, 2, 3, 9])
  }

  /// A copy outlives the tensor.
  @Test func valuesAreACopy() {
    #expect(
      (0..<100).map { _ in Tensor(shape: [1000], values: [Float](repeating: 5, count: 1000)).values }
        .allSatisfy { $0.allSatisfy { $0 == 5 } })
  }
}
