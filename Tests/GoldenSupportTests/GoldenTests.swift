import GoldenSupport
import Tensors
import Testing

/// The judge itself: an error is seen, and so is a NaN.
struct GoldenTests {
  static let key = "layer_norm/1x7x32"

  private func golden() throws -> (Golden, Tensor) {
    let golden = try Golden("layers")
    return (golden, try golden.tensor(Self.key))
  }

  @Test func equalTensorsDoNotDeviate() throws {
    let (golden, tensor) = try golden()
    #expect(try golden.deviation(Self.key, tensor).relativeError == 0)
    #expect(try golden.ratios(Self.key, tensor.values) == [.infinity])
  }

  @Test func aScaleIsARelativeError() throws {
    let (golden, tensor) = try golden()
    let louder = Tensor(shape: tensor.shape, values: tensor.values.map { $0 * 1.001 })
    #expect(abs(try golden.deviation(Self.key, louder).relativeError - 1e-3) < 1e-6)
    #expect(abs(try golden.ratios(Self.key, louder.values)[0] - 60) < 0.01)
  }

  @Test func aNotANumberIsInfinitelyWrong() throws {
    let (golden, tensor) = try golden()
    tensor.data[5] = .nan
    #expect(try golden.deviation(Self.key, tensor).relativeError == .infinity)
    #expect(try golden.ratios(Self.key, tensor.values) == [-.infinity])
  }

  @Test func otherShapesAndNamesAreRefused() throws {
    let (golden, tensor) = try golden()
    #expect(throws: Golden.Failure.self) {
      try golden.deviation(Self.key, Tensor(shape: [7, 1, 32], values: tensor.values))
    }
    #expect(throws: Golden.Failure.self) { try golden.deviation("no such case", tensor) }
    #expect(throws: Golden.Failure.self) { try golden.ratios(Self.key, [1, 2]) }
  }

  @Test(arguments: [
    "layers", "stft", "apply", "open_6s", "network-small", "network-variants", "htdemucs_6s", "htdemucs-4s",
  ])
  func everyFileOpens(name: String) throws {
    let golden = try Golden(name)
    #expect(!golden.order.isEmpty && !golden.cases.isEmpty)
    for key in golden.order { #expect(try golden.positions(key).count == golden.tensor(key).count) }
  }
}
