import Foundation

/// A folder of its own for one test, symbolic links resolved; removed when the test is over.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("demucs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.resolvingSymlinksInPath().path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, and the folders above it.
  @discardableResult func write(_ file: String, _ text: String = "") throws -> String {
    try write(file, Data(text.utf8))
  }

  @discardableResult func write(_ file: String, _ data: Data) throws -> String {
    let url = URL(fileURLWithPath: path + "/" + file)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
    return url.path
  }

  /// Names of all files below the folder.
  var files: [String] { ((try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []).sorted() }

  func bytes(_ file: String) -> Data? { FileManager.default.contents(atPath: path + "/" + file) }
}
