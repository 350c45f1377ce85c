/// What the rows of a tensor of 8-bit integers are multiplied with: `value[row, ...] = integer[row, ...] * scale[row]`,
/// one multiplication in float32. A row is all that has one index of the first axis.
///
/// The scales of a tensor `NAME` are the tensor `NAME.scale` of the same file. It belongs to `NAME` and is none of the
/// network's parameters.
struct RowScales: Sendable {
  /// One for each row; finite and not negative.
  let values: [Float]
  /// Elements of a row.
  let rowLength: Int

  /// The name of the tensor that holds the scales of another.
  static func name(of tensor: String) -> String { tensor + ".scale" }

  /// Tells the tensors that hold the scales of another from those that are parameters.
  /// - Parameter tensors: all of a file.
  /// - Returns: names of the former.
  /// - Throws: `CheckpointError.misscaled` where scales do not go with their tensor.
  static func companions(among tensors: [String: TensorInfo], path: String) throws -> Set<String> {
    var companions: Set<String> = []
    for (name, info) in tensors.sorted(by: { $0.key < $1.key }) where info.type == .int8 {
      guard let scales = tensors[Self.name(of: name)] else { continue }
      func misscaled(_ reason: String) -> CheckpointError { .misscaled(path: path, name: name, reason: reason) }
      guard let rows = info.shape.first else { throw misscaled("has no rows, but the scales of rows beside it") }
      guard scales.type == .float32 else { throw misscaled("has scales stored as \(scales.type.rawValue), not as F32") }
      guard scales.shape == [rows] else {
        throw misscaled("has \(rows) rows, but scales of shape \(scales.shape)")
      }
      companions.insert(Self.name(of: name))
    }
    return companions
  }

  /// - Parameters:
  ///   - bytes: the scales, float32.
  ///   - elements: what they are for, row after row.
  /// - Throws: `CheckpointError.misscaled` for a scale that is not finite, is negative, or is zero where a row is not.
  init(_ bytes: UnsafeRawBufferPointer, for elements: UnsafeRawBufferPointer, path: String, name: String) throws {
    let count = bytes.count / TensorType.float32.size
    rowLength = count > 0 ? elements.count / count : 0
    values = [Float](unsafeUninitializedCapacity: count) { buffer, written in
      if let start = bytes.baseAddress, let result = buffer.baseAddress {
        FloatConversion.widen(start, .float32, into: result, count: count)
      }
      written = count
    }
    for (row, scale) in values.enumerated() {
      let isEmptied = scale == 0 && elements[row * rowLength..<(row + 1) * rowLength].contains { $0 != 0 }
      guard scale.isFinite, scale >= 0, !isEmptied else {
        throw CheckpointError.misscaled(
          path: path, name: name,
          reason: "has the scale \(scale) for row \(row)" + (isEmptied ? ", which is not all zeros" : ""))
      }
    }
  }

  /// Multiplies elements with the scales of their rows.
  /// - Parameters:
  ///   - bytes: the tensor's elements.
  ///   - first: the first one to take, in row-major order.
  ///   - result: where the values go.
  ///   - count: how many; they may begin and end within a row.
  func widen(_ bytes: UnsafeRawPointer, from first: Int, into result: UnsafeMutablePointer<Float>, count: Int) {
    guard count > 0, rowLength > 0 else { return }
    let integers = bytes.assumingMemoryBound(to: Int8.self)
    var element = first
    while element < first + count {
      let row = element / rowLength
      let end = min((row + 1) * rowLength, first + count)
      let scale = values[row]
      for index in element..<end { result[index &- first] = Float(integers[index]) * scale }
      element = end
    }
  }
}
