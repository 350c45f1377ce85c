import Foundation

/// The folders in which models are looked for by name, in order.
///
/// 1. the folder that the caller names;
/// 2. `$DEMUCS_CLI_MODELS`;
/// 3. `$XDG_DATA_HOME/demucs-cli/models`, by default `~/.local/share/demucs-cli/models`;
/// 4. `../share/demucs-cli/models` and `models` beside the executable, wherever that was installed;
/// 5. for a development build, `models` of the package that the executable was built in;
/// 6. PyTorch's checkpoints, where demucs keeps what it fetched from the legacy host;
/// 7. the cache of the Hugging Face hub, where demucs 4.1 keeps what it fetched.
public struct ModelFolders: Sendable, Equatable {
  /// The folders 1 to 5, none twice. Not all need exist.
  public let paths: [String]
  /// `$TORCH_HOME/hub/checkpoints`, by default `~/.cache/torch/hub/checkpoints`.
  public let torchCheckpoints: String?
  /// `$HF_HUB_CACHE`, by default `$HF_HOME/hub` or `~/.cache/huggingface/hub`.
  public let hubCache: String?
  /// Where models that are fetched or imported go: the first of the folders 1 to 3.
  public let target: String?

  /// - Parameters:
  ///   - modelsDirectory: a folder to look in before all others.
  ///   - environment: the variables of the process.
  ///   - executable: path of the running executable, symbolic links resolved.
  public init(
    modelsDirectory: String? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    executable: String? = ModelFolders.runningExecutable
  ) {
    /// A variable that is set to nothing counts as not set.
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// A base directory; by the XDG specification, a relative path in the variable is to be ignored.
    func base(_ name: String, below home: String) -> String? {
      variable(name).flatMap { $0.hasPrefix("/") ? $0 : nil } ?? variable("HOME").map { $0 + home }
    }
    /// A path in a variable, where Python expands `~`.
    func path(_ name: String) -> String? {
      variable(name).map { $0.hasPrefix("~/") ? (variable("HOME") ?? "~") + $0.dropFirst() : $0 }
    }

    var paths = [modelsDirectory, variable("DEMUCS_CLI_MODELS")].compactMap(\.self)
    if let data = base("XDG_DATA_HOME", below: "/.local/share") { paths.append(data + "/demucs-cli/models") }
    target = paths.first
    let cache = base("XDG_CACHE_HOME", below: "/.cache")
    torchCheckpoints = (path("TORCH_HOME") ?? cache.map { $0 + "/torch" }).map { $0 + "/hub/checkpoints" }
    hubCache =
      path("HF_HUB_CACHE") ?? path("HUGGINGFACE_HUB_CACHE")
      ?? (path("HF_HOME") ?? cache.map { $0 + "/huggingface" }).map { $0 + "/hub" }
    if let executable {
      let folder = URL(fileURLWithPath: executable).deletingLastPathComponent()
      let prefix = folder.deletingLastPathComponent()
      paths.append(prefix.appendingPathComponent("share/demucs-cli/models").path)
      paths.append(folder.appendingPathComponent("models").path)
      if let package = ModelFolders.package(around: folder.path) { paths.append(package + "/models") }
    }
    var seen: Set<String> = []
    self.paths = paths.filter { seen.insert($0).inserted }
  }

  /// Path of the running executable, symbolic links resolved; nil where the system does not tell.
  public static var runningExecutable: String? {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? Bundle.main.executableURL?.resolvingSymlinksInPath().path
  }

  /// The closest folder at or above `folder` that has a `Package.swift` and a folder `models`.
  private static func package(around folder: String) -> String? {
    var url = URL(fileURLWithPath: folder)
    while true {
      if isFile(url.path + "/Package.swift"), isFolder(url.path + "/models") { return url.path }
      let parent = url.deletingLastPathComponent()
      if parent.path == url.path || url.path == "/" { return nil }
      url = parent
    }
  }
}

extension ModelFolders {
  /// All places, as a message names them.
  public var all: [String] { paths + [torchCheckpoints, hubCache].compactMap(\.self) }
}

func isFolder(_ path: String) -> Bool {
  var isFolder: ObjCBool = false
  return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}

/// Whether there is something at `path` that is not a folder; follows symbolic links.
func isFile(_ path: String) -> Bool {
  var isFolder: ObjCBool = false
  return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
}
