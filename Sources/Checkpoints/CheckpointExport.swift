import Tensors

extension Checkpoint {
  /// Writes the checkpoint as one safetensors file that demucs 4.1 loads (`demucs.hf.load_safetensors_model`).
  ///
  /// One tensor at a time is in memory, as it was stored. The file appears whole or not at all; equal checkpoints give equal bytes.
  /// - Parameters:
  ///   - path: the file; replaced where it exists.
  ///   - precision: how weights are stored, `.float32` or `.float16`, rounded to nearest, ties to even; those stored as
  ///     I8 with scales too. Integers and booleans stay as they are.
  /// - Throws: `CheckpointError.notDemucs` where the checkpoint does not say what network it is, `.nonFinite`,
  ///   `.overflow` for a weight beyond the range of float16, `.unwritable`, and what `tensor(_:)` throws.
  public func write(safetensors path: String, precision: TensorType) throws {
    guard [.float32, .float16].contains(precision), let encode = SafetensorsWriter.encoder(precision) else {
      throw CheckpointError.unwritable(path: path, reason: "weights are not written as \(precision.rawValue)")
    }
    let description = try modelDescription()
    try refusePythonObjects(description)
    try refuseMeetingScales()
    let tensors = names.map { name in
      let type = type(of: name) ?? precision
      return SafetensorsLayout.Tensor(name: name, type: isWeight(name) ? precision : type, shape: shape(of: name) ?? [])
    }
    let layout = try SafetensorsLayout(
      path: path,
      // Larger elements first keeps all of them aligned.
      tensors: tensors.sorted { ($1.type.size, $0.name) < ($0.type.size, $1.name) },
      metadata: ["format": "pt"].merging(metadata) { $1 }.merging(description.metadata) { $1 })
    try AtomicFile.write(to: path) { file in
      try layout.header.withUnsafeBytes { try file.write($0) }
      for tensor in layout.tensors {
        guard isWeight(tensor.name) else {
          try withElements(of: tensor.name) { try file.write($0) }
          continue
        }
        try write(weight: tensor.name, isHalf: precision == .float16, encode, to: file)
      }
    }
  }

  /// Writes a weight in blocks, so that no second copy of it is ever in memory.
  private func write(
    weight name: String, isHalf: Bool, _ encode: (UnsafeBufferPointer<Float>) -> [UInt8], to file: AtomicFile
  ) throws {
    try withWeight(name) { weight in
      let count = weight.info.count
      let block = Tensor(shape: [min(count, 1 << 16)], zeroed: false)
      for first in Swift.stride(from: 0, to: count, by: 1 << 16) {
        let values = UnsafeBufferPointer(start: block.data, count: min(count - first, 1 << 16))
        weight.widen(from: first, into: block.data, count: values.count)
        if let index = FloatConversion.firstNonFinite(values) {
          throw CheckpointError.nonFinite(path: path, name: name, index: first + index, value: values[index])
        }
        if isHalf, let index = values.firstIndex(where: { FloatConversion.half($0) & 0x7FFF == 0x7C00 }) {
          throw CheckpointError.overflow(path: path, name: name, index: first + index, value: values[index])
        }
        try encode(values).withUnsafeBytes { try file.write($0) }
      }
    }
  }

  /// What a PyTorch file calls `NAME` and `NAME.scale` may have nothing to do with each other.
  private func refuseMeetingScales() throws {
    for name in names where type(of: name) == .int8 && !isWeight(name) {
      let scales = RowScales.name(of: name)
      guard shape(of: scales) == nil else {
        throw CheckpointError.notDemucs(
          path: path,
          reason: "in a safetensors file \(shown(scales)) would become the scales of \(shown(name)), which is integers")
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

extension JSONValue {
  /// The name of the first Python object in the value, at any depth.
  fileprivate var pythonName: String? {
    if self["_type"]?.stringValue == "python" { return self["name"]?.stringValue }
    return arrayValue?.lazy.compactMap(\.pythonName).first ?? objectValue?.values.lazy.compactMap(\.pythonName).first
  }
}
