/// The start of a safetensors file, and the order of what follows: the elements of the tensors, without gaps.
struct SafetensorsLayout {
  struct Tensor {
    let name: String
    let type: TensorType
    let shape: [Int]
  }

  let tensors: [Tensor]
  /// Length and JSON, padded with spaces to a multiple of 8 bytes so that the data is aligned.
  let header: [UInt8]

  /// - Parameters:
  ///   - path: the file, for the error.
  ///   - tensors: names, each once and none `__metadata__`; in this order.
  ///   - metadata: free text entries.
  /// - Throws: `CheckpointError.unwritable`.
  init(path: String, tensors: [Tensor], metadata: [String: String]) throws {
    guard Set(tensors.map(\.name)).union(["__metadata__"]).count == tensors.count + 1 else {
      throw CheckpointError.unwritable(path: path, reason: "two tensors have one name, or one is __metadata__")
    }
    var members: [String] = []
    if !metadata.isEmpty {
      members.append("\"__metadata__\":" + JSONValue.object(metadata.mapValues { .string($0) }).text)
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.shape.reduce(tensor.type.size, *)
      let description: JSONValue = .object([
        "dtype": .string(tensor.type.rawValue), "shape": .array(tensor.shape.map { .integer($0) }),
        "data_offsets": .array([.integer(offset), .integer(end)]),
      ])
      members.append(JSONValue.quoted(tensor.name) + ":" + description.text)
      offset = end
    }
    var json = Array(("{" + members.joined(separator: ",") + "}").utf8)
    while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
    self.tensors = tensors
    header = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json
  }
}
