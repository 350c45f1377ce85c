import AudioFiles
import Glibc

/// Tells which paths lead to one place, however they are spelled, and whether anything is there or not.
///
/// A folder that is there is told by its inode, so that links to it and detours make no difference; one that is not, by
/// its names below the innermost that is there. A link in the place of the file itself is not followed: a stem that is put
/// there replaces the link.
package struct FilePlaces {
  /// A name in a folder.
  package struct Place: Hashable {
    fileprivate let folder: Int
    fileprivate let name: ArraySlice<UInt8>
  }

  private enum Folder: Hashable {
    case existing(FileIdentity)
    case missing(Place)
  }

  /// Folders by their number, and their numbers.
  private var folders: [Folder] = []
  private var numbers: [Folder: Int] = [:]
  /// Paths of those that are there.
  private var paths: [Int: FilePath] = [:]
  /// Numbers of what was looked for in folders that are there.
  private var found: [Place: Int] = [:]
  /// Files of one folder mostly come one after another.
  private var last: (path: ArraySlice<UInt8>, number: Int)?

  package init() {}

  /// The place that the path of a file leads to.
  package mutating func place(of path: FilePath) -> Place {
    let nameStart = nameStart(of: path)
    return Place(folder: folderNumber(of: path, nameStart), name: path.bytes[nameStart...])
  }

  /// What lies at a path, links followed; nil if nothing does. Where its folder is not there the system is not asked.
  ///
  /// A path may lead through folders that are yet to be made and out of them again, as `new/../song.wav` does.
  mutating func file(at path: FilePath) -> FileIdentity? {
    let nameStart = nameStart(of: path)
    guard let folder = paths[folderNumber(of: path, nameStart)] else { return nil }
    return FileIdentity(folder.appending(FilePath(bytes: path.bytes[nameStart...])))
  }

  private func nameStart(of path: FilePath) -> Int { (path.bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1 }

  private mutating func folderNumber(of path: FilePath, _ nameStart: Int) -> Int {
    let folder = path.bytes[..<nameStart]
    if let last, last.path == folder { return last.number }
    // The innermost folder that is there.
    var existing: FilePath = path.isAbsolute ? "/" : "."
    var number = self.number(of: Place(folder: -1, name: existing.bytes[...]), at: existing)
    for part in FilePath(bytes: folder).parts {
      if case .missing(let place) = folders[number] {
        number =
          part.elementsEqual("..".utf8)
          ? max(0, place.folder) : self.number(of: .missing(Place(folder: number, name: part)))
      } else {
        let next = existing.appending(FilePath(bytes: part))
        number = self.number(of: Place(folder: number, name: part), at: next)
        if case .existing = folders[number] { existing = next }
      }
    }
    last = (folder, number)
    return number
  }

  /// The number of a folder in one that is there.
  private mutating func number(of place: Place, at path: FilePath) -> Int {
    if let number = found[place] { return number }
    let identity = FileIdentity(path)
    let number = self.number(of: identity.map(Folder.existing) ?? .missing(place))
    found[place] = number
    if identity != nil { paths[number] = path }
    return number
  }

  private mutating func number(of folder: Folder) -> Int {
    if let number = numbers[folder] { return number }
    numbers[folder] = folders.count
    folders.append(folder)
    return folders.count - 1
  }
}

/// By what the system tells files: all names and links of one file have one.
struct FileIdentity: Hashable {
  private let device: dev_t
  private let inode: ino_t

  /// nil if nothing is there.
  init?(_ path: FilePath) {
    var status = stat()
    guard path.call({ stat($0, &status) }) == 0 else { return nil }
    (device, inode) = (status.st_dev, status.st_ino)
  }

  /// Of an open file; nil of what is no regular one, and so has no place that a stem could take.
  init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    (device, inode) = (status.st_dev, status.st_ino)
  }
}
