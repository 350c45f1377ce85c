import Foundation

/// Where the stems of a track go: `OUT/MODEL/` and a file name made from a template, as in `demucs`.
public struct OutputLayout: Equatable, Sendable {
  /// Folder of all output of one model.
  public let folder: String
  public private(set) var template: FilenameTemplate
  /// Extension of the files written, without a dot.
  public let fileExtension: String

  /// - Parameters:
  ///   - root: `--out`.
  ///   - model: name of the model; a slash in it becomes an underscore, as in `demucs`.
  public init(
    root: String, model: String, template: FilenameTemplate = .standard, fileExtension: String = "wav"
  ) {
    let name = model.replacing("/", with: "_")
    folder = OutputLayout.join(root, ["", ".", ".."].contains(name) ? "_" : name)
    self.template = template
    self.fileExtension = fileExtension
  }

  /// The file of one stem of a track.
  /// - Parameters:
  ///   - track: path of the song.
  ///   - stem: name of the stem; it comes out of a model file, so it is checked.
  /// - Throws: `OutputError.unusableStemName`, `wrongExtension`.
  public func path(track: String, stem: String) throws -> String {
    guard !stem.isEmpty, stem != ".", stem != "..", !stem.contains(where: { $0 == "/" || $0 == "\0" }) else {
      throw OutputError.unusableStemName(stem)
    }
    let file = track.split(separator: "/").last.map(String.init) ?? track
    let name = template.resolve(file: file, stem: stem, fileExtension: fileExtension)
    let path = OutputLayout.join(template.isAbsolute ? "/" : folder, name)
    guard path.lowercased().hasSuffix("." + fileExtension.lowercased()) else {
      throw OutputError.wrongExtension(path: path, expected: fileExtension)
    }
    return path
  }

  /// The first group of tracks that would write the same files, in the order given; `nil` if each has its own.
  public func firstCollision(of tracks: [String]) throws -> OutputCollision? {
    // Any stem will do: those of one track differ among themselves.
    let outputs = try tracks.map { try path(track: $0, stem: "{stem}") }
    let groups = Dictionary(grouping: tracks.indices) { outputs[$0] }
    for (index, output) in outputs.enumerated() {
      guard let group = groups[output], group.count > 1, group[0] == index else { continue }
      let collided = group.map { tracks[$0] }
      return OutputCollision(output: output, tracks: collided, remedy: try remedy(for: collided))
    }
    return nil
  }

  /// A file name that tells `tracks` apart, if their extensions do.
  private func remedy(for tracks: [String]) throws -> String? {
    let text = "{track}.{trackext}/{stem}.{ext}"
    var layout = self
    layout.template = try FilenameTemplate(text)
    return Set(try tracks.map { try layout.path(track: $0, stem: "{stem}") }).count == tracks.count
      ? text : nil
  }

  /// Finds out, before hours of work, whether files could be written at `paths`. Creates nothing.
  /// - Throws: `OutputError.notAFolder`, `notWritable`.
  public static func checkWritable(_ paths: [String]) throws {
    for folder in Set(paths.map(OutputLayout.folder(of:))) {
      let existing = existingFolder(around: folder)
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: existing, isDirectory: &isFolder)
      if exists, !isFolder.boolValue { throw OutputError.notAFolder(path: existing) }
      guard access(existing, W_OK | X_OK) == 0 else {
        throw OutputError.notWritable(path: existing, reason: String(cString: strerror(errno)))
      }
    }
  }

  /// The folder itself, or the innermost around it that is there.
  static func existingFolder(around folder: String) -> String {
    var existing = folder
    while access(existing, F_OK) != 0, [ENOENT, ENOTDIR].contains(errno), existing != "/", existing != "." {
      existing = OutputLayout.folder(of: existing)
    }
    return existing
  }

  /// The folder that a file lies in; "." for a bare name.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// A path below `root`; empty and "." parts of `name` are left out, so that it cannot become absolute.
  private static func join(_ root: String, _ name: String) -> String {
    let parts = name.split(separator: "/").filter { $0 != "." }
    var base = Substring(root)
    while base.count > 1, base.hasSuffix("/") { base.removeLast() }
    return (base == "/" ? "/" : base.isEmpty ? "" : base + "/") + parts.joined(separator: "/")
  }
}

/// Tracks that would write the same files.
public struct OutputCollision: Equatable, Sendable, CustomStringConvertible {
  /// A path that each would write; `{stem}` in it stands for every stem.
  public let output: String
  /// The songs, in the order given.
  public let tracks: [String]

  /// A file name template that tells the songs apart; `nil` if only another folder does.
  public let remedy: String?

  public var description: String {
    let way =
      remedy.map { "Tell them apart with --filename '\($0)'." }
      ?? "Their names are the same: separate them in calls of their own, each with its --out or --filename."
    return "\(tracks.joined(separator: " and ")) would all write \(output). \(way)"
  }
}
