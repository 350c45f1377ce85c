import Foundation
import Tensors

/// A folder of its own for one test, removed with its last user.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("demucs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }

  /// Writes a safetensors file of a header and data and returns its path.
  func safetensors(_ name: String = "model.safetensors", header: String, data: [UInt8]) throws -> String {
    try file(name, littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data)
  }
}

/// The top of the package that the tests were compiled from.
let repository = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// The elements of a tensor. `Array(tensor.elements)` would not do for a temporary: the tensor, and its
/// memory with it, may be gone before its elements are copied.
func values(_ tensor: Tensor) -> [Float] {
  withExtendedLifetime(tensor) { Array(tensor.elements) }
}
