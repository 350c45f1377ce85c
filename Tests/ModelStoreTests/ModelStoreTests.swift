import Foundation
import ModelStore
import Testing

@Suite final class ModelStoreTests {
  /// A folder of its own for one test, symbolic links resolved.
  let top: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("demucs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    top = url.resolvingSymlinksInPath().path
  }

  deinit { try? FileManager.default.removeItem(atPath: top) }

  /// Makes an empty file, and the folders above it, below `top`.
  @discardableResult
  private func touch(_ file: String) throws -> String {
    let url = URL(fileURLWithPath: top + "/" + file)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data().write(to: url)
    return url.path
  }

  private func folders(
    _ directory: String? = nil, _ environment: [String: String] = [:], executable: String? = nil
  ) -> ModelFolders {
    ModelFolders(modelsDirectory: directory, environment: environment, executable: executable)
  }

  @Test func foldersInOrder() throws {
    let executable = try touch("package/.build/x86_64-unknown-linux-gnu/release/demucs-cli")
    try touch("package/Package.swift")
    try touch("package/models/open_6s.safetensors")
    let environment = ["DEMUCS_CLI_MODELS": "/e", "XDG_DATA_HOME": "/x", "HOME": "/home/u"]
    #expect(
      folders("/p", environment, executable: executable).paths == [
        "/p", "/e", "/x/demucs-cli/models",
        top + "/package/.build/x86_64-unknown-linux-gnu/share/demucs-cli/models",
        top + "/package/.build/x86_64-unknown-linux-gnu/release/models",
        top + "/package/models",
      ])
  }

  @Test func homeStandsInForDataHome() {
    let expected = ["/home/u/.local/share/demucs-cli/models"]
    #expect(folders(nil, ["HOME": "/home/u"]).paths == expected)
    #expect(
      folders(nil, ["HOME": "/home/u", "XDG_DATA_HOME": "", "DEMUCS_CLI_MODELS": ""]).paths == expected)
    #expect(folders(nil, ["HOME": "/home/u", "XDG_DATA_HOME": "relative"]).paths == expected)
    #expect(folders().paths == [])
  }

  @Test func foldersAreNamedOnce() {
    #expect(folders("/p", ["DEMUCS_CLI_MODELS": "/p"]).paths == ["/p"])
  }

  /// A package without models, such as one that only uses the library, is passed over.
  @Test func packageNeedsModels() throws {
    try touch("outer/Package.swift")
    try touch("outer/models/m.safetensors")
    try touch("outer/inner/Package.swift")
    let executable = try touch("outer/inner/.build/release/tool")
    #expect(folders(executable: executable).paths.last == top + "/outer/models")
    #expect(folders(executable: "/tool").paths == ["/share/demucs-cli/models", "/models"])
  }

  @Test func installedModelIsFoundBesideItsExecutable() throws {
    let model = try touch("usr/share/demucs-cli/models/m.safetensors")
    let found = try ModelStore.locate("m", in: folders(executable: top + "/usr/bin/demucs-cli"))
    #expect(found == ModelLocation(name: "m", path: model))
  }

  @Test func firstFolderWins() throws {
    try touch("b/m.safetensors")
    let folders = folders(top + "/a", ["DEMUCS_CLI_MODELS": top + "/b"])
    #expect(try ModelStore.locate("m", in: folders).path == top + "/b/m.safetensors")
    try touch("a/m.safetensors")
    #expect(try ModelStore.locate("m", in: folders).path == top + "/a/m.safetensors")
  }

  /// The test runner lies in the package's build folder, as a development build does.
  @Test func embeddedModelOfThisPackage() throws {
    let found = try ModelStore.locate()
    #expect(found.name == ModelStore.defaultModelName)
    #expect(found.path.hasSuffix("/open_6s.safetensors"))
    #expect(ModelStore.available().contains(found))
  }

  @Test func runningExecutableIsARealFile() throws {
    let executable = try #require(ModelFolders.runningExecutable)
    #expect(FileManager.default.isExecutableFile(atPath: executable))
  }

  @Test func models() throws {
    try touch("a/b.safetensors")
    try touch("a/a.safetensors")
    try touch("a/notes.md")
    try touch("a/c.safetensors/not a file")
    try touch("b/b.safetensors")
    let folders = folders(top + "/a", ["DEMUCS_CLI_MODELS": top + "/b"])
    #expect(
      ModelStore.available(in: folders) == [
        ModelLocation(name: "a", path: top + "/a/a.safetensors"),
        ModelLocation(name: "b", path: top + "/a/b.safetensors"),
      ])
  }

  @Test func pathsNeedNoFolder() throws {
    let path = try touch("my.model.v2.safetensors")
    #expect(try ModelStore.locate(path, in: folders()) == ModelLocation(name: "my.model.v2", path: path))
    let upper = try touch("LOUD.SAFETENSORS")
    #expect(try ModelStore.locate(upper, in: folders()).name == "LOUD")
    #expect(try ModelStore.locate(touch("x/.safetensors"), in: folders()).name == "model")
    for suffix in ["th", "pt", "PTH", "ckpt"] {
      let path = try touch("5c90dfd2-34c22ccb.\(suffix)")
      #expect(try ModelStore.locate(path, in: folders()) == ModelLocation(name: "5c90dfd2-34c22ccb", path: path))
    }
  }

  /// `m.safetensors` without a folder is a file of the working directory, not a name.
  @Test func fileNameIsAPath() throws {
    try touch("a/m.safetensors")
    #expect(throws: ModelStoreError.noFile(path: "m.safetensors")) {
      try ModelStore.locate("m.safetensors", in: folders(top + "/a"))
    }
  }

  @Test func whatIsNoModelFile() throws {
    #expect(throws: ModelStoreError.emptyName) { try ModelStore.locate("", in: folders()) }
    #expect(throws: ModelStoreError.noFile(path: top + "/no.safetensors")) {
      try ModelStore.locate(top + "/no.safetensors", in: folders())
    }
    #expect(throws: ModelStoreError.folder(path: top)) { try ModelStore.locate(top, in: folders()) }
    #expect(throws: ModelStoreError.noFolder(path: top + "/no")) {
      try ModelStore.locate("open_6s", modelsDirectory: top + "/no")
    }
  }

  /// What is in a file decides, not what it is called.
  @Test(arguments: ["5c90dfd2-34c22ccb.th", "a.pt", "a.ckpt", "x/model", "a.onnx"])
  func anyFileIsAModel(file: String) throws {
    let path = try touch(file)
    #expect(try ModelStore.locate(path, in: folders()).members == [path])
  }

  @Test(arguments: [
    ("a/5c90dfd2-34c22ccb.th", "5c90dfd2-34c22ccb"), ("m.safetensors", "m"), ("x/.safetensors", "model"),
    ("htdemucs_6s", "htdemucs_6s"), ("x/bag.yaml", "bag"), ("a.b/c.d", "c.d"),
  ])
  func namesOfResults(given: String, name: String) { #expect(ModelStore.displayName(given) == name) }

  @Test(arguments: [
    ("nonsense", "nonsense.safetensors, nonsense.th, nonsense.pt, nonsense.yaml", "Check the name"),
    (
      "htdemucs_6s",
      "htdemucs_6s.safetensors, htdemucs_6s.th, htdemucs_6s.pt, htdemucs_6s.yaml, 5c90dfd2.safetensors, "
        + "5c90dfd2-34c22ccb.th",
      "Fetch it with: demucs-cli models download htdemucs_6s --accept-license."
    ),
    ("mdx_q", "mdx_q.safetensors, mdx_q.th, mdx_q.pt, mdx_q.yaml", "It is a bag of quantised older networks"),
  ])
  func unknownName(name: String, files: String, hint: String) throws {
    try touch("b/other.safetensors")
    let folders = folders(top + "/a", ["DEMUCS_CLI_MODELS": top + "/b", "HOME": "/nowhere"])
    let error = #expect(throws: ModelStoreError.self) { try ModelStore.locate(name, in: folders) }
    let message = try #require(error).description
    #expect(
      message.contains(
        "\"\(name)\": looked for \(files) in \(top)/a, \(top)/b, /nowhere/.local/share/demucs-cli/models, "
          + "/nowhere/.cache/torch/hub/checkpoints, /nowhere/.cache/huggingface/hub. "))
    #expect(message.contains(hint), "\(message)")
    #expect(message.hasSuffix("Models found: other."))
  }
}
