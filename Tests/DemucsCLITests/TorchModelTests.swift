import Foundation
import GoldenSupport
import Testing

/// `-n FILE.th`: the same weights in PyTorch's format and in safetensors give the same stems.
struct TorchModelTests {
  private func stems(_ file: String) throws -> [Data] {
    let program = try Program()
    defer { program.remove() }
    let source = Golden.fixtures.appendingPathComponent("checkpoints/" + file)
    try FileManager.default.copyItem(at: source, to: program.folder.appendingPathComponent(file))
    try program.writeSong(frames: 20_000)
    let outcome = try program.run(["separate", "song.wav", "-n", file, "--float32"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let folder = "separated/" + file.split(separator: ".")[0] + "/song/"
    return try ["hum.wav", "hiss.wav"].map { try program.bytes(folder + $0) }
  }

  @Test(arguments: [
    ("tiny.safetensors", ["tiny.th", "tiny-positional.th"]), ("tiny32.safetensors", ["tiny32.th"]),
    ("hdemucs.safetensors", ["hdemucs.th"]),
  ])
  func stemsAreEqualToTheByte(safetensors: String, torch: [String]) throws {
    let expected = try stems(safetensors)
    #expect(expected.allSatisfy { $0.count > 8 * 3000 } && expected[0] != expected[1])
    for file in torch { #expect(try stems(file) == expected, "\(file)") }
  }

  @Test(arguments: [("state", "lacks klass"), ("legacy", "before PyTorch 1.6"), ("quantized", "DiffQ")])
  func whatIsNoModelIsOneLine(file: String, reason: String) throws {
    let program = try Program()
    defer { program.remove() }
    let name = "refused-\(file).th"
    let source = Golden.fixtures.appendingPathComponent("checkpoints/" + name)
    try FileManager.default.copyItem(at: source, to: program.folder.appendingPathComponent(name))
    try program.writeSong(frames: 9000)
    let outcome = try program.run(["separate", "song.wav", "-n", name])
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains(name) && outcome.errors.contains(reason), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }
}
