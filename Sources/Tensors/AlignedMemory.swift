import Glibc

/// Memory for floats, aligned to 64 bytes: a cache line, an AVX-512 register.
enum AlignedMemory {
  /// From this size on memory is taken from the system and goes back to it at once; below, the heap is quicker.
  private static let largeBytes = 1 << 20
  /// Where the system has huge pages for the asking, memory of this size on is worth them: fewer faults, fewer misses.
  private static let hugeBytes = 4 << 20

  /// Floats of undefined value; more than the machine has ends the program, as any allocation of Swift's does.
  static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    guard bytes >= largeBytes else {
      return UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        .bindMemory(to: Float.self, capacity: max(count, 1))
    }
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else {
      preconditionFailure("out of memory: \(bytes >> 20) MiB are not to be had")
    }
    if bytes >= hugeBytes { madvise(memory, bytes, MADV_HUGEPAGE) }
    return memory.bindMemory(to: Float.self, capacity: count)
  }

  /// Gives back what `allocate(count)` gave.
  static func deallocate(_ start: UnsafeMutablePointer<Float>, _ count: Int) {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    if bytes >= largeBytes {
      munmap(start, bytes)
    } else {
      UnsafeMutableRawPointer(start).deallocate()
    }
  }
}
