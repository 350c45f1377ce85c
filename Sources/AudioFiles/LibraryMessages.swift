import CSndfile
import Synchronization

/// What the libraries print of themselves: libmpg123 a line for each oddity of a file on standard error, libsndfile some on
/// standard output, where paths or JSON are expected. No setting of libsndfile's keeps either back.
package enum LibraryMessages {
  /// The streams of the start, while others are in their place.
  private static let originals = Mutex<standard_streams?>(nil)

  /// Drops it from now on, and with it everything that this process writes through C's streams; what goes straight to the
  /// descriptors does not. For a program that has one thread yet.
  /// - Parameter errors: whether standard error is meant too.
  package static func discard(errors: Bool = true) {
    originals.withLock { originals in
      guard originals == nil, let nothing = fopen("/dev/null", "we") else { return }
      let streams = standard_streams_now()
      originals = streams
      standard_streams_set(standard_streams(output: nothing, errors: errors ? nothing : streams.errors))
    }
  }

  /// Ends that.
  package static func restore() {
    originals.withLock { originals in
      guard let streams = originals else { return }
      originals = nil
      standard_streams_set(streams)
    }
  }
}
