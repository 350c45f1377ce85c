import Tensors

/// What is known of a tensor before its elements are read.
struct TensorInfo: Equatable, Sendable {
  let type: TensorType
  /// Extents, outermost first. Their product, and that of it and the element's size, does not overflow.
  let shape: [Int]

  var count: Int { shape.reduce(1, *) }
}

/// Where the tensors of a checkpoint lie: a file of some format, or memory.
protocol TensorSource: Sendable {
  /// All tensors by name, each one checked: its elements are there. Those that hold the scales of another are none.
  var tensors: [String: TensorInfo] { get }

  /// The tensor that holds the scales of the rows of the tensor `name`, for `withElements`; nil where it has none.
  func scales(of name: String) -> String?

  /// Calls `body` with the elements of the tensor `name`, which must be one of `tensors`: row-major, without gaps,
  /// little-endian, at any alignment; or the scales of one.
  /// - Throws: `CheckpointError.unreadable`, `.malformed`, and what `body` throws.
  func withElements<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result
}

extension TensorSource {
  func scales(of name: String) -> String? { nil }
}

/// The tensors of a safetensors file, in place.
struct SafetensorsFile: TensorSource {
  let metadata: [String: String]
  let tensors: [String: TensorInfo]
  private let companions: Set<String>
  private let ranges: [String: Range<Int>]
  private let file: MappedFile

  /// - Throws: `CheckpointError.malformed`, `.misscaled`, `.unreadable`.
  init(_ file: MappedFile) throws {
    let header = try SafetensorsHeader(file)
    metadata = header.metadata
    let all = header.tensors.mapValues { TensorInfo(type: $0.type, shape: $0.shape) }
    let companions = try RowScales.companions(among: all, path: file.path)
    self.companions = companions
    tensors = all.filter { !companions.contains($0.key) }
    ranges = header.tensors.mapValues(\.range)
    self.file = file
  }

  func scales(of name: String) -> String? {
    let scales = RowScales.name(of: name)
    return companions.contains(scales) ? scales : nil
  }

  func withElements<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    try file.withBytes(ranges[name] ?? 0..<0, body)
  }
}

/// Tensors in memory.
struct TensorsInMemory: TensorSource {
  let tensors: [String: TensorInfo]
  private let values: [String: Tensor]

  init(_ values: [String: Tensor]) {
    self.values = values
    tensors = values.mapValues { TensorInfo(type: .float32, shape: $0.shape) }
  }

  func withElements<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    guard let tensor = values[name] else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    return try withExtendedLifetime(tensor) { try body(UnsafeRawBufferPointer(tensor.elements)) }
  }
}
