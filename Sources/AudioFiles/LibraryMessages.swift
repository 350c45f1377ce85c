import CSndfile

/// What the libraries print of themselves: libmpg123 a line for each oddity of a file on standard error, libsndfile some on
/// standard output, where paths or JSON are expected. No setting of libsndfile's keeps either back.
package enum LibraryMessages {
  /// Drops it from now on, and with it everything that this process writes through C's streams; what goes straight to the
  /// descriptors does not. For a program that has one thread yet.
  /// - Parameter errors: whether standard error is meant too.
  package static func discard(errors: Bool = true) { standard_streams_discard(errors ? 1 : 0) }

  /// Ends that.
  package static func restore() { standard_streams_restore() }
}
