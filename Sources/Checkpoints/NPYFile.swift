import Tensors

/// NumPy's file format for one array, as `numpy.load` and `numpy.save` have it
/// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
public enum NPYFile {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Writes float32 values in row-major order as version 1.0, little-endian, the data at a multiple of 64
  /// bytes. The file appears whole or not at all.
  /// - Throws: `CheckpointError.unwritable`.
  public static func write(_ tensor: Tensor, to path: String) throws {
    // A tuple of one is written with a comma in Python.
    let extents = tensor.shape.map(String.init).joined(separator: ", ") + (tensor.shape.count == 1 ? "," : "")
    var header = Array("{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }".utf8)
    // 10 bytes precede the header and a line feed ends it.
    while (10 + header.count + 1) % 64 != 0 { header.append(UInt8(ascii: " ")) }
    header.append(UInt8(ascii: "\n"))
    guard header.count <= UInt16.max else {
      throw CheckpointError.unwritable(path: path, reason: "its shape has \(tensor.shape.count) axes")
    }
    var file = magic + [1, 0, UInt8(header.count & 0xFF), UInt8(header.count >> 8)] + header
    file.reserveCapacity(file.count + 4 * tensor.count)
    for value in tensor.elements {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { file.append(contentsOf: $0) }
    }
    try file.withUnsafeBytes { try AtomicFile.write(to: path, $0) }
  }

  /// Reads an array of little-endian float16, float32 or float64 values in row-major order, as float32.
  /// - Throws: `CheckpointError.unreadable`, `.malformed`.
  public static func read(_ path: String) throws -> Tensor {
    func malformed(_ reason: String) -> CheckpointError {
      .malformed(path: path, format: "npy", reason: reason)
    }
    let file = try MappedFile(path: path)
    return try file.withBytes(0..<file.count) { bytes in
      guard bytes.count >= 12, bytes.prefix(6).elementsEqual(magic) else {
        throw malformed("it does not start as one")
      }
      // Version 1 has a header length of two bytes, versions 2 and 3 of four.
      guard (1...3).contains(bytes[6]) else { throw malformed("version \(bytes[6]) is unknown") }
      let headerStart = bytes[6] == 1 ? 10 : 12
      let length =
        bytes[6] == 1
        ? Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
        : Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
      guard length <= bytes.count - headerStart else { throw malformed("it ends inside its header") }
      let dataStart = headerStart + length
      let (type, shape): (TensorType, [Int])
      do {
        let header = NPYHeader(String(decoding: bytes[headerStart..<dataStart], as: UTF8.self))
        (type, shape) = try (header.type(), header.shape())
      } catch let flaw as NPYHeader.Flaw {
        throw malformed(flaw.reason)
      }
      let dataCount = bytes.count - dataStart
      guard let count = checkedProduct(shape), let size = checkedProduct([count, type.size]), size == dataCount else {
        throw malformed("its shape \(shape) does not fit its \(dataCount) bytes of data")
      }
      guard count <= Checkpoint.maximumTensorCount else { throw malformed("\(count) elements are too many") }
      let tensor = Tensor(shape: shape, zeroed: false)
      if count > 0, let start = bytes.baseAddress {
        FloatConversion.widen(start + dataStart, type, into: tensor.data, count: count)
      }
      return tensor
    }
  }
}

/// The header of an npy file: a Python dictionary literal with the keys `descr`, `fortran_order` and `shape`.
private struct NPYHeader {
  struct Flaw: Error { let reason: String }

  let text: String

  init(_ text: String) { self.text = text }

  /// The type of the elements, if they are little-endian floats.
  func type() throws -> TensorType {
    let text = try value(of: "descr").prefix { $0 != "," }
    let types: [String: TensorType] = ["'<f2'": .float16, "'<f4'": .float32, "'<f8'": .float64]
    guard let type = types[String(text)] else {
      throw Flaw(reason: "its elements are \(shown(String(text))), not '<f2', '<f4' or '<f8'")
    }
    return type
  }

  /// The shape, if the elements are row-major.
  func shape() throws -> [Int] {
    guard try value(of: "fortran_order").hasPrefix("False") else {
      throw Flaw(reason: "it is in column-major order")
    }
    let tuple = try value(of: "shape")
    guard tuple.hasPrefix("("), let end = tuple.firstIndex(of: ")") else {
      throw Flaw(reason: "its shape is no tuple")
    }
    let extents = tuple[tuple.index(after: tuple.startIndex)..<end].split(separator: ",")
      .map { String($0.filter { $0 != " " }) }.filter { !$0.isEmpty }
    guard extents.count <= SafetensorsHeader.maximumRank else {
      throw Flaw(reason: "it has \(extents.count) axes")
    }
    return try extents.map { extent in
      guard let extent = Int(extent), extent >= 0 else {
        throw Flaw(reason: "its shape is not of whole numbers")
      }
      return extent
    }
  }

  /// What follows `'key':` to the end of the header.
  private func value(of key: String) throws -> Substring {
    guard let range = text.firstRange(of: "'\(key)':") else {
      throw Flaw(reason: "its header has no '\(key)'")
    }
    return text[range.upperBound...].drop { $0 == " " }
  }
}
