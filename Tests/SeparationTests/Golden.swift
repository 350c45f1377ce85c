import Foundation
import Tensors
import Testing

/// A golden file of Tests/SeparationTests/Goldens, made by scripts/make_separation_goldens.py.
enum Golden {
  private struct File<Case: Decodable>: Decodable {
    let version: Int
    let cases: [Case]
  }

  static func cases<Case: Decodable>(_ name: String, of type: Case.Type = Case.self) throws -> [Case] {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Goldens/\(name).json")
    let file = try JSONDecoder().decode(File<Case>.self, from: Data(contentsOf: url))
    #expect(file.version == 1, "HINT: rerun scripts/make_separation_goldens.py and these tests together")
    try #require(!file.cases.isEmpty)
    return file.cases
  }

  /// Rows of equal length, one after another.
  static func rows(_ values: [Float], length: Int) -> [[Float]] {
    stride(from: 0, to: values.count, by: length).map { Array(values[$0..<$0 + length]) }
  }

  /// The largest difference of two sets of rows, infinite if their shapes differ or a value is not a number.
  static func largestDifference(_ actual: [[Float]], _ expected: [[Float]]) -> Float {
    guard actual.map(\.count) == expected.map(\.count) else { return .infinity }
    var largest: Float = 0
    for (left, right) in zip(actual.joined(), expected.joined()) {
      let difference = abs(left - right)
      if !(difference <= largest) { largest = difference.isNaN ? .infinity : difference }
    }
    return largest
  }
}

/// The elements of a tensor, copied while it is held: `elements` of a temporary outlives the memory it points to.
func values(_ tensor: Tensor) -> [Float] {
  withExtendedLifetime(tensor) { Array(tensor.elements) }
}
