extension TorchTensor {
  /// The elements in row-major order, without gaps.
  /// - Parameter bytes: the storage.
  func gathered(from bytes: UnsafeRawBufferPointer) -> [UInt8] {
    switch info.type.size {
    case 1: gathered(from: bytes, as: UInt8.self)
    case 2: gathered(from: bytes, as: UInt16.self)
    case 4: gathered(from: bytes, as: UInt32.self)
    default: gathered(from: bytes, as: UInt64.self)
    }
  }

  private func gathered<Bits: FixedWidthInteger & BitwiseCopyable>(
    from bytes: UnsafeRawBufferPointer, as type: Bits.Type
  ) -> [UInt8] {
    let (count, size) = (info.count, MemoryLayout<Bits>.size)
    return [UInt8](unsafeUninitializedCapacity: max(count * size, 1)) { buffer, written in
      let result = UnsafeMutableRawBufferPointer(buffer)
      var indices = [Int](repeating: 0, count: info.shape.count)
      var position = offset
      for element in 0..<count {
        result.storeBytes(
          of: bytes.loadUnaligned(fromByteOffset: position * size, as: type), toByteOffset: element * size, as: type)
        // The next index: the last axis runs fastest.
        for axis in indices.indices.reversed() {
          indices[axis] += 1
          position += strides[axis]
          if indices[axis] < info.shape[axis] { break }
          position -= indices[axis] * strides[axis]
          indices[axis] = 0
        }
      }
      written = count * size
    }
  }
}
