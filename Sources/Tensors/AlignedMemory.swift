import Glibc

/// Memory for floats, aligned to 64 bytes: a cache line, an AVX-512 register.
enum AlignedMemory {
  /// From this size on memory is taken from the system and goes back to it at once; below, the heap is quicker.
  private static let largeBytes = 1 << 20
  /// Where the system has huge pages for the asking, memory of this size on is worth them: fewer faults, fewer misses.
  private static let hugeBytes = 4 << 20

  /// Floats of undefined value; `OutOfMemory` has the last word where there are none to be had.
  static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    return (bytes < largeBytes ? small(bytes) : large(bytes)).bindMemory(to: Float.self, capacity: max(count, 1))
  }

  private static func small(_ bytes: Int) -> UnsafeMutableRawPointer {
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, 64, bytes) == 0, let memory else { OutOfMemory.end(bytes: bytes) }
    return memory
  }

  private static func large(_ bytes: Int) -> UnsafeMutableRawPointer {
    OutOfMemory.expect(bytes)
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { OutOfMemory.end(bytes: bytes) }
    if bytes >= hugeBytes { madvise(memory, bytes, MADV_HUGEPAGE) }
    return memory
  }

  /// Gives back what `allocate(count)` gave.
  static func deallocate(_ start: UnsafeMutablePointer<Float>, _ count: Int) {
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    if bytes >= largeBytes {
      munmap(start, bytes)
    } else {
      free(start)
    }
  }
}
