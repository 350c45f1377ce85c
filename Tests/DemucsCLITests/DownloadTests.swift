import Checkpoints
import Foundation
import LoopbackServer
import ModelStore
import Testing

/// `demucs-cli models download` as a person sees it, from a real server on the loopback.
struct DownloadTests {
  private let program: Program
  private var folder: URL { program.folder }

  init() throws {
    program = try Program()
    try TestModel().write(program, "tiny.safetensors")
    try FileManager.default.createDirectory(at: folder.appendingPathComponent("m"), withIntermediateDirectories: true)
    try Data(
      #"""
      {"version": 1, "licences": {"polite": "Say yes first."}, "models": [
        {"name": "tiny", "models": ["aaaa1111"], "hub": "me/Tiny", "licence": "polite"},
        {"name": "free", "models": ["aaaa1111", "bbbb2222"], "hub": "me/Tiny", "weights": [[1, 0], [0, 1]]}
      ]}
      """#.utf8
    ).write(to: folder.appendingPathComponent("m/registry.json"))
  }

  private func environment(_ server: HTTPServer?, _ more: [String: String] = [:]) -> [String: String] {
    [
      "HOME": folder.path, "XDG_DATA_HOME": "", "XDG_CACHE_HOME": "", "DEMUCS_CLI_MODELS": "m", "HF_HUB_OFFLINE": "",
      "DEMUCS_CLI_BASE_URL": server?.root ?? "", "http_proxy": "", "https_proxy": "", "no_proxy": "127.0.0.1",
      "all_proxy": "", "HF_HOME": "", "TORCH_HOME": "",
    ].merging(more) { $1 }
  }

  private func models() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("m").path).sorted()
  }

  private func weights() throws -> Data { try program.bytes("tiny.safetensors") }

  private func serve(_ change: @escaping @Sendable (inout HTTPServer.Response) -> Void = { _ in }) throws -> HTTPServer
  {
    let weights = try weights()
    return try HTTPServer { request, _ in
      var response = HTTPServer.Response.file(weights, for: request)
      change(&response)
      return response
    }
  }

  /// One command, and the model can be used by its name.
  @Test func fetchedThenUsed() throws {
    defer { program.remove() }
    let server = try serve()
    defer { server.stop() }
    let outcome = try program.run(["models", "download", "tiny", "--accept-license"], environment: environment(server))
    #expect(outcome.status == 0 && outcome.output == "m/aaaa1111.safetensors\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("Say yes first."))
    #expect(server.requests.map(\.path) == ["/me/Tiny/resolve/main/aaaa1111.safetensors"])
    #expect(server.requests[0].headers["user-agent"]?.hasPrefix("demucs-cli/") == true)
    #expect(try models() == ["SHA256SUMS", "aaaa1111.safetensors", "registry.json"])
    #expect(try program.bytes("m/aaaa1111.safetensors") == weights())
    try program.writeSong(frames: 9000)
    let run = try program.run(["separate", "song.wav", "-n", "tiny"], environment: environment(nil))
    #expect(run.output == "separated/tiny/song/hum.wav\nseparated/tiny/song/hiss.wav\n", "\(run.errors)")
    #expect(
      try program.run(["models", "verify", "tiny"], environment: environment(nil)).output.contains("as SHA256SUMS says")
    )
    let again = try program.run(["models", "download", "tiny", "--accept-license"], environment: environment(server))
    #expect(again.status == 0 && again.output == outcome.output && again.errors.contains("is there already"))
    #expect(server.requests.count == 1)
    let forced = try program.run(
      ["models", "download", "tiny", "--accept-license", "--force", "--quiet"], environment: environment(server))
    #expect(forced.status == 0 && forced.errors.isEmpty && server.requests.count == 2, "\(forced.errors)")
  }

  @Test func bagIsFetchedWhole() throws {
    defer { program.remove() }
    let server = try serve()
    defer { server.stop() }
    let outcome = try program.run(
      ["models", "download", "free", "--base-url", server.root + "/mirror/"], environment: environment(nil))
    #expect(outcome.output == "m/aaaa1111.safetensors\nm/bbbb2222.safetensors\n", "\(outcome.errors)")
    #expect(
      server.requests.map(\.path) == ["aaaa1111", "bbbb2222"].map { "/mirror/me/Tiny/resolve/main/\($0).safetensors" })
  }

  @Test func licenceNotAccepted() throws {
    defer { program.remove() }
    let server = try serve()
    defer { server.stop() }
    let outcome = try program.run(["models", "download", "tiny"], environment: environment(server))
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(
      outcome.errors == "tiny: Say yes first.\nError: tiny is not fetched. To accept this, give --accept-license.\n")
    #expect(try server.requests.isEmpty && models() == ["registry.json"])
  }

  @Test func offline() throws {
    defer { program.remove() }
    let server = try serve()
    defer { server.stop() }
    let outcome = try program.run(
      ["models", "download", "tiny", "--accept-license"], environment: environment(server, ["HF_HUB_OFFLINE": "1"]))
    #expect(outcome.status == 1 && outcome.errors.contains("HF_HUB_OFFLINE is set"))
    #expect(try server.requests.isEmpty && models() == ["registry.json"])
  }

  /// Through a proxy the whole address is asked for; `no_proxy` keeps it out.
  @Test func proxies() throws {
    defer { program.remove() }
    let server = try serve()
    defer { server.stop() }
    let address = "http://models.invalid/root"
    let outcome = try program.run(
      ["models", "download", "free", "--base-url", address],
      environment: environment(nil, ["http_proxy": server.root, "no_proxy": ""]))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(server.requests.first?.path == address + "/me/Tiny/resolve/main/aaaa1111.safetensors")
    let direct = try program.run(
      ["models", "download", "free", "--force", "--base-url", address],
      environment: environment(nil, ["http_proxy": server.root, "no_proxy": "models.invalid"]))
    #expect(direct.status == 1 && direct.errors.contains("cannot be reached"), "\(direct.errors)")
    #expect(server.requests.count == 2)
  }

  /// Ctrl-C leaves what came, under a name that nobody takes for a model, and the next run goes on from it.
  @Test func interrupted() throws {
    defer { program.remove() }
    let server = try serve { $0.pause = 0.05 }
    defer { server.stop() }
    let process = Process()
    process.executableURL = Program.executable
    process.arguments = ["models", "download", "tiny", "--accept-license"]
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment(server)) { $1 }
    let errors = folder.appendingPathComponent("errors")
    try Data().write(to: errors)
    process.standardError = try FileHandle(forWritingTo: errors)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let part = folder.appendingPathComponent("m/aaaa1111.safetensors.part").path
    func size() -> Int { ((try? FileManager.default.attributesOfItem(atPath: part))?[.size] as? Int) ?? 0 }
    while size() < 1000, process.isRunning { Thread.sleep(forTimeInterval: 0.01) }
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 130)
    #expect(try String(contentsOf: errors, encoding: .utf8).contains("Interrupted."))
    #expect(try models() == ["aaaa1111.safetensors.part", "registry.json"])
    let came = try program.bytes("m/aaaa1111.safetensors.part")
    #expect(try came.count >= 1000 && came.count < weights().count && weights().starts(with: came))

    let quick = try serve()
    defer { quick.stop() }
    let outcome = try program.run(["models", "download", "tiny", "--accept-license"], environment: environment(quick))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(try program.bytes("m/aaaa1111.safetensors") == weights())
    #expect(try models() == ["SHA256SUMS", "aaaa1111.safetensors", "registry.json"])
  }

  /// A limit on the size of files stands in for a full disk, which takes a file system of its own: the same call fails,
  /// with another error number.
  @Test func diskFull() throws {
    defer { program.remove() }
    let server = try serve()
    defer { server.stop() }
    // In blocks of 512 bytes.
    let outcome = try program.run(
      ["-c", "ulimit -f 64; exec \"$0\" \"$@\"", Program.executable.path, "models", "download", "free"],
      environment: environment(server), executable: URL(fileURLWithPath: "/bin/sh"))
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("aaaa1111.safetensors: cannot be written: File too large"), "\(outcome.errors)")
    #expect(try models() == ["aaaa1111.safetensors.part", "registry.json"])
    #expect(try program.bytes("m/aaaa1111.safetensors.part").count == 32768)
    let later = try program.run(["models", "download", "free"], environment: environment(server))
    #expect(later.status == 0, "\(later.errors)")
    #expect(try program.bytes("m/aaaa1111.safetensors") == weights())
  }

  /// Root may write into any folder of a disk, but not into one of the kernel's.
  @Test func folderThatCannotBeWritten() throws {
    defer { program.remove() }
    let server = try serve()
    defer { server.stop() }
    for place in ["/proc/models", "m/registry.json"] {
      let outcome = try program.run(
        ["models", "download", "htdemucs", "--accept-license", "--models-dir", place], environment: environment(server))
      #expect(outcome.status == 1 && outcome.errors.contains(place), "\(outcome.errors)")
      #expect(outcome.errors.contains("cannot be written"), "\(outcome.errors)")
    }
    #expect(server.requests.isEmpty)
  }

  /// A page that signs in to a hotel's network is no model.
  @Test func whatIsNoModel() throws {
    defer { program.remove() }
    let server = try HTTPServer { _, _ in HTTPServer.Response(200, [], body: Data("<html>Sign in</html>".utf8)) }
    defer { server.stop() }
    let outcome = try program.run(["models", "download", "free"], environment: environment(server))
    #expect(outcome.status == 1 && outcome.errors.contains("what came is no model"), "\(outcome.errors)")
    #expect(try models() == ["registry.json"])
  }

  /// A model that is not there comes with the command that fetches it.
  @Test func separateSaysHowToGetIt() throws {
    defer { program.remove() }
    try program.touch("song.wav")
    let outcome = try program.run(["separate", "song.wav", "-n", "tiny"], environment: environment(nil))
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.contains("Fetch it with: demucs-cli models download tiny --accept-license."), "\(outcome.errors)")
  }
}
