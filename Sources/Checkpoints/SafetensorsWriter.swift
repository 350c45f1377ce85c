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
    let layout = try SafetensorsLayout(
      path: path, tensors: tensors.map { .init(name: $0.name, type: type, shape: $0.tensor.shape) },
      metadata: metadata)
    guard let encode = encoder(type) else {
      throw CheckpointError.unwritable(path: path, reason: "tensors are not written as \(type.rawValue)")
    }
    try AtomicFile.write(to: path) { file in
      try layout.header.withUnsafeBytes { try file.write($0) }
      for (_, tensor) in tensors {
        try withExtendedLifetime(tensor) { try encode(tensor.elements).withUnsafeBytes { try file.write($0) } }
      }
    }
  }

  /// How float32 values are written as elements of `type`; nil where they are not.
  static func encoder(_ type: TensorType) -> ((UnsafeBufferPointer<Float>) -> [UInt8])? {
    switch type {
    case .float16: { encoded($0) { FloatConversion.half($0) } }
    case .bfloat16: { encoded($0) { FloatConversion.bfloat($0) } }
    case .float32: { encoded($0) { $0.bitPattern } }
    default: nil
    }
  }

  private static func encoded<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafeBufferPointer<Float>, _ bits: (Float) -> Bits
  ) -> [UInt8] {
    let size = MemoryLayout<Bits>.size
    return [UInt8](unsafeUninitializedCapacity: max(values.count * size, 1)) { buffer, written in
      let result = UnsafeMutableRawBufferPointer(buffer)
      for (index, value) in values.enumerated() {
        result.storeBytes(of: bits(value).littleEndian, toByteOffset: index * size, as: Bits.self)
      }
      written = values.count * size
    }
  }
}
