import Tensors

/// Writes safetensors files.
public enum SafetensorsWriter {
  /// Writes tensors in the order given. Equal arguments give equal bytes; the file appears whole or not at
  /// all.
  /// - Parameters:
  ///   - path: the file; replaced where it exists.
  ///   - tensors: names, each once and none `__metadata__`, with their values.
  ///   - type: how values are stored: `.float32`, or `.float16` or `.bfloat16`, rounded to nearest, ties to
  ///     even.
  ///   - metadata: free text entries, such as `ModelDescription.metadata`.
  /// - Throws: `CheckpointError.unwritable`.
  public static func write(
    to path: String, tensors: [(name: String, tensor: Tensor)], type: TensorType = .float32,
    metadata: [String: String] = [:]
  ) throws {
    guard [.float32, .float16, .bfloat16].contains(type) else {
      throw CheckpointError.unwritable(path: path, reason: "tensors are not written as \(type.rawValue)")
    }
    guard Set(tensors.map(\.name)).union(["__metadata__"]).count == tensors.count + 1 else {
      throw CheckpointError.unwritable(
        path: path, reason: "two tensors have one name, or one is __metadata__")
    }
    let header = header(tensors, type: type, metadata: metadata)
    var file: [UInt8] = []
    file.reserveCapacity(8 + header.count + tensors.reduce(0) { $0 + $1.tensor.count * type.size })
    append(UInt64(header.count), to: &file)
    file += header
    for (_, tensor) in tensors {
      for value in tensor.elements {
        switch type {
        case .float16: append(FloatConversion.half(value), to: &file)
        case .bfloat16: append(FloatConversion.bfloat(value), to: &file)
        default: append(value.bitPattern, to: &file)
        }
      }
    }
    try file.withUnsafeBytes { try AtomicFile.write(to: path, $0) }
  }

  /// The JSON header, padded with spaces to a multiple of 8 bytes so that the data is aligned.
  private static func header(
    _ tensors: [(name: String, tensor: Tensor)], type: TensorType, metadata: [String: String]
  ) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      members.append("\"__metadata__\":" + JSONValue.object(metadata.mapValues { .string($0) }).text)
    }
    var offset = 0
    for (name, tensor) in tensors {
      let end = offset + tensor.count * type.size
      let description: JSONValue = .object([
        "dtype": .string(type.rawValue), "shape": .array(tensor.shape.map { .integer($0) }),
        "data_offsets": .array([.integer(offset), .integer(end)]),
      ])
      members.append(JSONValue.quoted(name) + ":" + description.text)
      offset = end
    }
    var header = Array(("{" + members.joined(separator: ",") + "}").utf8)
    while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
    return header
  }

  private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
}
