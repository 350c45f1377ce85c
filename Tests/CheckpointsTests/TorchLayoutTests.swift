import Checkpoints
import Foundation
import Testing

/// Files that PyTorch wrote (`scripts/make_torch_fixtures.py`): what is in them is read, however it is wrapped.
@Suite struct TorchLayoutTests {
  static let fixtures = repository + "/Fixtures/checkpoints/"

  static let layouts = [
    "layout-default.th", "layout-protocol1.pt", "layout-protocol3.pt", "layout-protocol4.pt", "layout-protocol5.pt",
    "layout-buffer.ckpt", "layout-nochecksum.pth", "layout-old.th", "layout-deflated.th", "layout-folder.th",
    "layout-nofolder.th", "layout-zip64.th", "layout-piped.th",
  ]

  @Test func allLayoutsAreListed() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.fixtures)
    #expect(files.filter { $0.hasPrefix("layout-") }.sorted() == Self.layouts.sorted())
  }

  @Test(arguments: layouts) func tensorsAndArguments(layout: String) throws {
    let checkpoint = try Checkpoint(opening: Self.fixtures + layout)
    let expected = try Checkpoint(opening: Self.fixtures + "layout.safetensors")
    #expect(checkpoint.names == expected.names && checkpoint.names.count == 20)
    for name in checkpoint.names {
      let type = try #require(checkpoint.type(of: name))
      #expect(checkpoint.shape(of: name) == expected.shape(of: name), "\(name)")
      guard type.isFloat else { continue }
      #expect(try values(checkpoint.tensor(name)) == values(expected.tensor(name)), "\(name)")
    }
    #expect(try checkpoint.int64s("int64") == [-(1 << 40), 0, 1 << 40])
    #expect(try checkpoint.int64s("int32") == [-1, 1 << 31 - 1])
    let types: [(String, TensorType)] = [
      ("float16", .float16), ("bfloat16", .bfloat16), ("float64", .float64), ("int16", .int16), ("int8", .int8),
      ("uint8", .uint8), ("bool", .bool), ("uint16", .uint16), ("half_view", .float16), ("parameter", .float32),
    ]
    for (name, type) in types { #expect(checkpoint.type(of: name) == type, "\(name)") }

    let description = try checkpoint.modelDescription()
    #expect(try description == expected.modelDescription())
    #expect(description.klass == "demucs.htdemucs.HTDemucs")
    #expect(description.args == [.array([.string("a"), .string("b")]), .integer(2)])
    #expect(description.kwargs["segment"]?.fractionValue == Fraction(39, 5))
    #expect(description.kwargs["growth"] == .number(2.5) && description.kwargs["depth"] == .integer(-3))
  }

  @Test(arguments: [("tiny", TensorType.float16), ("tiny32", .float32)])
  func theTwoFormatsOfOneNetworkAreEqual(name: String, type: TensorType) throws {
    let torch = try Checkpoint(opening: Self.fixtures + name + ".th")
    let safetensors = try Checkpoint(opening: Self.fixtures + name + ".safetensors")
    #expect(torch.names == safetensors.names && torch.names.count > 100)
    for name in torch.names {
      let shape = try #require(torch.shape(of: name))
      #expect(torch.type(of: name) == type)
      #expect(try values(torch.tensor(name, shape: shape)) == values(safetensors.tensor(name, shape: shape)))
    }
    #expect(try torch.modelDescription() == safetensors.modelDescription())
  }

  @Test(arguments: [
    ("legacy", "before PyTorch 1.6", "torch.save("), ("legacy1", "before PyTorch 1.6", "torch.save("),
    ("legacy4", "before PyTorch 1.6", "torch.save("), ("tar", "a tar archive", "torch.save("),
    ("state", "bare weights (a state dict of 2 tensors), and lacks klass, args, kwargs, state", "serialize_model"),
    ("lightning", "a dictionary of \"epoch\", \"state_dict\", and lacks klass", "serialize_model"),
    ("module", "a Python object of \"torch.nn.modules.linear.Linear\"", "serialize_model"),
    ("tensor", "a Python object of \"torch._utils._rebuild_tensor_v2\"", "serialize_model"),
    ("quantized", "quantised (DiffQ)", "mdx_extra"), ("script", "TorchScript", "Give the checkpoint"),
    ("bigendian", "big-endian", "safetensors"),
    ("sparse", "\"w\" is a Python object of \"torch._utils", "dense tensor"),
    ("complex", "its tensor \"w\" has a storage of the type \"torch.ComplexFloatStorage\"", "dense tensor"),
    ("negated", "its tensor \"w\" is a negated", "dense tensor"),
  ])
  func whatIsNotReadIsNamed(file: String, reason: String, remedy: String) throws {
    let path = Self.fixtures + "refused-\(file).th"
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(opening: path) }
    let message = try #require(error).description
    #expect(message.hasPrefix(path + ": ") && message.hasSuffix("."))
    #expect(message.contains(reason) && message.contains(remedy), "\(message)")
  }

  @Test func theContentTellsWhatAFileIs() throws {
    let folder = try TemporaryFolder()
    let copies = [("tiny.th", "a.safetensors"), ("tiny.safetensors", "b.th")]
    for (name, copy) in copies {
      try FileManager.default.copyItem(atPath: Self.fixtures + name, toPath: folder.path + "/" + copy)
      #expect(try Checkpoint(opening: folder.path + "/" + copy).names.count > 100)
    }
    let pickle = try folder.file("c.th", [0x80, 4, 0x4E, 0x2E])
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(opening: pickle) }
    #expect(error?.description.contains("it is a pickle") == true)
    for (bytes, words) in [([], "it is empty"), (Array("<!DOCTYPE html>".utf8), "web page")] {
      let path = try folder.file("d.th", bytes)
      let error = #expect(throws: CheckpointError.self) { try Checkpoint(opening: path) }
      #expect(error?.description.contains(words) == true)
    }
  }

  @Test func weightsThatAreNoNumbersAreNamed() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("nan.th", TinyPackage(values: [1, .nan, 3]).archive.bytes)
    let checkpoint = try Checkpoint(opening: path)
    let error = #expect(throws: CheckpointError.self) { try checkpoint.tensor("w", shape: [3]) }
    #expect(error?.description.contains("tensor \"w\" holds nan at element 1") == true)
  }
}
