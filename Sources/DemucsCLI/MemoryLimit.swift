import CMalloc
import Foundation
import Separation
import Tensors

/// The end in a sentence where a limit on address space, or the machine, has no more memory.
enum MemoryLimit {
  /// For a program that has one thread yet.
  static func prepare() {
    handle(on: Console(style: .plain))
    guard let limit = AddressSpace.limit else { return }
    // Else every thread would take 64 MiB of addresses for small things.
    mallopt(M_ARENA_MAX, 1)
    guard !AddressSpace.hasRoom(for: leastBytes) else { return }
    let needed = (AddressSpace.mappedBytes + leastBytes) >> 20 + 17
    Console(style: .plain).problem(
      "Error: the limit on address space (ulimit -v) is \(limit >> 20) MiB, and the program needs \(needed) MiB before any model. "
        + "Raise it.")
    exit(EXIT_FAILURE)
  }

  /// What the program itself takes once it has begun: threads, words.
  private static let leastBytes = 24 << 20

  /// - Parameter finish: is given the error, and may say it in another way too and put things in order.
  static func handle(on console: Console, finish: @escaping @Sendable (OutOfMemoryError) -> Void = { _ in }) {
    OutOfMemory.handle { bytes in
      let error = OutOfMemoryError(bytes: bytes, limit: AddressSpace.limit)
      console.problem("Error: \(error)")
      finish(error)
      _exit(EXIT_FAILURE)
    }
  }
}

/// Memory that was not to be had.
struct OutOfMemoryError: CodedError, CustomStringConvertible {
  let bytes: Int
  /// On address space, in bytes.
  let limit: Int?

  var code: String { "not-enough-memory" }

  var description: String {
    let needed = "out of memory: \(max(1, bytes >> 20)) MiB more are not to be had"
    guard let limit else {
      return needed + ". End other programs, or use a smaller model, a shorter --segment or fewer jobs (-j)."
    }
    return needed
      + " below the limit on address space (ulimit -v) of \(limit >> 20) MiB. Raise it, or use a smaller model, "
      + "a shorter --segment or fewer jobs (-j)."
  }
}
