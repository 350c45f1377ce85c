import AudioFiles
import Glibc

/// Patterns of file names that no shell has expanded.
enum Glob {
  /// Whether a path has a character of a pattern.
  static func isPattern(_ path: FilePath) -> Bool {
    path.bytes.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
  }

  /// What a pattern stands for, as in a shell: in the order of the names' bytes, without hidden names.
  static func expand(_ pattern: FilePath) -> [FilePath] {
    var result = glob_t()
    defer { globfree(&result) }
    guard pattern.call({ glob($0, GLOB_NOSORT, nil, &result) }) == 0, let paths = result.gl_pathv else { return [] }
    return (0..<Int(result.gl_pathc))
      .compactMap { paths[$0].map { FilePath(cString: $0) } }
      .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }
}
