/// Parts of a path, by its slashes and dots alone. Foundation's own of `NSString` end the program on Linux for names of one
/// character.
package enum PathParts {
  /// The last component.
  package static func file(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

  /// What comes before the last component; empty if it is the only one.
  package static func folder(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }

  /// What follows the last dot of the last component; empty without one, and for hidden files.
  package static func fileExtension(_ path: String) -> String {
    let file = file(path)
    guard let dot = file.lastIndex(of: "."), dot != file.startIndex else { return "" }
    return String(file[file.index(after: dot)...])
  }

  /// The path without that extension and its dot.
  package static func withoutExtension(_ path: String) -> String {
    let suffix = fileExtension(path)
    return suffix.isEmpty ? path : String(path.dropLast(suffix.count + 1))
  }

  /// A path in a folder.
  package static func join(_ folder: String, _ name: String) -> String {
    folder.isEmpty ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }
}
