import Tensors

/// The weights of a network: named tensors, with the words that say what network they belong to.
///
/// A file is memory-mapped and its header validated when it is opened; its numbers are read when they are
/// asked for. Opening runs nothing in the file and trusts nothing in it: all that a damaged or hostile file
/// causes is an error.
public final class Checkpoint: Sendable {
  /// Most elements of one tensor that `tensor(_:)` loads: ten times the whole of HTDemucs. A file may claim
  /// more than memory holds, being mostly holes.
  public static let maximumTensorCount = 1 << 28

  /// Where the checkpoint comes from; stands in every error.
  public let path: String
  /// The file's free text entries; demucs 4.1 writes `klass`, `args` and `kwargs`.
  public let metadata: [String: String]

  private let source: any TensorSource

  private init(path: String, metadata: [String: String], source: any TensorSource) {
    self.path = path
    self.metadata = metadata
    self.source = source
  }

  /// Opens a model file of any format that is read, told by its content: safetensors, or the zip archive of
  /// `torch.save` (`.th`, `.pt`, `.ckpt`).
  /// - Throws: `CheckpointError.unreadable`, `.malformed`, `.unsupported`, `.notDemucs`.
  public convenience init(opening path: String) throws {
    let file = try MappedFile(path: path)
    switch try FileFormat(file) {
    case .safetensors:
      let safetensors = try SafetensorsFile(file)
      self.init(path: path, metadata: safetensors.metadata, source: safetensors)
    case .torchArchive:
      let torch = try TorchFile(file)
      self.init(path: path, metadata: torch.description.metadata, source: torch)
    }
  }

  /// Opens a `.safetensors` file.
  /// - Throws: `CheckpointError.unreadable`, `.malformed`.
  public convenience init(safetensors path: String) throws {
    let file = try SafetensorsFile(try MappedFile(path: path))
    self.init(path: path, metadata: file.metadata, source: file)
  }

  /// A checkpoint of tensors in memory.
  /// - Parameter path: what errors call it.
  public convenience init(path: String, description: ModelDescription, tensors: [String: Tensor]) {
    self.init(path: path, metadata: description.metadata, source: TensorsInMemory(tensors))
  }

  /// The same weights for a network that is described otherwise.
  public convenience init(_ other: Checkpoint, description: ModelDescription) {
    self.init(
      path: other.path, metadata: other.metadata.merging(description.metadata) { $1 }, source: other.source)
  }

  /// The network that the weights belong to.
  /// - Throws: `CheckpointError.notDemucs` where the metadata does not say it as demucs 4.1 does.
  public func modelDescription() throws -> ModelDescription {
    try ModelDescription(metadata: metadata, path: path)
  }

  /// Names of all tensors, sorted. The scales of a tensor of 8-bit integers are part of that tensor.
  public var names: [String] { source.tensors.keys.sorted() }

  /// Extents of a tensor, outermost first; nil where there is none of that name.
  public func shape(of name: String) -> [Int]? { source.tensors[name]?.shape }

  /// Element type of a tensor as it is stored; nil where there is none of that name.
  public func type(of name: String) -> TensorType? { source.tensors[name]?.type }

  /// Whether `tensor(_:)` reads a tensor: it is stored as floats, or as I8 with scales.
  public func isWeight(_ name: String) -> Bool {
    type(of: name)?.isFloat == true || source.scales(of: name) != nil
  }

  /// A float32 copy of a tensor stored as F16, BF16, F32 or F64, exact but for F64, which is rounded to
  /// nearest; or as I8 with a scale for each row, the product of the two in float32.
  ///
  /// NaN and infinities come as they are; `tensor(_:shape:)` refuses them.
  /// - Throws: `CheckpointError.missing`, `.wrongType`, `.misscaled`, `.tooLarge`, `.unreadable`, `.malformed`.
  public func tensor(_ name: String) throws -> Tensor {
    try withWeight(name) { weight in
      let tensor = Tensor(shape: weight.info.shape, zeroed: false)
      weight.widen(from: 0, into: tensor.data, count: tensor.count)
      return tensor
    }
  }

  /// The elements of a weight as they are stored, with what makes float32 of them.
  struct StoredWeight {
    let info: TensorInfo
    fileprivate let bytes: UnsafeRawBufferPointer
    fileprivate let scales: RowScales?

    /// Writes `count` values from element `first` on, in row-major order, to `result`.
    func widen(from first: Int, into result: UnsafeMutablePointer<Float>, count: Int) {
      guard let start = bytes.baseAddress else { return }
      if let scales {
        scales.widen(start, from: first, into: result, count: count)
      } else {
        FloatConversion.widen(start + first * info.type.size, info.type, into: result, count: count)
      }
    }
  }

  /// Calls `body` with a weight, which must not outlive the call.
  /// - Throws: what `tensor(_:)` and `body` throw.
  func withWeight<Result>(_ name: String, _ body: (StoredWeight) throws -> Result) throws -> Result {
    let info = try info(name)
    guard isWeight(name) else {
      let scales = "and there are no scales for it (\(shown(RowScales.name(of: name))) of a safetensors file)"
      throw CheckpointError.wrongType(
        path: path, name: name, type: info.type,
        wanted: "F16, BF16, F32 or F64" + (info.type == .int8 ? ", \(scales)" : ""))
    }
    return try source.withElements(of: name) { bytes in
      let scales = try source.scales(of: name).map { scales in
        // Of a tensor without elements there may be any number of rows.
        try source.withElements(of: scales) {
          try RowScales(bytes.isEmpty ? .init(start: nil, count: 0) : $0, for: bytes, path: path, name: name)
        }
      }
      return try body(StoredWeight(info: info, bytes: bytes, scales: scales))
    }
  }

  /// A float32 copy of a weight: as `tensor(_:)`, but it must have this shape and every element must be
  /// finite, since one NaN among the weights would silently turn all output into NaN.
  /// - Throws: `CheckpointError.misshapen`, `.nonFinite`, and what `tensor(_:)` throws.
  public func tensor(_ name: String, shape: [Int]) throws -> Tensor {
    if let found = self.shape(of: name), found != shape {
      throw CheckpointError.misshapen(path: path, name: name, expected: shape, found: found)
    }
    let tensor = try tensor(name)
    if let index = FloatConversion.firstNonFinite(tensor.elements) {
      throw CheckpointError.nonFinite(path: path, name: name, index: index, value: tensor.data[index])
    }
    return tensor
  }

  /// The elements of a tensor stored as I64 or I32, in row-major order.
  /// - Throws: `CheckpointError.missing`, `.wrongType`, `.tooLarge`, `.unreadable`, `.malformed`.
  public func int64s(_ name: String) throws -> [Int] {
    let info = try info(name)
    guard info.type == .int64 || info.type == .int32 else {
      throw CheckpointError.wrongType(path: path, name: name, type: info.type, wanted: "I64 or I32")
    }
    return try source.withElements(of: name) { bytes in
      guard let start = bytes.baseAddress else { return [] }
      return (0..<info.count).map { index in
        if info.type == .int64 {
          let value: Int64 = FloatConversion.load(start, index)
          return Int(value)
        }
        let value: Int32 = FloatConversion.load(start, index)
        return Int(value)
      }
    }
  }

  /// Calls `body` with the elements of a tensor as they are stored: row-major, without gaps, little-endian.
  /// - Throws: `CheckpointError.missing`, `.tooLarge`, `.unreadable`, `.malformed`.
  func withElements<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    _ = try info(name)
    return try source.withElements(of: name, body)
  }

  private func info(_ name: String) throws -> TensorInfo {
    guard let info = source.tensors[name] else { throw CheckpointError.missing(path: path, name: name) }
    guard info.count <= Checkpoint.maximumTensorCount else {
      throw CheckpointError.tooLarge(path: path, name: name, count: info.count)
    }
    return info
  }

  /// Compares the tensors that a network has with those of the file.
  /// - Parameter expected: shape of each of the network's parameters and buffers, by name.
  /// - Throws: `CheckpointError.mismatch`, which holds every missing, extra and misshapen tensor and names
  ///   the first few of each in its message.
  public func check(expected: [String: [Int]]) throws {
    var missing: [String] = []
    var misshapen: [TensorMismatch.Misshapen] = []
    for (name, shape) in expected.sorted(by: { $0.key < $1.key }) {
      guard let found = self.shape(of: name) else {
        missing.append(name)
        continue
      }
      if found != shape { misshapen.append(.init(name: name, expected: shape, found: found)) }
    }
    let extra = names.filter { expected[$0] == nil }
    let mismatch = TensorMismatch(missing: missing, extra: extra, misshapen: misshapen)
    guard mismatch.isEmpty else { throw CheckpointError.mismatch(path: path, mismatch) }
  }
}
