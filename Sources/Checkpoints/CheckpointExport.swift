import Tensors

extension Checkpoint {
  /// Writes the checkpoint as one safetensors file that demucs 4.1 loads (`demucs.hf.load_safetensors_model`).
  ///
  /// One tensor at a time is in memory. The file appears whole or not at all; equal checkpoints give equal bytes.
  /// - Parameters:
  ///   - path: the file; replaced where it exists.
  ///   - precision: how weights are stored, `.float32` or `.float16`, rounded to nearest, ties to even. Integers and
  ///     booleans stay as they are.
  /// - Throws: `CheckpointError.notDemucs` where the checkpoint does not say what network it is, `.nonFinite`,
  ///   `.overflow` for a weight beyond the range of float16, `.unwritable`, and what `tensor(_:)` throws.
  public func write(safetensors path: String, precision: TensorType) throws {
    guard [.float32, .float16].contains(precision), let encode = SafetensorsWriter.encoder(precision) else {
      throw CheckpointError.unwritable(path: path, reason: "weights are not written as \(precision.rawValue)")
    }
    let description = try modelDescription()
    try refusePythonObjects(description)
    let tensors = names.map { name in
      let type = type(of: name) ?? precision
      return SafetensorsLayout.Tensor(name: name, type: type.isFloat ? precision : type, shape: shape(of: name) ?? [])
    }
    let layout = try SafetensorsLayout(
      path: path,
      // Larger elements first keeps all of them aligned.
      tensors: tensors.sorted { ($1.type.size, $0.name) < ($0.type.size, $1.name) },
      metadata: ["format": "pt"].merging(metadata) { $1 }.merging(description.metadata) { $1 })
    try AtomicFile.write(to: path) { file in
      try layout.header.withUnsafeBytes { try file.write($0) }
      for tensor in layout.tensors {
        guard type(of: tensor.name)?.isFloat == true else {
          try withElements(of: tensor.name) { try file.write($0) }
          continue
        }
        // Refuses what is not finite.
        let values = try self.tensor(tensor.name, shape: tensor.shape)
        if precision == .float16, let index = values.firstBeyondHalf {
          throw CheckpointError.overflow(path: self.path, name: tensor.name, index: index, value: values.data[index])
        }
        try withExtendedLifetime(values) { try encode(values.elements).withUnsafeBytes { try file.write($0) } }
      }
    }
  }

  private func refusePythonObjects(_ description: ModelDescription) throws {
    let arguments =
      description.args.enumerated().map { ("number \($0.offset + 1)", $0.element) }
      + description.kwargs.sorted { $0.key < $1.key }.map { (shown($0.key), $0.value) }
    for (name, value) in arguments {
      guard let object = value.pythonName else { continue }
      throw CheckpointError.notDemucs(
        path: path,
        reason: "its argument \(name) holds a Python object, \(shown(object)), which cannot be written as text")
    }
  }
}

extension Tensor {
  /// Index of the first element that float16 rounds to infinity.
  fileprivate var firstBeyondHalf: Int? {
    withExtendedLifetime(self) { elements.firstIndex { FloatConversion.half($0) & 0x7FFF == 0x7C00 } }
  }
}

extension JSONValue {
  /// The name of the first Python object in the value, at any depth.
  fileprivate var pythonName: String? {
    if self["_type"]?.stringValue == "python" { return self["name"]?.stringValue }
    return arrayValue?.lazy.compactMap(\.pythonName).first ?? objectValue?.values.lazy.compactMap(\.pythonName).first
  }
}
