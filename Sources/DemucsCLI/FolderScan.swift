import AudioFiles
import Glibc

/// The audio files below a folder, in the order of their names' bytes.
///
/// Left out are hidden files and folders, files of other extensions, folders of results, and what is no file. Links to files
/// are taken; links to folders are not followed, so that no folder is met twice.
struct FolderScan {
  /// Extensions of sound, in lower case. Videos are separated when they are named.
  static let extensions: Set<String> = [
    "8svx", "aac", "ac3", "aif", "aifc", "aiff", "alac", "amr", "ape", "au", "avr", "caf", "dff", "dsf", "dts", "eac3",
    "flac", "iff", "m4a", "m4b", "mka", "mp1", "mp2", "mp3", "mpc", "oga", "ogg", "opus", "paf", "ra", "rf64", "sd2",
    "sf", "snd", "spx", "svx", "tak", "tta", "voc", "w64", "wav", "wave", "weba", "wma", "wv", "xi",
  ]

  /// What was found below one folder.
  struct Finding {
    /// Paths below the folder.
    var files: [FilePath] = []
    /// Folders below it that could not be read, and why.
    var unreadable: [(folder: FilePath, code: Int32)] = []
    var (hidden, otherFiles, links) = (0, 0, 0)
    var results: [FilePath] = []

    /// What was left out; nil if nothing was.
    var omissions: String? {
      var parts: [String] = []
      func add(_ count: Int, _ one: String, _ many: String) {
        if count > 0 { parts.append(count == 1 ? "1 \(one)" : "\(count) \(many)") }
      }
      add(otherFiles, "file that has no extension of sound", "files that have no extension of sound")
      add(hidden, "hidden name", "hidden names")
      add(links, "link to a folder", "links to folders")
      parts += results.map { "the results in \($0)" }
      return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
  }

  private struct Identity: Hashable {
    let device: dev_t
    let number: ino_t

    init(_ status: stat) { (device, number) = (status.st_dev, status.st_ino) }
  }

  private let results: Set<Identity>

  /// - Parameter results: folders whose files are no songs, but where a scan begins.
  init(leavingOut results: [FilePath]) {
    self.results = Set(
      results.compactMap { path in
        var status = stat()
        return path.call { stat($0, &status) } == 0 ? Identity(status) : nil
      })
  }

  /// Looks at everything below a folder.
  func scan(_ root: FilePath) -> Finding {
    var finding = Finding()
    // Folders still to look at and files between them, the next one last.
    var pending: [(path: FilePath, isFolder: Bool)] = [("", true)]
    while let next = pending.popLast() {
      guard next.isFolder else {
        finding.files.append(next.path)
        continue
      }
      switch FolderScan.names(in: root.appending(next.path)) {
      case .failure(let error): finding.unreadable.append((next.path, error.code))
      case .success(let names):
        pending += names.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }.reversed().compactMap { name in
          let path = next.path.appending(name)
          return isFolder(name, at: root.appending(path), &finding).map { (path, $0) }
        }
      }
    }
    return finding
  }

  /// Whether a name is that of a folder to look into; nil for one that is left out.
  private func isFolder(_ name: FilePath, at path: FilePath, _ finding: inout Finding) -> Bool? {
    if name.bytes.first == UInt8(ascii: ".") {
      finding.hidden += 1
      return nil
    }
    var status = stat()
    guard path.call({ lstat($0, &status) }) == 0 else { return false }
    let isLink = status.st_mode & S_IFMT == S_IFLNK
    // A link that leads nowhere is a song that is not there.
    if isLink, path.call({ stat($0, &status) }) != 0 { status.st_mode = S_IFREG }
    switch status.st_mode & S_IFMT {
    case S_IFDIR where isLink: finding.links += 1
    case S_IFDIR where results.contains(Identity(status)): finding.results.append(path)
    case S_IFDIR: return true
    case S_IFREG where FolderScan.hasExtensionOfSound(name): return false
    default: finding.otherFiles += 1
    }
    return nil
  }

  static func hasExtensionOfSound(_ name: FilePath) -> Bool {
    guard let dot = name.bytes.lastIndex(of: UInt8(ascii: ".")) else { return false }
    return extensions.contains(String(decoding: name.bytes[(dot + 1)...], as: UTF8.self).lowercased())
  }

  private static func names(in folder: FilePath) -> Result<[FilePath], SystemError> {
    guard let stream = folder.withCString({ opendir($0) }) ?? nil else { return .failure(SystemError(code: errno)) }
    defer { closedir(stream) }
    var names: [FilePath] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { FilePath(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    return errno == 0 ? .success(names) : .failure(SystemError(code: errno))
  }
}
