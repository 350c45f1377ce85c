import Checkpoints
import Foundation
import Tensors
import Testing

/// Weights stored as 8-bit integers with one scale for each row, against what `scripts/make_torch_fixtures.py` says they are.
@Suite struct ScaledIntegerTests {
  static let fixtures = TorchLayoutTests.fixtures
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [("int8", 9), ("tiny8", 213)])
  func valuesAreThoseOfPyTorch(name: String, count: Int) throws {
    let checkpoint = try Checkpoint(opening: Self.fixtures + name + ".safetensors")
    let expected = try Checkpoint(opening: Self.fixtures + name + "-values.safetensors")
    #expect(checkpoint.names == expected.names && checkpoint.names.count == count)
    for name in checkpoint.names {
      let shape = try #require(expected.shape(of: name))
      #expect(checkpoint.shape(of: name) == shape && checkpoint.isWeight(name), "\(name)")
      #expect(try bits(checkpoint.tensor(name, shape: shape)) == bits(expected.tensor(name, shape: shape)), "\(name)")
    }
    #expect(try checkpoint.modelDescription() == expected.modelDescription())
  }

  @Test func scalesAreNoParameters() throws {
    let checkpoint = try Checkpoint(opening: Self.fixtures + "int8.safetensors")
    #expect(
      checkpoint.names == [
        "empty", "gamma_1.scale", "gamma_2.scale", "half", "matrix", "rows", "silent", "vector", "volume",
      ])
    #expect(checkpoint.shape(of: "matrix.scale") == nil && checkpoint.type(of: "matrix.scale") == nil)
    #expect(throws: CheckpointError.missing(path: checkpoint.path, name: "matrix.scale")) {
      try checkpoint.tensor("matrix.scale")
    }
    #expect(checkpoint.type(of: "matrix") == .int8 && checkpoint.type(of: "gamma_1.scale") == .int8)
    #expect(checkpoint.type(of: "gamma_2.scale") == .float32 && checkpoint.type(of: "half") == .float16)
    try checkpoint.check(
      expected: Dictionary(uniqueKeysWithValues: checkpoint.names.map { ($0, checkpoint.shape(of: $0) ?? []) }))
    // What changes the network's description keeps the weights.
    let same = Checkpoint(checkpoint, description: ModelDescription(klass: "k", kwargs: [:]))
    #expect(same.names == checkpoint.names)
    #expect(try values(same.tensor("vector")) == values(checkpoint.tensor("vector")))
  }

  @Test(arguments: [TensorType.float32, .float16])
  func exportedAsFloats(precision: TensorType) throws {
    // Rows longer and shorter than a block of the export, which ends within one.
    let shapes = [[3, 50_000], [70_001, 2]]
    var expected: [[Float]] = []
    var (header, data, scales): ([String], [UInt8], [UInt8]) = ([], [], [])
    for (index, shape) in shapes.enumerated() {
      let integers = (0..<shape[0] * shape[1]).map { Int8(truncatingIfNeeded: $0 &* 2_654_435 >> 3) }
      let rows = (0..<shape[0]).map { Float($0 % 977 + 1) * 0x1p-14 }
      expected.append(integers.indices.map { Float(integers[$0]) * rows[$0 / shape[1]] })
      let end = data.count + integers.count
      header.append(#""t\#(index)":{"dtype":"I8","shape":\#(shape),"data_offsets":[\#(data.count),\#(end)]}"#)
      data += integers.map { UInt8(bitPattern: $0) }
      scales += rows.flatMap { littleEndian($0.bitPattern) }
    }
    var start = data.count
    for (index, shape) in shapes.enumerated() {
      let end = start + 4 * shape[0]
      header.append(#""t\#(index).scale":{"dtype":"F32","shape":[\#(shape[0])],"data_offsets":[\#(start),\#(end)]}"#)
      start = end
    }
    header.append(#""__metadata__":{"klass":"k","args":"[]","kwargs":"{}"}"#)
    let source = try Checkpoint(
      opening: folder.safetensors(header: "{" + header.joined(separator: ",") + "}", data: data + scales))
    try source.write(safetensors: folder.path + "/floats", precision: precision)
    let copy = try Checkpoint(opening: folder.path + "/floats")
    #expect(copy.names == ["t0", "t1"])
    for (index, values) in expected.enumerated() {
      let name = "t\(index)"
      #expect(try bits(source.tensor(name)) == values.map(\.bitPattern))
      #expect(copy.type(of: name) == precision && copy.shape(of: name) == shapes[index])
      let rounded = precision == .float16 ? values.map { Float(Float16($0)) } : values
      #expect(try bits(copy.tensor(name)) == rounded.map(\.bitPattern))
    }
  }

  @Test func theExportOfANetworkIsItsFloats() throws {
    let source = try Checkpoint(opening: Self.fixtures + "tiny8.safetensors")
    let path = folder.path + "/tiny.safetensors"
    try source.write(safetensors: path, precision: .float32)
    let copy = try Checkpoint(opening: path)
    let expected = try Checkpoint(opening: Self.fixtures + "tiny8-values.safetensors")
    #expect(copy.names == expected.names && Set(copy.names.compactMap(copy.type)) == [.float32])
    for name in copy.names { #expect(try bits(copy.tensor(name)) == bits(expected.tensor(name)), "\(name)") }
    #expect(try copy.modelDescription() == expected.modelDescription())
  }

  /// What the header tells is said when the file is opened.
  @Test(arguments: [
    ("scalar", "has no rows, but the scales of rows beside it"), ("half", "has scales stored as F16, not as F32"),
    ("columns", "has 2 rows, but scales of shape [3]"),
    ("flat", "has 2 rows, but scales of shape [2, 1]"),
  ])
  func scalesThatDoNotFit(file: String, reason: String) throws {
    let path = Self.fixtures + "refused-int8-\(file).safetensors"
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(opening: path) }
    #expect(error == .misscaled(path: path, name: "w", reason: reason))
    #expect(
      error?.description.hasPrefix("\(path): tensor \"w\" is stored as I8 and \(reason). Each row needs ") == true)
  }

  @Test(arguments: [
    ("nan", "has the scale nan for row 1"), ("infinite", "has the scale inf for row 0"),
    ("negative", "has the scale -0.5 for row 1"), ("zero", "has the scale 0.0 for row 0, which is not all zeros"),
  ])
  func scalesThatCannotBe(file: String, reason: String) throws {
    let checkpoint = try Checkpoint(opening: Self.fixtures + "refused-int8-\(file).safetensors")
    let expected = CheckpointError.misscaled(path: checkpoint.path, name: "w", reason: reason)
    #expect(throws: expected) { try checkpoint.tensor("w", shape: [2, 3]) }
    #expect(throws: expected) { try checkpoint.write(safetensors: folder.path + "/out", precision: .float32) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }

  @Test func integersWithoutScalesAreNoWeights() throws {
    let path = Self.fixtures + "refused-int8-alone.safetensors"
    let checkpoint = try Checkpoint(opening: path)
    #expect(checkpoint.names == ["w"] && !checkpoint.isWeight("w"))
    let error = #expect(throws: CheckpointError.self) { try checkpoint.tensor("w") }
    #expect(error?.description.contains("is stored as I8, not as F16, ") == true)
    #expect(error?.description.contains("no scales for it (\"w.scale\"") == true)
    // They are written as they are.
    try checkpoint.write(safetensors: folder.path + "/out", precision: .float16)
    #expect(try Checkpoint(opening: folder.path + "/out").type(of: "w") == .int8)
  }

  /// A product beyond float32 is no weight either.
  @Test func productsMustBeFinite() throws {
    let path = try folder.safetensors(
      header: #"{"w.scale":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
        + #""w":{"dtype":"I8","shape":[1,2],"data_offsets":[4,6]}}"#,
      data: littleEndian(Float(1e38).bitPattern) + [1, 0x80])
    let checkpoint = try Checkpoint(opening: path)
    #expect(throws: CheckpointError.nonFinite(path: path, name: "w", index: 1, value: -.infinity)) {
      try checkpoint.tensor("w", shape: [1, 2])
    }
  }

  /// Floats have no scales, whatever the tensor beside them is called; and what has no elements needs none.
  @Test func namesAloneMakeNoScales() throws {
    let path = try folder.safetensors(
      header: #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
        + #""w.scale":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"#
        + #""e.scale":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"#
        + #""e":{"dtype":"I8","shape":[1,0],"data_offsets":[12,12]}}"#,
      data: [Float(3), 5, .nan].flatMap { littleEndian($0.bitPattern) })
    let checkpoint = try Checkpoint(opening: path)
    #expect(checkpoint.names == ["e", "w", "w.scale"])
    #expect(try values(checkpoint.tensor("w")) == [3] && values(checkpoint.tensor("w.scale")) == [5])
    #expect(try values(checkpoint.tensor("e", shape: [1, 0])) == [])
  }

  /// Of PyTorch's tensors none is the scales of another, and none becomes it.
  @Test func integersOfPyTorchKeepTheirMeaning() throws {
    var package = TinyPackage(values: [1, 2])
    package.storageType = "CharStorage"
    package.storageCount = 8
    package.size = [8]
    let integers = package.tensor
    package.state = Pickle.dictionary([("w", integers), ("w.scale", integers)])
    let checkpoint = try Checkpoint(opening: folder.file("x.th", package.archive.bytes))
    #expect(checkpoint.names == ["w", "w.scale"] && checkpoint.type(of: "w") == .int8 && !checkpoint.isWeight("w"))
    #expect(throws: CheckpointError.self) { try checkpoint.tensor("w") }
    let error = #expect(throws: CheckpointError.self) {
      try checkpoint.write(safetensors: folder.path + "/out", precision: .float32)
    }
    #expect(error?.description.contains("\"w.scale\" would become the scales of \"w\"") == true)
  }

  private func bits(_ tensor: Tensor) -> [UInt32] { values(tensor).map(\.bitPattern) }
}
