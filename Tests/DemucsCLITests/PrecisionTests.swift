import Foundation
import GoldenSupport
import Testing

/// Half precision from the command line: stems of `separate`, and the report of `precision`.
@Suite(.serialized) struct PrecisionTests {
  static func stems(_ program: Program, _ folder: String) throws -> [Float] {
    try ["hum", "hiss"].flatMap { try program.audio("\(folder)/tiny/song/\($0).wav").1.flatMap { $0 } }
  }

  static func program() throws -> Program {
    let program = try Program()
    try TestModel().write(program)
    try program.writeSong(frames: 20_000, sampleRate: 8000)
    return program
  }

  static let common = ["separate", "song.wav", "-n", "tiny.safetensors", "--float32", "--clip-mode", "none", "--quiet"]

  static func ratio(_ reference: [Float], _ estimate: [Float]) -> Double {
    let signal = reference.reduce(0.0) { $0 + Double($1) * Double($1) }
    let noise = zip(reference, estimate).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    return 10 * log10(signal / noise)
  }

  @Test func presetsDoWhatTheyAreFor() throws {
    let program = try Self.program()
    defer { program.remove() }
    func run(_ name: String, _ options: [String]) throws -> [Float] {
      let outcome = try program.run(Self.common + ["-o", name] + options)
      #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      return try Self.stems(program, name)
    }
    let plain = try run("plain", [])
    #expect(try run("fp32", ["--precision", "fp32"]) == plain)
    #expect(try run("none", ["--precision", "mixed", "--fp32-ops", "*"]) == plain)
    #expect(try run("both", ["--fp16-ops", "*", "--fp32-ops", "*"]) == plain)
    let mixed = Self.ratio(plain, try run("mixed", ["--precision", "mixed", "-j", "1"]))
    #expect(mixed > 50 && mixed < 70, "\(mixed)")
    #expect(try run("again", ["--precision", "mixed", "-j", "2"]) == Self.stems(program, "mixed"))
    // Three digits fewer are 18 dB more of noise.
    let bfloat = Self.ratio(plain, try run("bf16", ["--precision", "bf16"]))
    #expect(abs(mixed - bfloat - 18) < 3, "\(mixed), \(bfloat)")
    let outer = Self.ratio(
      plain, try run("outer", ["--precision", "mixed", "--fp32-ops", "decoder.2*,tdecoder.2*"]))
    #expect(outer > mixed + 0.5, "\(mixed), \(outer)")
    try Data("{\"preset\": \"mixed\"}".utf8).write(to: program.folder.appendingPathComponent("policy.json"))
    #expect(try run("file", ["--policy", "policy.json"]) == Self.stems(program, "mixed"))
  }

  @Test func anOverflowNamesTheModule() throws {
    let program = try Program()
    defer { program.remove() }
    let model = try TestModel()
    for (index, entry) in model.tensors.enumerated() where entry.name == "tencoder.1.conv.bias" {
      model.tensors[index].tensor.data[0] = 70_000
    }
    try model.write(program)
    try program.writeSong(frames: 20_000, sampleRate: 8000)
    let single = try program.run(Self.common)
    #expect(single.status == 0 && single.errors.isEmpty, "\(single.errors)")
    let outcome = try program.run(Self.common + ["--precision", "mixed"])
    #expect(outcome.errors.contains("tencoder.1.conv"), "\(outcome.errors)")
    #expect(outcome.status == 1 || outcome.errors.hasPrefix("Warning"), "\(outcome.errors)")
  }

  @Test(arguments: [
    (["--precision", "quarter"], 64, "quarter"),
    (["--precision", "mixed", "--policy", "p.json"], 64, "exclude"),
    (["--fp32-ops", "softmx"], 64, "softmx"),
    (["--policy", "missing.json"], 1, "missing.json"),
    (["--precision", "mixed", "--fp32-ops", "encoder.7*"], 1, "encoder.7*"),
  ]) func mistakesAreNamed(options: [String], status: Int32, word: String) throws {
    let program = try Self.program()
    defer { program.remove() }
    let outcome = try program.run(Self.common + options)
    #expect(outcome.status == status && outcome.errors.contains(word), "\(outcome.errors)")
  }

  @Test func theReportRanksAndProposes() throws {
    let program = try Self.program()
    defer { program.remove() }
    let target = 72.0
    let outcome = try program.run([
      "precision", "tiny.safetensors", "song.wav", "--json", "--target-snr", "\(target)", "--html", "page.html",
      "--quiet",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let classes = try #require(report["classes"] as? [[String: Any]])
    #expect(
      Set(classes.compactMap { $0["name"] as? String }).isSuperset(of: ["convolution", "norm", "softmax", "add"]))
    let whole = try #require((report["whole"] as? [String: Any])?["worst"] as? Double)
    for row in classes where row["isRounded"] as? Bool == true {
      // One class alone harms less than all of them.
      #expect(try #require((row["alone"] as? [String: Any])?["worst"] as? Double) > whole)
    }
    // Everything in half precision harms more than anything less; each part of the network is looked at from both sides.
    let layers = try #require(report["layers"] as? [[String: Any]])
    #expect(Set(layers.compactMap { $0["name"] as? String }).isSuperset(of: ["encoder.0", "tdecoder.2", "freq_emb"]))
    func worst(_ entry: Any?) -> Double { (entry as? [String: Any])?["worst"] as? Double ?? -999 }
    let everything = worst(report["everything"])
    #expect(everything < whole)
    for row in layers + classes {
      #expect(worst(row["allBut"]) > everything - 3, "\(row)")
      #expect(worst(row["alone"]) > worst(row["allBut"]), "\(row)")
    }
    #expect((report["modules"] as? [Any])?.isEmpty == true && (report["ranges"] as? [Any])?.isEmpty == false)
    let shares = classes.compactMap { $0["operationShare"] as? Double }.reduce(0, +)
    #expect(abs(shares - 1) < 1e-6)
    let growth = try #require(report["growth"] as? [[String: Any]])
    #expect(Set(growth.compactMap { $0["branch"] as? String }) == ["frequency", "time"])
    #expect(growth.compactMap { $0["error"] as? Double }.allSatisfy { $0 < -50 && $0 > -100 })

    let proposal = try #require(report["proposal"] as? [String: Any])
    let fp32 = try #require(proposal["fp32"] as? [String])
    #expect(whole < target && proposal["reached"] as? Bool == true && !fp32.isEmpty)
    #expect(try #require((proposal["result"] as? [String: Any])?["worst"] as? Double) >= target)
    #expect(try #require(proposal["operationShare"] as? Double) < 1)
    // The very set, as the options take it, gives the very ratios.
    let again = try program.run([
      "precision", "tiny.safetensors", "song.wav", "--json", "--quiet", "--precision", "mixed", "--fp32-ops",
      fp32.joined(separator: ","),
    ])
    let second = try #require(
      try JSONSerialization.jsonObject(with: Data(again.output.utf8)) as? [String: Any], "\(again.errors)")
    let ratios = (proposal["result"] as? [String: Any])?["ratios"] as? [Double]
    #expect((second["whole"] as? [String: Any])?["ratios"] as? [Double] == ratios)

    let page = try String(contentsOf: program.folder.appendingPathComponent("page.html"), encoding: .utf8)
    #expect(page.contains("<svg") && page.contains("polyline") && page.hasSuffix("</html>\n"))
    #expect(!page.contains("http"))
  }

  @Test func everyModuleIsLookedAtIfAsked() throws {
    let program = try Self.program()
    defer { program.remove() }
    let outcome = try program.run([
      "precision", "tiny.safetensors", "song.wav", "--seconds", "0.25", "--every-module", "--quiet", "--html",
      "page.html",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n")
    let first = try #require(lines.firstIndex { $0.hasPrefix("modules ") && $0.contains("all but") })
    let names = lines[(first + 1)...].compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(Set(names).isSuperset(of: ["encoder.0.conv", "tencoder.1.dconv.layers.0.1", "decoder.2.conv_tr", "stft"]))
    #expect(lines.contains { $0.hasPrefix("everything in half precision") })
    let page = try String(contentsOf: program.folder.appendingPathComponent("page.html"), encoding: .utf8)
    #expect(page.contains("<h2>Modules</h2>") && page.contains("encoder.0.conv"))
  }
}
