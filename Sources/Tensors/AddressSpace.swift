import Glibc

/// Addresses that this process may map, which `ulimit -v` limits.
package enum AddressSpace {
  /// Bytes that stay free where there is a limit: small things are allocated by code that traps where it gets nothing.
  static let margin = 16 << 20

  /// The limit in bytes; nil where there is none.
  package static let limit: Int? = {
    var limit = rlimit()
    // "Unlimited" is more than an Int holds.
    return getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 ? Int(exactly: limit.rlim_cur) : nil
  }()

  package static var isLimited: Bool { limit != nil }

  /// Bytes that are mapped now; 0 where the system does not say.
  package static var mappedBytes: Int {
    // No Foundation here: what says that there is no room must need none.
    let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return 0 }
    defer { close(file) }
    var pages = 0
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { text in
      let count = read(file, text.baseAddress, text.count)
      for byte in text.prefix(max(0, count)) {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { break }
        pages = 10 * pages + Int(byte - UInt8(ascii: "0"))
      }
    }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }

  /// Bytes below the limit, less a margin; nil where there is none.
  package static var freeBytes: Int? { limit.map { max(0, $0 - mappedBytes - margin) } }

  /// Whether that many bytes in one piece, and a margin, can be mapped.
  package static func hasRoom(for bytes: Int) -> Bool {
    let memory = mmap(nil, bytes + margin, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let memory, memory != MAP_FAILED else { return false }
    munmap(memory, bytes + margin)
    return true
  }
}
