import CheckpointFuzzing
import Checkpoints
import Foundation
import Testing

/// Pickles that nobody wrote in good faith: an error or plain data, nothing run, little memory, little time.
@Suite struct HostilePickleTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ package: TinyPackage) throws -> Checkpoint {
    try Checkpoint(opening: folder.file("x.th", package.archive.bytes))
  }

  private func refusal(_ package: TinyPackage) throws -> String {
    let error = #expect(throws: CheckpointError.self) { try open(package) }
    return try #require(error).description
  }

  private func refusal(pickle: [UInt8]) throws -> String {
    var archive = TinyPackage().archive
    archive.entries[0].content = pickle
    let path = try folder.file("x.th", archive.bytes)
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(opening: path) }
    return try #require(error).description
  }

  @Test func aSoundPackageIsRead() throws {
    let checkpoint = try open(TinyPackage())
    #expect(try values(checkpoint.tensor("w")) == [1, 2, 3])
    #expect(try checkpoint.modelDescription().kwargs.isEmpty)
  }

  @Test(arguments: [("os", "system"), ("posix", "system"), ("builtins", "exec"), ("subprocess", "Popen")])
  func nothingIsRun(module: String, function: String) throws {
    let trace = folder.path + "/trace"
    let call = Pickle.call(Pickle.global(module, function), [Pickle.text("touch \(trace)")])
    // As an argument it is a thing that nobody needs; in place of a tensor or of everything it is refused.
    let checkpoint = try open(TinyPackage(kwargs: [("x", call)]))
    #expect(try checkpoint.modelDescription().kwargs["x"]?["name"]?.stringValue == "\(module).\(function)")
    #expect(throws: CheckpointError.self) {
      try checkpoint.write(safetensors: folder.path + "/out.safetensors", precision: .float32)
    }
    #expect(try refusal(TinyPackage(state: Pickle.dictionary([("w", call)]))).contains("\(module).\(function)"))
    #expect(try refusal(pickle: Pickle.whole(call)).contains("\(module).\(function)"))
    #expect(!FileManager.default.fileExists(atPath: trace))
  }

  @Test(arguments: [
    (TinyPackage(offset: 1), "reaches element 3 of a storage of 3"), (TinyPackage(offset: -1), "negative"),
    (TinyPackage(size: [-3]), "negative"), (TinyPackage(stride: [-1]), "negative"),
    (TinyPackage(size: [4]), "reaches element 3"), (TinyPackage(stride: [2]), "reaches element 4"),
    (TinyPackage(offset: .max), "reaches beyond"), (TinyPackage(size: [3], stride: [.max]), "reaches beyond"),
    (TinyPackage(size: [1 << 32, 1 << 32], stride: [0, 0]), "too large to address"),
    (TinyPackage(size: [1 << 40], stride: [0]), "repeat their storages"),
    (TinyPackage(size: [3, 1 << 20, 4], stride: [1, 0, 0]), "repeat their storages"),
    (TinyPackage(size: [3], stride: [1, 1]), "no offset, size and stride"),
    (TinyPackage(size: [Int](repeating: 1, count: 40), stride: [Int](repeating: 1, count: 40)), "40 axes"),
    (TinyPackage(storageType: "DoubleStorage"), "storage of 24 bytes, which has 12 in the file"),
    (TinyPackage(storageType: "HalfStorage"), "storage of 6 bytes"),
    (TinyPackage(storageType: "QInt8Storage"), "\"torch.QInt8Storage\", which is not read."),
    (TinyPackage(storageCount: -3), "no storage"), (TinyPackage(storageCount: .max), "too large to address"),
    (TinyPackage(storageCount: 2), "reaches element 2 of a storage of 2"),
    (TinyPackage(state: Array("]".utf8)), "its state is no dictionary"),
    (TinyPackage(state: Pickle.dictionary([("w", Array("N".utf8))])), "its tensor \"w\" is None, which is not read"),
  ])
  func tensorsThatAreNotThere(package: TinyPackage, reason: String) throws {
    let message = try refusal(package)
    #expect(message.contains(reason), "\(message)")
  }

  /// A long list in place of metadata is not walked through: thousands of tensors may name it.
  @Test func metadata() throws {
    let orderedDictionary = Pickle.global("collections", "OrderedDict")
    for empty in [
      Array("N".utf8), Array("}".utf8), Pickle.call(orderedDictionary, []),
      Pickle.call(orderedDictionary, [Array("]".utf8)]),
    ] {
      #expect(try open(TinyPackage(metadata: empty)).tensor("w").count == 3)
    }
    let nothings = Array("](".utf8) + [UInt8](repeating: 0x4E, count: 100_000) + Array("e".utf8)
    for full in [Pickle.dictionary([("neg", [0x88])]), Pickle.call(orderedDictionary, [nothings]), nothings] {
      #expect(try refusal(TinyPackage(metadata: full)).contains("negated or conjugated view"))
    }
  }

  @Test func emptyTensorsReachNothing() throws {
    let checkpoint = try open(TinyPackage(offset: 99, size: [0, 5], stride: [5, 1]))
    #expect(try checkpoint.tensor("w").count == 0)
  }

  @Test func twoTypesOfOneStorage() throws {
    var other = TinyPackage()
    other.storageType = "IntStorage"
    let state = Pickle.dictionary([("a", TinyPackage().tensor), ("b", other.tensor)])
    #expect(try refusal(TinyPackage(state: state)).contains("takes a storage for one of another type"))
  }

  /// Each list has the one before it ten times: 10^15 elements in 200 opcodes.
  @Test func billionLaughs() throws {
    var laughs = Pickle.text("lol") + [0x71, 0]
    for level: UInt8 in 0..<15 {
      laughs += Array("0](".utf8) + (0..<10).flatMap { _ in [0x68, level] } + Array("e".utf8) + [0x71, level + 1]
    }
    #expect(try refusal(TinyPackage(kwargs: [("x", laughs)])).contains("too many"))
    #expect(try refusal(TinyPackage(state: laughs)).contains("its state is no dictionary"))
    // One long text, any number of times.
    let texts =
      Pickle.text(String(repeating: "x", count: 100_000)) + [0x71, 0, 0x30] + Array("](".utf8)
      + (0..<100_000).flatMap { _ in [0x68, 0] as [UInt8] } + Array("e".utf8)
    #expect(try refusal(TinyPackage(kwargs: [("x", texts)])).contains("too many"))
    // One dictionary of many keys that are no texts, any number of times.
    let pairs = Array("}(".utf8) + (0..<100_000).flatMap { _ in Array("NN".utf8) } + Array("u".utf8) + [0x71, 0, 0x30]
    let many = pairs + Array("](".utf8) + (0..<100_000).flatMap { _ in [0x68, 0] as [UInt8] } + Array("e".utf8)
    #expect(try refusal(TinyPackage(kwargs: [("x", many)])).contains("too many"))
  }

  @Test func valuesThatContainThemselves() throws {
    let list = Array("]".utf8) + [0x71, 0, 0x68, 0] + Array("a".utf8)
    #expect(try refusal(TinyPackage(kwargs: [("x", list)])).contains("nested deeper"))
    let dictionary = Array("}".utf8) + [0x71, 0] + Pickle.text("me") + [0x68, 0] + Array("s".utf8)
    #expect(try refusal(TinyPackage(kwargs: [("x", dictionary)])).contains("nested deeper"))
    #expect(try refusal(TinyPackage(state: dictionary)).contains("its tensor \"me\" is a dictionary"))
    // A parameter that is made of itself.
    let parameter =
      Pickle.global("torch._utils", "_rebuild_parameter") + Array("]".utf8) + [0x71, 0] + Array("R".utf8)
      + [0x71, 1, 0x68, 0, 0x68, 1] + Array("a0".utf8)
    #expect(try refusal(TinyPackage(state: Pickle.dictionary([("w", parameter)]))).contains("is a Python object"))
  }

  @Test func deepNesting() throws {
    let depth = 200_000
    for (open, close) in [("]", "a"), ("(", "t"), ("(", "l")] {
      let nested =
        [UInt8](repeating: Array(open.utf8)[0], count: depth) + Array("N".utf8)
        + [UInt8](repeating: Array(close.utf8)[0], count: depth)
      #expect(try refusal(TinyPackage(kwargs: [("x", nested)])).contains("nested deeper"))
      #expect(try refusal(pickle: Pickle.whole(nested)).contains("it holds a"))
    }
  }

  @Test(arguments: [
    ("", "ends too early"), ("N", "ends too early"), (".", "empty stack"), ("0.", "empty stack"), ("t.", "a mark"),
    ("(N(0", "ends too early"), ("(R", "empty stack"), ("NNa.", "no list"), ("NNNs.", "no dictionary"),
    ("}(Nu.", "a key without a value"), ("(o.", "of nothing"), ("h\u{7}.", "its memo"), ("P1\n.", "the opcode 80"),
    ("cos\nsystem", "ends too early"), ("Fx\n.", "a number in its pickle is none"), ("NN\u{92}.", "opcode"),
  ])
  func nonsense(text: String, reason: String) throws {
    let message = try refusal(pickle: Array(text.utf8))
    #expect(message.contains(reason) && message.contains("not a valid PyTorch file"), "\(message)")
  }

  @Test(
    arguments: [
      [0x80, 6], [0x8E] + littleEndian(UInt64.max), [0x8D] + littleEndian(UInt64(1) << 40),
      [0x42, 0xFF, 0xFF, 0xFF, 0xFF], [0x8B] + littleEndian(Int32(-1)), [0x8B] + littleEndian(Int32.max),
      [0x95] + littleEndian(UInt64.max), [0x96] + littleEndian(UInt64.max), [0x97], [0x98], [0x82, 1], [0x93],
    ] as [[UInt8]])
  func lengthsThatAreNotThere(pickle: [UInt8]) throws {
    #expect(try refusal(pickle: pickle + Array("N.".utf8)).contains("its pickle"))
  }

  @Test func tooMuchOfEverything() throws {
    let opcodes = [UInt8](repeating: 0x7D, count: 1 << 20)
    #expect(try refusal(pickle: opcodes).contains("opcodes that are read"))
    #expect(try refusal(pickle: [UInt8](repeating: 0x4E, count: 17 << 20)).contains("longer than the"))
    let puts = Array("N".utf8) + (0..<600_000).flatMap { [0x72] + littleEndian(UInt32($0)) }
    #expect(try refusal(pickle: puts).contains("opcodes that are read"))
  }

  /// Python 2 and other versions write the same values in other words.
  @Test func otherWordsForArguments() throws {
    let fraction = { (text: String) in Pickle.call(Pickle.global("fractions", "Fraction"), [Pickle.text(text)]) }
    let checkpoint = try open(
      TinyPackage(kwargs: [
        ("text", fraction("39/5")), ("whole", fraction("7")), ("zero", fraction("1/0")), ("word", fraction("x/")),
        ("long", Array("L12345678901L\n".utf8)), ("true", Array("I01\n".utf8)), ("minus", [0x8A, 1, 0xFF]),
        ("float", Array("F2.5\n".utf8)), ("twice", Array("K\u{1}".utf8)), ("twice", Array("K\u{2}".utf8)),
      ]))
    let kwargs = try checkpoint.modelDescription().kwargs
    #expect(kwargs["text"]?.fractionValue == Fraction(39, 5) && kwargs["whole"]?.fractionValue == Fraction(7, 1))
    #expect(kwargs["zero"]?["_type"]?.stringValue == "python" && kwargs["word"]?["_type"]?.stringValue == "python")
    #expect(kwargs["long"] == .integer(12_345_678_901) && kwargs["true"] == .bool(true))
    #expect(kwargs["minus"] == .integer(-1) && kwargs["float"] == .number(2.5) && kwargs["twice"] == .integer(2))
  }
}
