import Synchronization

/// What happens where the system gives no more memory: the program ends, and may have a last word.
package enum OutOfMemory {
  private static let handler = Mutex<(@Sendable (_ bytes: Int) -> Never)?>(nil)

  /// Has `handle` called, on any thread, with the number of bytes that were not to be had. There is room for its words.
  /// Without it the program traps, as it does where an allocation of Swift's fails.
  package static func handle(_ handle: @escaping @Sendable (_ bytes: Int) -> Never) { handler.withLock { $0 = handle } }

  /// Ends the program, where there is a limit on address space, if it leaves no room for `bytes`: before what would trap, or
  /// wait for ever.
  package static func expect(_ bytes: Int) {
    if AddressSpace.isLimited, !AddressSpace.hasRoom(for: bytes) { end(bytes: bytes) }
  }

  /// Ends the program.
  static func end(bytes: Int) -> Never {
    // Held to the end: one thread alone has its say.
    handler.withLock { handle in
      if let handle { handle(bytes) }
    }
    preconditionFailure("out of memory: \(bytes) bytes are not to be had")
  }
}
