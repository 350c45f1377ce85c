import Foundation

/// The checksums of the files of a folder, in its file `SHA256SUMS`, which `sha256sum -c` reads too.
public struct ChecksumList {
  private let folder: String
  private var path: String { folder + "/SHA256SUMS" }

  public init(folder: String) { self.folder = folder }

  /// The SHA-256 that the list has for a file; nil if it has none.
  public subscript(name: String) -> String? {
    lines.lazy.compactMap(ChecksumList.parse).first { $0.name == name }?.checksum
  }

  /// Adds or replaces the line of a file.
  /// - Throws: `DownloadError.unwritable`.
  func record(_ checksum: String, of name: String) throws {
    let kept = lines.filter { ChecksumList.parse($0)?.name != name }
    let text = (kept + ["\(checksum)  \(name)"]).map { $0 + "\n" }.joined()
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw DownloadError.unwritable(path: path, reason: (error as NSError).localizedDescription)
    }
  }

  private var lines: [String] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    return text.split(whereSeparator: \.isNewline).map(String.init)
  }

  private static func parse(_ line: String) -> (checksum: String, name: String)? {
    let parts = line.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].utf8.count == 64, Checksum.isPrefix(parts[0].lowercased()) else { return nil }
    // A star marks a file that was read as binary.
    return (parts[0].lowercased(), String(parts[1].drop { $0 == " " || $0 == "*" }))
  }
}

extension Checksum {
  /// What is known of a file's SHA-256, or of its beginning, and who says so: the file's name, the list of its folder, or
  /// the cache of the Hugging Face hub, whose files are links to what is named by its checksum.
  public static func expected(of path: String) -> (checksum: String, by: String)? {
    if let prefix = prefix(inNameOf: path) { return (prefix, "its name") }
    let folder = (path as NSString).deletingLastPathComponent
    if let listed = ChecksumList(folder: folder.isEmpty ? "." : folder)[fileName(path)] {
      return (listed, "SHA256SUMS")
    }
    if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path), target.contains("/blobs/"),
      fileName(target).utf8.count == 64, isPrefix(fileName(target))
    {
      return (fileName(target), "the cache of the hub")
    }
    return nil
  }
}
