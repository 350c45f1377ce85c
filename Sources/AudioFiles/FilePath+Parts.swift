import Glibc

/// Parts of paths, found in the bytes: `String` would not see a slash that a combining mark follows.
extension FilePath {
  private static let slash = UInt8(ascii: "/")

  /// Parts between slashes; empty ones and "." say nothing and are left out.
  package var parts: [ArraySlice<UInt8>] {
    bytes.split(separator: FilePath.slash).filter { !$0.elementsEqual(".".utf8) }
  }

  /// Whether the path begins at the root.
  package var isAbsolute: Bool { bytes.first == FilePath.slash }

  /// The last part: "b" of "a/b" and "a/b/"; the path itself if it has none.
  public var name: FilePath {
    bytes.split(separator: FilePath.slash).last.map { FilePath(bytes: $0) } ?? self
  }

  /// What stands before the last slash: the folder that a file lies in; "." for a bare name.
  public var folder: FilePath {
    guard let last = bytes.lastIndex(of: FilePath.slash) else { return "." }
    return last == 0 ? "/" : FilePath(bytes: bytes[..<last])
  }

  /// A path below this one; its empty and "." parts are left out, so that it cannot become absolute.
  public func appending(_ name: FilePath) -> FilePath {
    var base = bytes
    while base.count > 1, base.last == FilePath.slash { base.removeLast() }
    if !base.isEmpty, base != [FilePath.slash] { base.append(FilePath.slash) }
    return FilePath(bytes: base + name.parts.joined(separator: [FilePath.slash]))
  }

  /// The path without detours, which neither begins at the root nor leads out of where it begins: what is made of it lies
  /// below the folder that it is appended to. Only the text is looked at.
  package var confined: FilePath {
    var kept: [ArraySlice<UInt8>] = []
    for part in parts {
      if part.elementsEqual("..".utf8) { _ = kept.popLast() } else { kept.append(part) }
    }
    return FilePath(bytes: kept.joined(separator: [FilePath.slash]))
  }

  /// The path as text; nil where its bytes are not UTF-8.
  public var string: String? { String(validating: bytes, as: UTF8.self) }
}

extension FilePath {
  /// Calls the system with the path.
  /// - Returns: what `body` returns; -1 with `EINVAL` in `errno` for a path that is no C string.
  package func call(_ body: (UnsafePointer<CChar>) -> Int32) -> Int32 {
    guard let result = withCString(body) else {
      errno = EINVAL
      return -1
    }
    return result
  }
}
