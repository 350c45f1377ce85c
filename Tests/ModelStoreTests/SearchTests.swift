import Foundation
import ModelStore
import Testing

/// Models in the places where demucs and others keep them.
struct SearchTests {
  private let folder: TemporaryFolder
  private var top: String { folder.path }

  init() throws { folder = try TemporaryFolder() }

  private func folders(_ environment: [String: String] = [:], models: String? = nil) -> ModelFolders {
    ModelFolders(
      modelsDirectory: models, environment: ["HOME": top + "/home"].merging(environment) { $1 }, executable: nil)
  }

  private func locate(_ name: String, _ environment: [String: String] = [:], models: String? = nil) throws
    -> ModelLocation
  {
    try ModelStore.locate(name, in: folders(environment, models: models))
  }

  @Test(arguments: [
    ([:], "home/.cache/torch/hub/checkpoints"), (["TORCH_HOME": "TOP/t"], "t/hub/checkpoints"),
    (["XDG_CACHE_HOME": "TOP/c"], "c/torch/hub/checkpoints"),
  ])
  func torchCache(environment: [String: String], place: String) throws {
    let path = try folder.write(place + "/5c90dfd2-34c22ccb.th")
    let environment = environment.mapValues { $0.replacing("TOP", with: top) }
    #expect(try locate("htdemucs_6s", environment) == ModelLocation(name: "htdemucs_6s", path: path))
    #expect(try locate("5c90dfd2", environment) == ModelLocation(name: "5c90dfd2", path: path))
    #expect(throws: ModelStoreError.self) { try locate("htdemucs", environment) }
  }

  @Test(arguments: [
    ([:], "home/.cache/huggingface/hub"), (["HF_HOME": "TOP/h"], "h/hub"), (["HF_HUB_CACHE": "TOP/h"], "h"),
    (["XDG_CACHE_HOME": "TOP/c"], "c/huggingface/hub"), (["HF_HOME": "~/h"], "home/h/hub"),
  ])
  func hubCache(environment: [String: String], place: String) throws {
    let root = place + "/models--adefossez--HTDemucs-6s"
    try folder.write(root + "/refs/main", "abc\n")
    try folder.write(root + "/snapshots/aaa/htdemucs_6s.yaml", "models: ['5c90dfd2']")
    try folder.write(root + "/snapshots/aaa/5c90dfd2.safetensors")
    let yaml = try folder.write(root + "/snapshots/abc/htdemucs_6s.yaml", "models: ['5c90dfd2']")
    let path = try folder.write(root + "/snapshots/abc/5c90dfd2.safetensors")
    let environment = environment.mapValues { $0.replacing("TOP", with: top) }
    #expect(
      try locate("htdemucs_6s", environment) == ModelLocation(name: "htdemucs_6s", path: yaml, members: [path]))
    #expect(ModelStore.available(in: folders(environment)).map(\.name) == ["htdemucs_6s"])
  }

  /// Half of a model in a cache keeps nobody from fetching it.
  @Test func hubCacheWithHalfOfABag() throws {
    let root = "h/models--adefossez--HTDemucs-ft/snapshots/1/"
    try folder.write(root + "htdemucs_ft.yaml", "models: ['f7e0c4bc', 'd12395a8']")
    try folder.write(root + "f7e0c4bc.safetensors")
    let error = #expect(throws: ModelStoreError.self) { try locate("htdemucs_ft", ["HF_HUB_CACHE": top + "/h"]) }
    #expect(try #require(error).description.contains("Fetch it with"))
  }

  /// Any snapshot serves where `refs/main` is missing, and a bag's YAML is not needed for a model of the registry.
  @Test func hubCacheWithoutMain() throws {
    let path = try folder.write("h/models--adefossez--HTDemucs/snapshots/1/955717e8.safetensors")
    #expect(try locate("htdemucs", ["HF_HUB_CACHE": top + "/h"]).members == [path])
  }

  /// A model of the hub that the registry does not know is found by the rule that demucs has for names.
  @Test func hubCacheOfUnregisteredModels() throws {
    let path = try folder.write("h/models--adefossez--Demucs-new/snapshots/1/abc.safetensors")
    try folder.write("h/models--adefossez--Demucs-new/snapshots/1/new.yaml", "models: [abc]\nsegment: 4")
    let found = try locate("new", ["HF_HUB_CACHE": top + "/h"])
    #expect(found.members == [path] && found.segment == 4)
  }

  @Test func fineTunedBagOfTheRegistry() throws {
    let names = ["f7e0c4bc-ba3fe64a", "d12395a8-e57c48e6", "92cfc3b6-ef3bcb9c", "04573f0d-f3cf25b2"]
    let paths = try names.map { try folder.write("t/hub/checkpoints/\($0).th") }
    let found = try locate("htdemucs_ft", ["TORCH_HOME": top + "/t"])
    #expect(found.members == paths && found.path == paths[0])
    #expect(found.weights == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    try FileManager.default.removeItem(atPath: paths[2])
    #expect(throws: ModelStoreError.self) { try locate("htdemucs_ft", ["TORCH_HOME": top + "/t"]) }
    // The networks of a bag may lie in different places.
    let other = try folder.write("m/92cfc3b6.safetensors")
    let spread = try locate("htdemucs_ft", ["TORCH_HOME": top + "/t"], models: top + "/m")
    #expect(spread.members == [paths[0], paths[1], other, paths[3]])
  }

  @Test func orderOfPlaces() throws {
    let environment = ["TORCH_HOME": top + "/t", "HF_HUB_CACHE": top + "/h"]
    let hub = try folder.write("h/models--adefossez--HTDemucs-6s/snapshots/1/5c90dfd2.safetensors")
    #expect(try locate("htdemucs_6s", environment).path == hub)
    let torch = try folder.write("t/hub/checkpoints/5c90dfd2-34c22ccb.th")
    #expect(try locate("htdemucs_6s", environment).path == torch)
    let own = try folder.write("home/.local/share/demucs-cli/models/5c90dfd2.safetensors")
    #expect(try locate("htdemucs_6s", environment).path == own)
    let named = try folder.write("home/.local/share/demucs-cli/models/htdemucs_6s.safetensors")
    #expect(try locate("htdemucs_6s", environment).path == named)
    let bag = try folder.write("m/htdemucs_6s.yaml", "models: [5c90dfd2]")
    #expect(try locate("htdemucs_6s", environment, models: top + "/m").path == bag)
  }

  /// A download that is not done is no model.
  @Test func partsAreNoModels() throws {
    try folder.write("m/5c90dfd2.safetensors.part")
    try folder.write("m/5c90dfd2-34c22ccb.th.part")
    #expect(throws: ModelStoreError.self) { try locate("htdemucs_6s", models: top + "/m") }
    #expect(ModelStore.available(in: folders(models: top + "/m")).isEmpty)
  }

  @Test func bagByPath() throws {
    let a = try folder.write("x/aaaaaaaa-11111111.th")
    let b = try folder.write("x/b.safetensors")
    let yaml = try folder.write(
      "x/my bag.yaml", "models: ['aaaaaaaa', b]\nweights: [[1., 0.5], [0, 2]]\nsegment: 3.5\n")
    #expect(
      try locate(yaml)
        == ModelLocation(
          name: "my bag", path: yaml, members: [a, b], weights: [[1, 0.5], [0, 2]], segment: 3.5))
    try FileManager.default.removeItem(atPath: b)
    let error = try #require(#expect(throws: ModelStoreError.self) { try locate(yaml) })
    #expect(error.description.contains("my bag.yaml: its networks b are missing"))
  }

  @Test func availableModelsHaveEachNameOnce() throws {
    try folder.write("m/bag.yaml", "models: [one, two]")
    for name in ["one", "two", "three", "5c90dfd2"] { try folder.write("m/\(name).safetensors") }
    try folder.write("m/mine-0123abcd.th")
    #expect(
      ModelStore.available(in: folders(models: top + "/m")).map(\.name) == ["bag", "htdemucs_6s", "mine", "three"])
  }

  // MARK: - demucs --repo

  private func repo(_ name: String) throws -> ModelLocation {
    try ModelStore.locate(name, repository: top + "/repo")
  }

  /// A file with its checksum in its name.
  private func network(_ signature: String) throws -> String {
    let text = "weights of \(signature)"
    let path = try folder.write("scratch", text)
    let checksum = try Checksum.sha256(of: path).prefix(8)
    return try folder.write("repo/\(signature)-\(checksum).th", text)
  }

  @Test func repository() throws {
    let (a, b) = (try network("aaaaaaaa"), try network("bbbbbbbb"))
    let plain = try folder.write("repo/plain.th")
    let yaml = try folder.write("repo/both.yaml", "models: ['aaaaaaaa', 'bbbbbbbb', 'aaaaaaaa']\nsegment: 44")
    #expect(try repo("aaaaaaaa") == ModelLocation(name: "aaaaaaaa", path: a))
    #expect(try repo("plain").path == plain)
    #expect(try repo("both") == ModelLocation(name: "both", path: yaml, members: [a, b, a], segment: 44))
    // Names of the registry mean nothing there, nor do other places.
    let error = try #require(#expect(throws: ModelStoreError.self) { try repo("open_6s") })
    #expect(error.description.contains("in \(top)/repo alone"))
    #expect(error.description.hasSuffix("Models found: aaaaaaaa, bbbbbbbb, both, plain."))
    #expect(throws: ModelStoreError.noFolder(path: "/no")) { try ModelStore.locate("a", repository: "/no") }
    #expect(throws: ModelStoreError.emptyName) { try repo("") }
  }

  @Test func checksumsOfARepository() throws {
    let path = try network("aaaaaaaa")
    try Data("other weights".utf8).write(to: URL(fileURLWithPath: path))
    try folder.write("repo/both.yaml", "models: ['aaaaaaaa']")
    for name in ["aaaaaaaa", "both"] {
      let error = try #require(#expect(throws: ModelStoreError.self) { try repo(name) })
      guard case .wrongChecksum(path, _, _) = error else {
        Issue.record("\(error)")
        continue
      }
    }
  }

  @Test func twoFilesOfOneSignature() throws {
    _ = try network("aaaaaaaa")
    try folder.write("repo/aaaaaaaa-00000000.th")
    let error = try #require(#expect(throws: ModelStoreError.self) { try repo("aaaaaaaa") })
    #expect(error.description.contains("both are the model aaaaaaaa. Delete all but one"))
  }

  @Test func bagOfARepositoryWithoutItsNetworks() throws {
    try folder.write("repo/both.yaml", "models: ['aaaaaaaa']")
    let error = try #require(#expect(throws: ModelStoreError.self) { try repo("both") })
    #expect(error.description.contains("networks aaaaaaaa are missing"))
  }

  /// What SHA-256 is known for a file, and from where.
  @Test func expectedChecksums() throws {
    let sum = String(repeating: "ab", count: 32)
    #expect(Checksum.expected(of: "x/5c90dfd2-34c22ccb.th")?.checksum == "34c22ccb")
    #expect(Checksum.expected(of: "x/5c90dfd2-34c22cc.th") == nil)
    #expect(Checksum.expected(of: "x/my-model.th") == nil)
    try folder.write("m/SHA256SUMS", "\(sum)  other.safetensors\n\(sum.uppercased()) *a.safetensors\njunk\n")
    let listed = Checksum.expected(of: try folder.write("m/a.safetensors"))
    #expect(listed?.checksum == sum && listed?.by == "SHA256SUMS")
    try folder.write("h/blobs/\(sum)")
    try FileManager.default.createSymbolicLink(
      atPath: top + "/h/link.safetensors", withDestinationPath: "../h/blobs/\(sum)")
    #expect(Checksum.expected(of: top + "/h/link.safetensors")?.checksum == sum)
    // FIPS 180-4, two blocks, and nothing.
    let text = try folder.write("t", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
    #expect(
      try Checksum.sha256(of: text) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    #expect(
      try Checksum.sha256(of: folder.write("e"))
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }
}
