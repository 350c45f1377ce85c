import CheckpointFuzzing
import Checkpoints
import Foundation
import Tensors
import Testing

/// `Checkpoint.write(safetensors:precision:)`; that demucs loads its files is checked by `scripts/oracle/check_export.py`.
@Suite struct CheckpointExportTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [
    ("tiny.th", TensorType.float16), ("tiny.th", .float32), ("tiny32.th", .float32), ("tiny.safetensors", .float16),
    ("tiny-positional.th", .float16),
  ])
  func whatIsWrittenIsWhatWasRead(name: String, precision: TensorType) throws {
    let source = try Checkpoint(opening: TorchLayoutTests.fixtures + name)
    let path = folder.path + "/out.safetensors"
    try source.write(safetensors: path, precision: precision)
    let copy = try Checkpoint(opening: path)
    #expect(copy.names == source.names)
    #expect(try copy.modelDescription() == source.modelDescription() && copy.metadata["format"] == "pt")
    for name in source.names {
      #expect(copy.type(of: name) == precision && copy.shape(of: name) == source.shape(of: name))
      #expect(try values(copy.tensor(name)) == values(source.tensor(name)))
    }
    let again = folder.path + "/again.safetensors"
    try source.write(safetensors: again, precision: precision)
    #expect(FileManager.default.contentsEqual(atPath: path, andPath: again))
  }

  @Test func roundingIsThatOfTheType() throws {
    let source = try Checkpoint(opening: TorchLayoutTests.fixtures + "tiny32.th")
    let path = folder.path + "/half.safetensors"
    try source.write(safetensors: path, precision: .float16)
    // demucs' own halves of the same weights.
    let expected = try Checkpoint(opening: TorchLayoutTests.fixtures + "tiny.safetensors")
    let copy = try Checkpoint(opening: path)
    for name in source.names { #expect(try values(copy.tensor(name)) == values(expected.tensor(name))) }
  }

  @Test func integersStayAsTheyAre() throws {
    let path = try folder.file(
      "x.th", TinyPackage(values: [1, 2, 3], storageType: "IntStorage").archive.bytes)
    try Checkpoint(opening: path).write(safetensors: folder.path + "/out", precision: .float16)
    let copy = try Checkpoint(opening: folder.path + "/out")
    #expect(try copy.type(of: "w") == .int32 && copy.int64s("w") == [1, 2, 3].map { Int(Float($0).bitPattern) })
  }

  @Test func whatCannotBeWrittenLeavesNoFile() throws {
    let out = folder.path + "/out"
    let large = try Checkpoint(opening: folder.file("x.th", TinyPackage(values: [1, 65519, -65520]).archive.bytes))
    let error = #expect(throws: CheckpointError.self) { try large.write(safetensors: out, precision: .float16) }
    #expect(error == .overflow(path: large.path, name: "w", index: 2, value: -65520))
    #expect(error?.description.contains("tensor \"w\" holds -65520.0 at element 2") == true)
    let nan = try Checkpoint(opening: folder.file("y.th", TinyPackage(values: [1, .infinity]).archive.bytes))
    let refusal = #expect(throws: CheckpointError.self) { try nan.write(safetensors: out, precision: .float32) }
    #expect(refusal?.description.contains("tensor \"w\" holds inf") == true)
    #expect(throws: CheckpointError.self) { try large.write(safetensors: out, precision: .bfloat16) }
    #expect(throws: CheckpointError.self) { try large.write(safetensors: folder.path + "/no/x", precision: .float32) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["x.th", "y.th"])
    try large.write(safetensors: out, precision: .float32)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["out", "x.th", "y.th"])
  }

  @Test func aPackedStateIsRefused() throws {
    let path = folder.path + "/q.safetensors"
    try SafetensorsWriter.write(
      to: path, tensors: [("x", Tensor(shape: [1]))],
      metadata: ["klass": "k", "args": "[]", "kwargs": "{}", "structure": "{}"])
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(opening: path).modelDescription() }
    #expect(error?.description.contains("quantised") == true)
  }
}
