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

  private enum Storage: Sendable {
    case mapped(MappedFile, [String: TensorEntry])
    case memory([String: Tensor])
  }
  private let storage: Storage

  /// Opens a `.safetensors` file.
  /// - Throws: `CheckpointError.unreadable`, `.malformed`.
  public init(safetensors path: String) throws {
    let file = try MappedFile(path: path)
    let header = try SafetensorsHeader(file)
    self.path = path
    metadata = header.metadata
    storage = .mapped(file, header.tensors)
  }

  /// A checkpoint of tensors in memory.
  /// - Parameter path: what errors call it.
  public init(path: String, description: ModelDescription, tensors: [String: Tensor]) {
    self.path = path
    metadata = description.metadata
    storage = .memory(tensors)
  }

  /// The same weights for a network that is described otherwise.
  public init(_ other: Checkpoint, description: ModelDescription) {
    path = other.path
    metadata = other.metadata.merging(description.metadata) { $1 }
    storage = other.storage
  }

  /// The network that the weights belong to.
  /// - Throws: `CheckpointError.notDemucs` where the metadata does not say it as demucs 4.1 does.
  public func modelDescription() throws -> ModelDescription {
    try ModelDescription(metadata: metadata, path: path)
  }

  /// Names of all tensors, sorted.
  public var names: [String] {
    switch storage {
    case .mapped(_, let entries): entries.keys.sorted()
    case .memory(let tensors): tensors.keys.sorted()
    }
  }

  /// Extents of a tensor, outermost first; nil where there is none of that name.
  public func shape(of name: String) -> [Int]? {
    switch storage {
    case .mapped(_, let entries): entries[name]?.shape
    case .memory(let tensors): tensors[name]?.shape
    }
  }

  /// Element type of a tensor as it is stored; nil where there is none of that name.
  public func type(of name: String) -> TensorType? {
    switch storage {
    case .mapped(_, let entries): entries[name]?.type
    case .memory(let tensors): tensors[name] == nil ? nil : .float32
    }
  }

  /// A float32 copy of a tensor stored as F16, BF16, F32 or F64, exact but for F64, which is rounded to
  /// nearest.
  ///
  /// NaN and infinities come as they are; `tensor(_:shape:)` refuses them.
  /// - Throws: `CheckpointError.missing`, `.wrongType`, `.tooLarge`, `.unreadable`.
  public func tensor(_ name: String) throws -> Tensor {
    switch storage {
    case .memory(let tensors):
      guard let tensor = tensors[name] else { throw CheckpointError.missing(path: path, name: name) }
      return Tensor(shape: tensor.shape, values: tensor.elements)
    case .mapped(let file, let entries):
      guard let entry = entries[name] else { throw CheckpointError.missing(path: path, name: name) }
      let count = (entry.range.upperBound - entry.range.lowerBound) / entry.type.size
      guard count <= Checkpoint.maximumTensorCount else {
        throw CheckpointError.tooLarge(path: path, name: name, count: count)
      }
      let tensor = Tensor(shape: entry.shape, zeroed: false)
      let isFloat = try file.withBytes(entry.range) { bytes in
        guard let start = bytes.baseAddress else { return true }
        return FloatConversion.widen(start, entry.type, into: tensor.data, count: count)
      }
      guard isFloat else {
        throw CheckpointError.wrongType(
          path: path, name: name, type: entry.type, wanted: "F16, BF16, F32 or F64")
      }
      return tensor
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
  /// - Throws: `CheckpointError.missing`, `.wrongType`, `.tooLarge`, `.unreadable`.
  public func int64s(_ name: String) throws -> [Int] {
    guard let type = type(of: name) else { throw CheckpointError.missing(path: path, name: name) }
    guard case .mapped(let file, let entries) = storage, let entry = entries[name],
      type == .int64 || type == .int32
    else { throw CheckpointError.wrongType(path: path, name: name, type: type, wanted: "I64 or I32") }
    let count = (entry.range.upperBound - entry.range.lowerBound) / type.size
    guard count <= Checkpoint.maximumTensorCount else {
      throw CheckpointError.tooLarge(path: path, name: name, count: count)
    }
    return try file.withBytes(entry.range) { bytes in
      guard let start = bytes.baseAddress else { return [] }
      return (0..<count).map { index in
        if type == .int64 {
          let value: Int64 = FloatConversion.load(start, index)
          return Int(value)
        }
        let value: Int32 = FloatConversion.load(start, index)
        return Int(value)
      }
    }
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
