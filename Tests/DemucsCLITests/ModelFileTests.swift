import Checkpoints
import Foundation
import GoldenSupport
import Tensors
import Testing

/// `-n PATH`: model files of any configuration, and what is said of those that are broken.
struct ModelFileTests {
  /// Runs a model on a short song.
  private func run(_ model: TestModel, _ options: [String] = [], file: String = "my models/tiny.safetensors")
    throws
    -> (Program, Program.Outcome)
  {
    let program = try Program()
    try model.write(program, file)
    try program.writeSong(frames: 9000)
    return (program, try program.run(["separate", "song.wav", "-n", file] + options))
  }

  @Test func aPathIsAModelAndItsFolderOfResultsIsCalledLikeIt() throws {
    let (program, outcome) = try run(try TestModel())
    defer { program.remove() }
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == "separated/tiny/song/hum.wav\nseparated/tiny/song/hiss.wav\n")
    let (format, channels) = try program.audio("separated/tiny/song/hum.wav")
    // 9000 frames at 44.1 kHz, at the model's 8 kHz.
    #expect(format.sampleRate == 8000 && channels.map(\.count) == [1633, 1633])
  }

  @Test func halfPrecisionIsRead() throws {
    var half = try TestModel()
    half.type = .float16
    let (program, outcome) = try run(half, ["--float32"])
    defer { program.remove() }
    #expect(outcome.status == 0, "\(outcome.errors)")
    let (whole, _) = try run(try TestModel(), ["--float32"])
    defer { whole.remove() }
    let pair = zip(
      try program.audio("separated/tiny/song/hum.wav").channels[0],
      try whole.audio("separated/tiny/song/hum.wav").channels[0])
    #expect(pair.contains { $0 != $1 } && pair.allSatisfy { abs($0 - $1) < 0.05 })
  }

  enum Damage: String, CaseIterable { case missing, extra, misshapen }

  @Test(arguments: Damage.allCases) func tensorsThatDoNotFitAreNamed(damage: Damage) throws {
    var model = try TestModel()
    let name = "crosstransformer.layers.0.linear1.weight"
    let index = try #require(model.tensors.firstIndex { $0.name == name })
    switch damage {
    case .missing: model.tensors.remove(at: index)
    case .extra: model.tensors.append(("decoder.9.conv_tr.bias", Tensor(shape: [3])))
    case .misshapen: model.tensors[index].tensor = Tensor(shape: [32, 7])
    }
    let (program, outcome) = try run(model)
    defer { program.remove() }
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("1 \(damage.rawValue)"), "\(outcome.errors)")
    #expect(outcome.errors.contains(damage == .extra ? "decoder.9.conv_tr.bias" : name), "\(outcome.errors)")
    #expect(outcome.errors.contains("my models/tiny.safetensors"))
    let files = try program.files()
    #expect(!files.contains { $0.hasPrefix("separated") })
  }

  @Test func weightsThatAreNoNumbersAreNamed() throws {
    let model = try TestModel()
    let damaged = try #require(model.tensors.first { $0.name == "encoder.0.conv.bias" })
    damaged.tensor.data[2] = .nan
    let (program, outcome) = try run(model)
    defer { program.remove() }
    #expect(outcome.status == 1 && outcome.errors.contains("encoder.0.conv.bias"), "\(outcome.errors)")
  }

  struct Refusal: Sendable {
    let parameter: String
    let value: JSONValue
    let says: String
  }

  @Test(arguments: [
    Refusal(parameter: "multi_freqs", value: .array([.number(0.25)]), says: "not implemented"),
    Refusal(parameter: "cac", value: .bool(false), says: "not implemented"),
    Refusal(parameter: "t_emb", value: .string("rotary"), says: "\"rotary\", which is not implemented"),
    Refusal(parameter: "t_sin_random_shift", value: .integer(4), says: "not implemented"),
    Refusal(parameter: "t_sparse_self_attn", value: .bool(true), says: "not implemented"),
    Refusal(parameter: "t_sparse_cross_attn", value: .bool(true), says: "not implemented"),
    Refusal(parameter: "t_heads", value: .integer(5), says: "a divisor of"),
    Refusal(parameter: "channels", value: .string("many"), says: "a whole number"),
    Refusal(parameter: "segment", value: .integer(0), says: "a number of seconds that makes 1 to"),
    Refusal(parameter: "sources", value: .array([.string("a"), .string("a")]), says: "different names"),
  ])
  func valuesThatCannotBeAreNamed(refusal: Refusal) throws {
    var model = try TestModel()
    model.kwargs[refusal.parameter] = refusal.value
    let (program, outcome) = try run(model)
    defer { program.remove() }
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("'\(refusal.parameter)'"), "\(outcome.errors)")
    #expect(outcome.errors.contains(refusal.says), "\(outcome.errors)")
    #expect(outcome.errors.contains("tiny.safetensors"))
  }

  @Test func otherNetworksAreNamed() throws {
    var model = try TestModel()
    model.klass = "demucs.demucs.Demucs"
    let (program, outcome) = try run(model)
    defer { program.remove() }
    #expect(outcome.status == 1 && outcome.errors.contains("demucs.demucs.Demucs"), "\(outcome.errors)")
  }

  @Test func anHDemucsSeparates() throws {
    let (program, outcome) = try run(try TestModel.hdemucs())
    defer { program.remove() }
    #expect(outcome.status == 0, "\(outcome.errors)")
    let (format, channels) = try program.audio("separated/tiny/song/hum.wav")
    #expect(format.sampleRate == 8000 && channels.map(\.count) == [1633, 1633])
  }

  /// A longer segment than in the training is for an HDemucs alone, and where memory ends it is said.
  @Test func longSegments() throws {
    for (model, seconds, status) in [
      (try TestModel.hdemucs(), "2.5", Int32(0)), (try TestModel(), "2.5", 64), (try TestModel.hdemucs(), "99999", 64),
    ] {
      let (program, outcome) = try run(model, ["--segment", seconds])
      defer { program.remove() }
      #expect((outcome.status == 0) == (status == 0), "\(model.klass), \(seconds) s: \(outcome)")
      #expect(status == 0 || outcome.errors.contains("egment"), "\(outcome.errors)")
    }
  }

  @Test func anHDemucsIsMeasured() throws {
    let program = try Program()
    defer { program.remove() }
    try TestModel.hdemucs().write(program, "tiny.safetensors")
    let outcome = try program.run(["bench", "-n", "tiny.safetensors", "--runs", "1"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("LSTM") && outcome.output.contains("local attention"), "\(outcome.output)")
  }

  /// A song shorter than a segment, too; what is none is an error with its name.
  @Test func aSongIsMeasured() throws {
    let program = try Program()
    defer { program.remove() }
    try TestModel.hdemucs().write(program, "tiny.safetensors")
    try program.writeSong(frames: 100)
    let bench = ["bench", "-n", "tiny.safetensors", "--runs", "1", "--warmup", "0", "--input"]
    let outcome = try program.run(bench + ["song.wav"])
    #expect(outcome.status == 0 && outcome.output.contains("time per segment"), "\(outcome)")
    let absent = try program.run(bench + ["absent.wav"])
    #expect(absent.status == 1 && absent.errors.contains("absent.wav: no such file"), "\(absent)")
  }
}
