import Foundation
import LoopbackServer
import ModelStore
import Testing

/// The registry: the file of the repository, the executable's copy of it, rows of one's own.
struct RegistryTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func folders() -> ModelFolders {
    ModelFolders(modelsDirectory: folder.path, environment: [:], executable: nil)
  }

  @Test func everyRowIsWhole() throws {
    let registry = try Registry.embedded.get()
    let names = registry.entries.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(
      Set(names).isSuperset(of: ["open_6s", "htdemucs", "htdemucs_ft", "htdemucs_6s", "hdemucs_mmi", "mdx_extra"]))
    for entry in registry.entries where entry.unsupported == nil {
      #expect(entry.summary != nil && entry.sources != nil, "\(entry.name)")
      guard let models = entry.models else {
        #expect(entry.embedded == true, "\(entry.name)")
        continue
      }
      #expect(entry.hub != nil && registry.licence(of: entry) != nil, "\(entry.name)")
      #expect(entry.legacy?.count == Set(models).count, "\(entry.name)")
      if let weights = entry.weights { #expect(weights.allSatisfy { $0.count == entry.sources?.count }) }
      // Whatever the registry knows can be fetched.
      _ = try ModelDownload(entry.name, registry: registry, to: folder.path, environment: [:])
    }
  }

  /// A model is added by adding a row, without building anything.
  @Test func rowsOfAFolderGoFirst() throws {
    try folder.write(
      "registry.json",
      #"{"version": 1, "models": [{"name": "mine", "models": ["abcd"], "segment": 3}, {"name": "htdemucs", "unsupported": "x"}]}"#
    )
    let registry = try Registry(folders())
    #expect(registry["mine"]?.segment == 3 && registry["htdemucs"]?.unsupported == "x")
    #expect(registry["htdemucs_6s"]?.models == ["5c90dfd2"])
    let path = try folder.write("abcd.safetensors")
    #expect(
      try ModelStore.locate("mine", in: folders())
        == ModelLocation(name: "mine", path: path, members: [path], segment: 3))
  }

  @Test(arguments: [
    ("{", "not JSON"), ("{}", "\"version\" is missing"), (#"{"version": 2, "models": []}"#, "version 2"),
    (#"{"version": 1, "models": [{}]}"#, "\"name\" is missing in models.[0]"),
    (#"{"version": 1, "models": [{"name": "../x"}]}"#, "contradicts itself"),
    (#"{"version": 1, "models": [{"name": "x", "models": ["a/b"]}]}"#, "contradicts itself"),
    (#"{"version": 1, "models": [{"name": "x", "models": ["a"], "legacy": ["a.th"]}]}"#, "contradicts itself"),
    (#"{"version": 1, "models": [{"name": "x", "models": 3}]}"#, "wrong type in models.[0].models"),
  ])
  func brokenFiles(text: String, words: String) throws {
    let path = try folder.write("registry.json", text)
    let error = try #require(#expect(throws: ModelStoreError.self) { try Registry(folders()) })
    #expect(error.description.hasPrefix(path + ": ") && error.description.contains(words), "\(error)")
    // What is there is found all the same.
    let model = try folder.write("m.safetensors")
    #expect(try ModelStore.locate("m", in: folders()).path == model)
  }

  private func download(
    _ name: String, _ environment: [String: String], base: String? = nil,
    sources: [ModelDownload.Source] = ModelDownload.Source.allCases
  ) throws -> [String] {
    try ModelDownload(
      name, registry: Registry.embedded.get(), to: folder.path, sources: sources, base: base, environment: environment,
      downloader: Downloader(firstDelay: 0.001, silence: 5)
    ).run()
  }

  /// From the hub first, under its own paths; what has a checksum of the server's is entered in the list.
  @Test func fromTheHub() throws {
    let server = try HTTPServer { request, _ in .file(Data(request.path.utf8), for: request) }
    defer { server.stop() }
    let files = try download("htdemucs_6s", ["HF_ENDPOINT": server.root + "/"])
    #expect(files == [folder.path + "/5c90dfd2.safetensors"])
    #expect(server.requests.map(\.path) == ["/adefossez/HTDemucs-6s/resolve/main/5c90dfd2.safetensors"])
    let listed = ChecksumList(folder: folder.path)["5c90dfd2.safetensors"]
    #expect(try listed == Checksum.sha256(of: files[0]))
    #expect(folder.files == ["5c90dfd2.safetensors", "SHA256SUMS"])
  }

  /// Where the hub has nothing, the legacy host is asked, and the checksum in the name counts.
  @Test func fromTheLegacyHost() throws {
    let server = try HTTPServer { request, _ in
      request.path.hasPrefix("/adefossez") ? HTTPServer.Response(404) : .file(Data("wrong".utf8), for: request)
    }
    defer { server.stop() }
    let error = #expect(throws: DownloadError.self) {
      try download("htdemucs_6s", ["DEMUCS_CLI_BASE_URL": server.root])
    }
    guard case .everywhere(let errors) = try #require(error), errors.count == 2 else {
      Issue.record("\(String(describing: error))")
      return
    }
    guard case .refused(_, 404) = errors[0], case .wrongChecksum(_, "34c22ccb", _) = errors[1] else {
      Issue.record("\(errors)")
      return
    }
    #expect(server.requests.last?.path == "/hybrid_transformer/5c90dfd2-34c22ccb.th")
    #expect(folder.files.isEmpty)
  }

  /// Of a bag, what is there is not fetched again; a network that it has twice is fetched once.
  @Test func bags() throws {
    let server = try HTTPServer { request, _ in .file(Data(request.path.utf8), for: request) }
    defer { server.stop() }
    try folder.write("d12395a8-e57c48e6.th")
    let files = try download("htdemucs_ft", [:], base: server.root, sources: [.hub])
    #expect(
      files.map { $0.dropFirst(folder.path.count + 1) } == [
        "f7e0c4bc.safetensors", "d12395a8-e57c48e6.th", "92cfc3b6.safetensors", "04573f0d.safetensors",
      ])
    #expect(server.requests.count == 3)
    #expect(try download("repro_mdx_a_hybrid_only", [:], base: server.root, sources: [.hub]).count == 2)
    let found = try ModelStore.locate("repro_mdx_a_hybrid_only", in: folders())
    #expect(
      found.members.map { $0.dropFirst(folder.path.count + 1) } == [
        "fa0cb7f9.safetensors", "902315c2.safetensors", "fa0cb7f9.safetensors", "902315c2.safetensors",
      ])
  }

  @Test func whatIsNotFetched() throws {
    for (name, words) in [
      ("nonsense", "does not know it; it knows htdemucs"), ("mdx_q", "quantised"),
      ("open_6s", "comes with the program"),
    ] {
      let error = #expect(throws: DownloadError.self) { try download(name, [:]) }
      #expect(try #require(error).description.contains(words))
    }
    for value in ["1", "ON", "true", "Yes"] {
      let error = #expect(throws: DownloadError.self) { try download("htdemucs", ["HF_HUB_OFFLINE": value]) }
      #expect(error == .offline(variable: "HF_HUB_OFFLINE"))
    }
    for address in ["somewhere", "file:///tmp", "http://", ""] {
      let error = #expect(throws: DownloadError.self) {
        try download("htdemucs", ["HF_HUB_OFFLINE": "0"], base: address)
      }
      #expect(error == .badAddress(address))
    }
  }
}
