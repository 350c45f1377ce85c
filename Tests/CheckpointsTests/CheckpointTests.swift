import Checkpoints
import Foundation
import Tensors
import Testing

@Suite struct CheckpointTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var small: [(name: String, tensor: Tensor)] {
    [
      ("b.weight", Tensor(shape: [2, 3], values: [1, -2, 0.5, 65504, 0, 0x1p-24])),
      ("a.scale", Tensor(shape: [], values: [3])),
      ("empty", Tensor(shape: [0, 4], values: [])),
      ("a \"quoted\"\n", Tensor(shape: [1], values: [-1])),
    ]
  }

  @Test(arguments: [TensorType.float32, .float16, .bfloat16])
  func writtenTensorsReadBack(type: TensorType) throws {
    let path = folder.path + "/model.safetensors"
    let metadata = ["klass": "é", "note": "two\nlines"]
    try SafetensorsWriter.write(to: path, tensors: small, type: type, metadata: metadata)
    let checkpoint = try Checkpoint(safetensors: path)
    #expect(checkpoint.names == small.map(\.name).sorted())
    #expect(checkpoint.metadata == metadata)
    for (name, tensor) in small {
      #expect(checkpoint.shape(of: name) == tensor.shape)
      #expect(checkpoint.type(of: name) == type)
      var expected = values(tensor)
      if type == .bfloat16, name == "b.weight" { expected[3] = 65536 }  // eight bits of significand
      #expect(try values(checkpoint.tensor(name, shape: tensor.shape)) == expected)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.safetensors"])
  }

  @Test func equalTensorsGiveEqualBytesAndAlignedData() throws {
    let paths = ["1", "2"].map { folder.path + "/" + $0 }
    for path in paths {
      try SafetensorsWriter.write(to: path, tensors: small, metadata: ["x": "1", "y": "2", "z": "3"])
    }
    let files = try paths.map { try [UInt8](Data(contentsOf: URL(fileURLWithPath: $0))) }
    #expect(files[0] == files[1])
    #expect(files[0][0] % 8 == 0)
  }

  @Test func whatCannotBeWrittenIsAnError() throws {
    let one = [(name: "x", tensor: Tensor(shape: [1]))]
    #expect(throws: CheckpointError.self) {
      try SafetensorsWriter.write(to: folder.path + "/no/x", tensors: one)
    }
    #expect(throws: CheckpointError.self) {
      try SafetensorsWriter.write(to: folder.path + "/x", tensors: one, type: .int64)
    }
    #expect(throws: CheckpointError.self) {
      try SafetensorsWriter.write(to: folder.path + "/x", tensors: one + one)
    }
    // A folder under the final name: the rename fails, and the temporary file goes.
    try FileManager.default.createDirectory(
      atPath: folder.path + "/taken/in", withIntermediateDirectories: true)
    #expect(throws: CheckpointError.self) {
      try SafetensorsWriter.write(to: folder.path + "/taken", tensors: one)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["taken"])
  }

  @Test func integers() throws {
    let path = try folder.safetensors(
      header: """
        {"l":{"dtype":"I64","shape":[3],"data_offsets":[0,24]},
         "i":{"dtype":"I32","shape":[2],"data_offsets":[24,32]},
         "u":{"dtype":"U8","shape":[],"data_offsets":[32,33]}}
        """,
      data: [Int64.min, -1, .max].flatMap { littleEndian($0) } + [Int32.min, 7].flatMap { littleEndian($0) }
        + [9])
    let checkpoint = try Checkpoint(safetensors: path)
    #expect(try checkpoint.int64s("l") == [.min, -1, .max])
    #expect(try checkpoint.int64s("i") == [Int(Int32.min), 7])
    #expect(
      throws: CheckpointError.wrongType(path: path, name: "u", type: .uint8, wanted: "I64 or I32")
    ) { try checkpoint.int64s("u") }
    #expect(
      throws: CheckpointError.wrongType(path: path, name: "l", type: .int64, wanted: "F16, BF16, F32 or F64")
    ) { try checkpoint.tensor("l") }
    #expect(throws: CheckpointError.missing(path: path, name: "x")) { try checkpoint.int64s("x") }
  }

  @Test func differencesFromTheNetworkAreNamed() throws {
    let tensors = (0..<20).map { (name: "t\($0)", tensor: Tensor(shape: [2])) }
    let path = folder.path + "/model.safetensors"
    try SafetensorsWriter.write(to: path, tensors: tensors)
    let checkpoint = try Checkpoint(safetensors: path)
    let expected = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor.shape) })
    try checkpoint.check(expected: expected)

    let network = ["t0": [2], "t1": [2, 1], "new.weight": [3], "new.bias": []]
    let error = #expect(throws: CheckpointError.self) { try checkpoint.check(expected: network) }
    guard case .mismatch(path, let mismatch) = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(mismatch.missing == ["new.bias", "new.weight"])
    #expect(mismatch.extra.count == 18 && mismatch.extra.first == "t10")
    #expect(mismatch.misshapen.map(\.name) == ["t1"])
    #expect(mismatch.misshapen.first?.expected == [2, 1] && mismatch.misshapen.first?.found == [2])
    let message = try #require(error).description
    #expect(message.hasPrefix(path + ": "))
    #expect(message.contains("2 missing (\"new.bias\", \"new.weight\")"))
    #expect(message.contains("18 extra (\"t10\", "))
    #expect(message.contains("and 10 more)"))
    #expect(message.contains("1 misshapen (\"t1\" [2] for [2, 1])"))
  }

  @Test func oneTensorIsCheckedAgainstItsShape() throws {
    let checkpoint = Checkpoint(
      path: "memory", description: ModelDescription(klass: "k", kwargs: [:]),
      tensors: ["x": Tensor(shape: [2, 2], values: [1, 2, 3, 4])])
    #expect(try values(checkpoint.tensor("x", shape: [2, 2])) == [1, 2, 3, 4])
    #expect(
      throws: CheckpointError.misshapen(path: "memory", name: "x", expected: [4], found: [2, 2])
    ) { try checkpoint.tensor("x", shape: [4]) }
    #expect(throws: CheckpointError.missing(path: "memory", name: "y")) {
      try checkpoint.tensor("y", shape: [4])
    }
  }

  @Test(arguments: [TensorType.float32, .float16, .bfloat16], [Float.nan, .infinity, -.infinity])
  func weightsMustBeFinite(type: TensorType, value: Float) throws {
    var numbers = [Float](repeating: 1, count: 100)
    numbers[63] = value
    let path = folder.path + "/model.safetensors"
    try SafetensorsWriter.write(
      to: path, tensors: [("w", Tensor(shape: [10, 10], values: numbers))], type: type)
    let checkpoint = try Checkpoint(safetensors: path)
    let error = #expect(throws: CheckpointError.self) { try checkpoint.tensor("w", shape: [10, 10]) }
    #expect(error?.description.contains("tensor \"w\" holds \(value) at element 63") == true)
    #expect(try values(checkpoint.tensor("w"))[63].isFinite == false)
  }

  @Test func tensorsInMemoryAreCopied() throws {
    let original = Tensor(shape: [1], values: [1])
    let description = ModelDescription(
      klass: "demucs.htdemucs.HTDemucs", args: [.array([.string("drums")])],
      kwargs: ["channels": .integer(8), "x": .number(0.5)])
    let checkpoint = Checkpoint(path: "memory", description: description, tensors: ["x": original])
    let copy = try checkpoint.tensor("x")
    copy.data[0] = 2
    #expect(values(original) == [1] && values(copy) == [2])
    #expect(try checkpoint.modelDescription() == description)
    #expect(checkpoint.names == ["x"] && checkpoint.type(of: "x") == .float32)
  }

  @Test(arguments: [
    [:], ["klass": "k", "args": "[]"], ["klass": "k", "kwargs": "{}"], ["args": "[]", "kwargs": "{}"],
    ["klass": "k", "args": "{}", "kwargs": "{}"], ["klass": "k", "args": "[]", "kwargs": "[]"],
    ["klass": "k", "args": "[", "kwargs": "{}"],
  ])
  func otherMetadataIsNoDemucsCheckpoint(metadata: [String: String]) throws {
    let path = folder.path + "/model.safetensors"
    try SafetensorsWriter.write(to: path, tensors: [], metadata: metadata)
    let checkpoint = try Checkpoint(safetensors: path)
    let error = #expect(throws: CheckpointError.self) { try checkpoint.modelDescription() }
    #expect(error?.description.hasPrefix("\(path): not a demucs checkpoint: its metadata ") == true)
  }

  /// The page of a mapping whose file was cut short kills a process that reads it.
  @Test func aFileCutShortWhileInUseIsAnError() throws {
    let path = folder.path + "/model.safetensors"
    try SafetensorsWriter.write(to: path, tensors: [("x", Tensor(shape: [100_000]))])
    let checkpoint = try Checkpoint(safetensors: path)
    try FileHandle(forUpdating: URL(fileURLWithPath: path)).truncate(atOffset: 4096)
    #expect(throws: CheckpointError.self) { try checkpoint.tensor("x") }
  }

  @Test func theEmbeddedModel() throws {
    let checkpoint = try Checkpoint(safetensors: repository + "/models/open_6s.safetensors")
    #expect(checkpoint.names.count == 525)
    let description = try checkpoint.modelDescription()
    #expect(description.klass == "demucs.htdemucs.HTDemucs")
    #expect(description.kwargs["channels"]?.intValue == 32)
    #expect(description.kwargs["t_hidden_scale"]?.doubleValue == 4)
    #expect(description.kwargs["segment"]?.fractionValue == Fraction(39, 5))
    #expect(description.kwargs["sources"]?.arrayValue?.count == 6)
    var parameters = 0
    for name in checkpoint.names {
      let shape = try #require(checkpoint.shape(of: name))
      #expect(checkpoint.isWeight(name))
      parameters += try checkpoint.tensor(name, shape: shape).count
    }
    #expect(parameters == 12_220_228)
  }
}
