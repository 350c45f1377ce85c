import Checkpoints
import Foundation
import ModelStore
import Tensors
import Testing

/// `demucs-cli models` but for downloads: list, info, path, verify, import; and bags in `separate`.
struct ModelsCommandTests {
  private let program: Program
  private var folder: String { program.folder.path }
  /// Nothing of the machine's own is found.
  private var environment: [String: String] {
    [
      "HOME": folder, "XDG_DATA_HOME": "", "XDG_CACHE_HOME": "", "HF_HOME": "", "TORCH_HOME": "",
      "DEMUCS_CLI_MODELS": "",
    ]
  }

  init() throws { program = try Program() }

  private func run(_ arguments: String...) throws -> Program.Outcome {
    try program.run(arguments, environment: environment)
  }

  private struct Row: Decodable {
    let name: String
    let state: String
    let sources: [String]?
    let files: [String]?
  }

  @Test func list() throws {
    defer { program.remove() }
    try TestModel().write(program, "m/tiny.safetensors")
    try TestModel().write(program, ".cache/torch/hub/checkpoints/955717e8.safetensors")
    let text = try run("models", "list", "--models-dir", "m")
    #expect(text.status == 0 && text.errors.isEmpty)
    let lines = text.output.split(separator: "\n").map {
      $0.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
    }
    func state(_ name: String) -> Substring? { lines.first { $0[0] == name }?[1] }
    #expect(state("tiny") == "here" && state("open_6s") == "here" && state("htdemucs") == "here")
    #expect(state("htdemucs_6s") == "fetch" && state("mdx_q") == "unsupported")
    let json = try run("models", "list", "--json", "--models-dir", "m")
    let rows = try JSONDecoder().decode([Row].self, from: Data(json.output.utf8))
    #expect(rows.map(\.name) == lines.map { String($0[0]) })
    #expect(rows.first { $0.name == "tiny" }?.sources == ["hum", "hiss"])
    #expect(rows.first { $0.name == "tiny" }?.files == ["m/tiny.safetensors"])
  }

  @Test func path() throws {
    defer { program.remove() }
    try TestModel().write(program, "m/tiny.safetensors")
    #expect(try run("models", "path", "tiny", "--models-dir", "m").output == "m/tiny.safetensors\n")
    let missing = try run("models", "path", "tiny")
    #expect(missing.status == 1 && missing.output.isEmpty && missing.errors.hasPrefix("Error: no model \"tiny\""))
    try Data("models: [tiny, tiny]".utf8).write(to: program.folder.appendingPathComponent("m/bag.yaml"))
    #expect(try run("models", "path", "bag", "--models-dir", "m").output == "m/bag.yaml\n")
  }

  /// Speed and memory are numbers; that the work is counted right shows with the embedded model, see `bench`.
  @Test func info() throws {
    defer { program.remove() }
    let text = try run("models", "info", "open_6s", "-j", "1")
    #expect(text.status == 0, "\(text.errors)")
    for words in ["12.22 million", "7.8 s at 44100 Hz", "HTDemucs", "drums, bass", "times as fast", "(estimate)"] {
      #expect(text.output.contains(words), "\(words)")
    }
    let json = try run("models", "info", "open_6s", "--json", "-j", "1")
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let bench = try run("bench", "--runs", "1", "--warmup", "0", "--json")
    let measured = try #require(
      try JSONSerialization.jsonObject(with: Data(bench.output.utf8)) as? [String: Any])
    let (estimate, truth) = (report["estimatedGigaflopsPerSegment"] as? Double, measured["gflop"] as? Double)
    // Winograd's convolutions, which the estimate takes for direct ones, do with up to a fifth less in all.
    let ratio = try #require(estimate) / #require(truth)
    #expect((0.99...1.25).contains(ratio), "\(ratio)")
    let absent = try run("models", "info", "htdemucs_ft")
    #expect(absent.status == 0 && absent.output.contains("a bag of 4") && absent.output.contains("research use"))
    #expect(absent.output.contains("demucs-cli models download htdemucs_ft --accept-license"))
  }

  /// The segment is that of the bag, and the work is counted right, LSTM and all. Without context nothing goes by Winograd.
  @Test func infoOfAnHDemucs() throws {
    defer { program.remove() }
    try TestModel.hdemucs(["channels": .integer(32), "context": .integer(0)]).write(program, "repo/one.safetensors")
    try Data("models: [one]\nsegment: 4".utf8).write(to: program.folder.appendingPathComponent("repo/bag.yaml"))
    let text = try run("models", "info", "bag", "--repo", "repo", "-j", "1")
    #expect(text.output.contains("  HDemucs\n") && text.output.contains("4.0 s at 8000 Hz"), "\(text)")
    func report(_ arguments: String...) throws -> [String: Any] {
      let outcome = try program.run(arguments + ["--json"], environment: environment)
      return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }
    let estimate = try report("models", "info", "bag", "--repo", "repo", "-j", "1")
    let measured = try report("bench", "-n", "repo/bag.yaml", "--runs", "1", "--warmup", "0")
    #expect(measured["segmentSeconds"] as? Double == 4)
    let gigaflops = try #require(estimate["estimatedGigaflopsPerSegment"] as? Double)
    #expect(abs(gigaflops / (try #require(measured["gflop"] as? Double)) - 1) < 0.05, "\(gigaflops), \(measured)")
  }

  @Test func verify() throws {
    defer { program.remove() }
    try TestModel().write(program, "m/tiny.safetensors")
    let sound = try run("models", "verify", "tiny", "--models-dir", "m")
    #expect(sound.status == 0 && sound.output.contains("nothing is there to compare with"), "\(sound.errors)")
    #expect(sound.output.contains("tensors fit the network; sources: hum, hiss"))
    let path = folder + "/m/tiny.safetensors"
    let sum = try Checksum.sha256(of: path)
    let list = program.folder.appendingPathComponent("m/SHA256SUMS")
    try Data("\(sum)  tiny.safetensors\n".utf8).write(to: list)
    #expect(try run("models", "verify", "tiny", "--models-dir", "m").output.contains("\(sum), as SHA256SUMS says"))
    // One bit of a weight.
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    let end = try file.seekToEnd()
    try file.seek(toOffset: end - 3)
    let byte = try #require(try file.read(upToCount: 1))
    try file.seek(toOffset: end - 3)
    try file.write(contentsOf: Data([byte[0] ^ 1]))
    try file.close()
    let damaged = try run("models", "verify", "tiny", "--models-dir", "m")
    #expect(damaged.status == 1 && damaged.errors.contains("\(sum) was expected"), "\(damaged.errors)")
    try FileManager.default.removeItem(at: list)
    var lacking = try TestModel()
    lacking.tensors.removeLast()
    try lacking.write(program, "m/tiny.safetensors")
    let broken = try run("models", "verify", "tiny", "--models-dir", "m")
    #expect(broken.status == 1 && broken.errors.contains("1 missing"), "\(broken.errors)")
  }

  // MARK: - import

  @Test func importMakesAModelOfTheFolder() throws {
    defer { program.remove() }
    try TestModel().write(program, "x/my model.safetensors")
    let outcome = try run("models", "import", "x/my model.safetensors", "--name", "mine")
    let target = folder + "/.local/share/demucs-cli/models/mine.safetensors"
    #expect(outcome.status == 0 && outcome.output == target + "\n" && outcome.errors.isEmpty, "\(outcome.errors)")
    let (before, after) = (
      try Checkpoint(safetensors: folder + "/x/my model.safetensors"), try Checkpoint(safetensors: target)
    )
    #expect(after.names == before.names)
    #expect(try after.modelDescription() == before.modelDescription())
    for name in after.names { #expect(try after.tensor(name).values == before.tensor(name).values) }
    #expect(try run("models", "path", "mine").output == target + "\n")
    let again = try run("models", "import", "x/my model.safetensors", "--name", "mine")
    #expect(again.status == 1 && again.errors.contains("--force"))
    #expect(try run("models", "import", "x/my model.safetensors", "--name", "mine", "--force").status == 0)
  }

  @Test func importRoundsToHalfPrecision() throws {
    defer { program.remove() }
    let model = try TestModel()
    try model.write(program)
    let outcome = try run("models", "import", "tiny.safetensors", "--output", "half.safetensors", "--precision", "fp16")
    #expect(outcome.output == "half.safetensors\n", "\(outcome.errors)")
    let half = try Checkpoint(safetensors: folder + "/half.safetensors")
    for (name, tensor) in model.tensors {
      #expect(half.type(of: name) == .float16)
      for (rounded, value) in zip(try half.tensor(name).values, tensor.values) {
        #expect(abs(rounded - value) <= abs(value) / 2048 + 3e-8)
      }
    }
    // What is half precision stays so.
    #expect(try run("models", "import", "half.safetensors", "--output", "again.safetensors").status == 0)
    #expect(try program.bytes("again.safetensors") == program.bytes("half.safetensors"))
    model.tensors[0].tensor.data[0] = 65520
    try model.write(program)
    let refused = try run("models", "import", "tiny.safetensors", "-o", "no.safetensors", "--precision", "fp16")
    #expect(refused.status == 1 && refused.errors.contains("beyond the range of float16"), "\(refused.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder + "/no.safetensors"))
  }

  @Test func whatCannotBeImported() throws {
    defer { program.remove() }
    try TestModel().write(program)
    try Data("models: [tiny]".utf8).write(to: program.folder.appendingPathComponent("bag.yaml"))
    try program.touch("empty.safetensors")
    for (arguments, status, words) in [
      (["none.safetensors"], Int32(1), "no such model file"), (["bag.yaml"], 1, "is a bag"),
      (["empty.safetensors"], 1, "empty.safetensors"), (["tiny.safetensors", "--name", "a/b"], 64, "--name"),
      (["tiny.safetensors", "-o", "x", "--name", "b"], 64, "leave out"),
      (["tiny.safetensors", "--precision", "int8"], 64, "int8"),
      (["tiny.safetensors", "-o", "/proc/x.safetensors"], 1, "/proc/x.safetensors"),
    ] {
      let outcome = try program.run(["models", "import"] + arguments, environment: environment)
      #expect(outcome.status == status && outcome.errors.contains(words), "\(arguments): \(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
  }

  // MARK: - bags

  @Test func separateWithABag() throws {
    defer { program.remove() }
    try TestModel().write(program, "repo/one.safetensors")
    var other = try TestModel()
    other.kwargs["segment"] = .number(0.25)
    try other.write(program, "repo/two.safetensors")
    let yaml = program.folder.appendingPathComponent("repo/pair.yaml")
    try Data("models: [one, two]\nweights: [[1, 0.5], [0.5, 0]]\n".utf8).write(to: yaml)
    try program.writeSong(frames: 9000)
    let byPath = try run("separate", "song.wav", "-n", "repo/pair.yaml")
    #expect(byPath.output == "separated/pair/song/hum.wav\nseparated/pair/song/hiss.wav\n", "\(byPath.errors)")
    let byRepo = try run("separate", "song.wav", "-n", "pair", "--repo", "repo", "-o", "again", "-j", "1")
    #expect(byRepo.status == 0, "\(byRepo.errors)")
    let single = try run("separate", "song.wav", "-n", "one", "--repo", "repo")
    #expect(single.status == 0, "\(single.errors)")
    for stem in ["hum", "hiss"] {
      let bag = try program.bytes("separated/pair/song/\(stem).wav")
      #expect(try bag == program.bytes("again/pair/song/\(stem).wav"))
      // hiss is that of the first network alone, with half of its weight divided out again.
      #expect(try (bag == program.bytes("separated/one/song/\(stem).wav")) == (stem == "hiss"), "\(stem)")
    }
    let absent = try run("separate", "song.wav", "-n", "open_6s", "--repo", "repo")
    #expect(absent.status == 1 && absent.errors.contains("alone, as --repo asks for"))
  }

  /// What `mdx` is like: networks of two classes, one of which is not built. That is found out before anything is computed.
  @Test func bagWithANetworkOfTheTimeDomain() throws {
    defer { program.remove() }
    try TestModel.hdemucs().write(program, "repo/hybrid.safetensors")
    var other = try TestModel()
    try other.write(program, "repo/transformer.safetensors")
    other.klass = "demucs.demucs.Demucs"
    try other.write(program, "repo/waveform.safetensors")
    try program.writeSong(frames: 9000)
    let yaml = program.folder.appendingPathComponent("repo/mixed.yaml")
    try Data("models: [hybrid, transformer]".utf8).write(to: yaml)
    #expect(try run("separate", "song.wav", "-n", "mixed", "--repo", "repo", "-o", "out").status == 0)
    try Data("models: [hybrid, waveform]".utf8).write(to: yaml)
    let refused = try run("separate", "song.wav", "-n", "mixed", "--repo", "repo")
    #expect(refused.status == 1 && refused.output.isEmpty)
    #expect(refused.errors.contains("waveform.safetensors"), "\(refused.errors)")
    #expect(refused.errors.contains("a network of the time domain alone, which this program does not build"))
    #expect(try run("models", "verify", "mixed", "--repo", "repo").status == 1)
    #expect(try run("bench", "-n", "repo/waveform.safetensors").errors.contains("time domain alone"))
  }

  @Test func bagsThatCannotBe() throws {
    defer { program.remove() }
    try TestModel().write(program, "one.safetensors")
    try program.writeSong(frames: 9000)
    for (yaml, words) in [
      ("models: [one, absent]", "absent are missing"), ("models: one", "not a list"),
      ("models: [one]\nweights: [[1]]", "1 weights in a row for 2 sources"),
    ] {
      try Data(yaml.utf8).write(to: program.folder.appendingPathComponent("bag.yaml"))
      let outcome = try run("separate", "song.wav", "-n", "bag.yaml")
      #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome.errors)")
    }
    try Data("models: [one, one]".utf8).write(to: program.folder.appendingPathComponent("bag.yaml"))
    let taps = try run("separate", "song.wav", "-n", "bag.yaml", "--dump-taps", "taps")
    #expect(taps.status == 1 && taps.errors.contains("cannot be told apart"), "\(taps.errors)")
    #expect(try run("bench", "-n", "bag.yaml").errors.contains("is a bag of 2 networks"))
  }
}
