import AudioFiles
import Checkpoints
import Foundation
import GoldenSupport
import HTDemucs
import Tensors

/// A model file of a tiny network with generated weights: two stems at 8 kHz, segments of half a second.
struct TestModel {
  var kwargs: [String: JSONValue] = [
    "sources": .array([.string("hum"), .string("hiss")]), "channels": .integer(8), "depth": .integer(3),
    "nfft": .integer(512), "dconv_mode": .integer(3), "dconv_comp": .integer(4), "t_layers": .integer(1),
    "t_heads": .integer(2), "t_hidden_scale": .integer(2), "samplerate": .integer(8000),
    "segment": .number(0.5),
  ]
  var klass = "demucs.htdemucs.HTDemucs"
  var type = TensorType.float32
  var tensors: [(name: String, tensor: Tensor)] = []

  /// An HTDemucs, with the tensors that the configuration asks for.
  init() throws { try makeTensors() }

  /// The same with other stems and segments of another length in seconds.
  init(sources: [String], segment: Double) throws {
    kwargs["sources"] = .array(sources.map { .string($0) })
    kwargs["segment"] = .number(segment)
    try makeTensors()
  }

  /// The same for an HDemucs of two layers, which then meet, and one beyond.
  static func hdemucs(_ changes: [String: JSONValue] = [:]) throws -> TestModel {
    var model = try TestModel()
    model.klass = "demucs.hdemucs.HDemucs"
    model.kwargs = model.kwargs.filter { !$0.key.hasPrefix("t_") && $0.key != "dconv_mode" }
    model.kwargs.merge(
      ["nfft": .integer(64), "dconv_lstm": .integer(1), "dconv_attn": .integer(1), "norm_starts": .integer(1)]
    ) { $1 }
    model.kwargs.merge(changes) { $1 }
    try model.makeTensors()
    return model
  }

  private mutating func makeTensors() throws {
    let list = Collector()
    _ = try InnerNetwork(ModelDescription(klass: klass, kwargs: kwargs)) { name, shape in
      let tensor = CounterGenerator.parameter(name, shape)
      list.tensors.append((name, tensor))
      return tensor
    }
    tensors = list.tensors
  }

  private final class Collector {
    var tensors: [(name: String, tensor: Tensor)] = []
  }

  /// Writes the file into a folder of the program.
  func write(_ program: Program, _ name: String = "tiny.safetensors") throws {
    let url = program.folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try SafetensorsWriter.write(
      to: url.path, tensors: tensors, type: type,
      metadata: ModelDescription(klass: klass, kwargs: kwargs).metadata)
  }
}

extension Program {
  /// Writes `frames` frames of the sample song as a WAV file.
  func writeSong(
    _ name: String = "song.wav", frames: Int, from start: Int = 100_000, channels: Int = 2,
    sampleRate: Int = 44100
  ) throws {
    let song = try AudioSource.load(
      path: Golden.fixtures.appendingPathComponent("song.flac").path, sampleRate: 44100,
      channelCount: channels
    ).audio
    let path = folder.appendingPathComponent(name).path
    let writer = try AudioFileWriter(
      path: FilePath(path), sampleRate: sampleRate, channelCount: channels, sampleFormat: .int16)
    try writer.write(AudioBuffer(channels: song.channels.map { Array($0[start..<start + frames]) }))
    try writer.finish()
  }

  /// What a file that the program wrote holds.
  func audio(_ name: String) throws -> (format: AudioFormat, channels: [[Float]]) {
    let reader = try AudioFileReader(path: FilePath(folder.appendingPathComponent(name).path))
    var channels = [[Float]](repeating: [], count: reader.format.channelCount)
    while let block = try reader.read(maximumFrames: 1 << 16) {
      for channel in channels.indices { channels[channel] += block.channels[channel] }
    }
    return (reader.format, channels)
  }

  func bytes(_ name: String) throws -> Data { try Data(contentsOf: folder.appendingPathComponent(name)) }
}
