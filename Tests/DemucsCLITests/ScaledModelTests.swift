import Foundation
import GoldenSupport
import Testing

/// Models whose weights are 8-bit integers with scales, in all that loads a model.
struct ScaledModelTests {
  private let program: Program

  init() throws {
    program = try Program()
    for name in ["tiny8", "tiny8-values"] {
      let source = Golden.fixtures.appendingPathComponent("checkpoints/\(name).safetensors")
      try FileManager.default.copyItem(at: source, to: program.folder.appendingPathComponent("\(name).safetensors"))
    }
  }

  private func run(_ arguments: String...) throws -> Program.Outcome {
    let outcome = try program.run(arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome
  }

  private func stems(_ model: String) throws -> [Data] {
    try program.writeSong(frames: 20_000)
    _ = try run("separate", "song.wav", "-n", model, "--float32")
    let name = model.split(separator: "/").last?.split(separator: ".").first ?? ""
    return try ["hum", "hiss"].map { try program.bytes("separated/\(name)/song/\($0).wav") }
  }

  @Test func stemsAreThoseOfTheFloats() throws {
    defer { program.remove() }
    let stems = try stems("./tiny8.safetensors")
    #expect(try stems == self.stems("./tiny8-values.safetensors"))
    #expect(stems.allSatisfy { $0.count > 8 * 3000 } && stems[0] != stems[1])
    for name in ["tiny8", "tiny8-values"] {
      let bag = Data("models: [\(name), \(name)]\n".utf8)
      try bag.write(to: program.folder.appendingPathComponent("\(name)-twice.yaml"))
    }
    #expect(try self.stems("./tiny8-twice.yaml") == self.stems("./tiny8-values-twice.yaml"))
  }

  @Test func informationCountsParametersOnce() throws {
    defer { program.remove() }
    func report(_ model: String) throws -> [String: Any] {
      let outcome = try run("models", "info", "./\(model).safetensors", "--json")
      return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }
    let (scaled, floats) = (try report("tiny8"), try report("tiny8-values"))
    for key in ["parameters", "estimatedMemoryBytes"] {
      #expect(scaled[key] as? Int == floats[key] as? Int && scaled[key] is Int, "\(key)")
    }
    #expect(scaled["estimatedGigaflopsPerSegment"] as? Double == floats["estimatedGigaflopsPerSegment"] as? Double)
    #expect(scaled["types"] as? [String] == ["F16", "I8"] && floats["types"] as? [String] == ["F32"])
    #expect(scaled["fileBytes"] as? Int == 34_928)
    let verified = try run("models", "verify", "./tiny8.safetensors").output
    #expect(verified.contains("213 tensors fit the network"), "\(verified)")
  }

  @Test func importMakesFloatsOfIt() throws {
    defer { program.remove() }
    _ = try run("models", "import", "tiny8.safetensors", "--output", "whole.safetensors")
    #expect(try stems("./whole.safetensors") == stems("./tiny8.safetensors"))
    _ = try run("models", "import", "tiny8.safetensors", "--output", "half.safetensors", "--precision", "fp16")
    let types = try run("models", "info", "./half.safetensors", "--json").output
    #expect(types.contains("\"F16\"") && !types.contains("\"F32\"") && !types.contains("\"I8\""), "\(types)")
  }
}
