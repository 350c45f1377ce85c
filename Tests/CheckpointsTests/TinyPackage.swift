import CheckpointFuzzing

/// Pickles written by hand, opcode by opcode.
enum Pickle {
  static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }

  static func text(_ text: String) -> [UInt8] { [0x58] + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8) }

  static func integer(_ value: Int) -> [UInt8] { [0x8A, 8] + littleEndian(Int64(value)) }

  static func tuple(_ values: [[UInt8]]) -> [UInt8] { Array("(".utf8) + values.joined() + Array("t".utf8) }

  static func dictionary(_ items: [(String, [UInt8])]) -> [UInt8] {
    Array("}(".utf8) + items.flatMap { text($0.0) + $0.1 } + Array("u".utf8)
  }

  static func call(_ function: [UInt8], _ arguments: [[UInt8]]) -> [UInt8] {
    function + tuple(arguments) + Array("R".utf8)
  }

  static func whole(_ value: [UInt8]) -> [UInt8] { [0x80, 2] + value + Array(".".utf8) }
}

/// A package of one float32 tensor `w`, all of whose parts can be replaced by what no writer writes.
struct TinyPackage {
  var values: [Float] = [1, 2, 3]
  var offset = 0
  var size: [Int]?
  var stride = [1]
  var storageType = "FloatStorage"
  var storageCount: Int?
  /// The last argument of the function that makes the tensor.
  var metadata: [UInt8]?
  var kwargs: [(String, [UInt8])] = []
  /// The pickle of the state.
  var state: [UInt8]?

  var storage: [UInt8] {
    Pickle.tuple([
      Pickle.text("storage"), Pickle.global("torch", storageType), Pickle.text("0"), Pickle.text("cpu"),
      Pickle.integer(storageCount ?? values.count),
    ]) + Array("Q".utf8)
  }

  var tensor: [UInt8] {
    Pickle.call(
      Pickle.global("torch._utils", "_rebuild_tensor_v2"),
      [
        storage, Pickle.integer(offset), Pickle.tuple((size ?? [values.count]).map(Pickle.integer)),
        Pickle.tuple(stride.map(Pickle.integer)), [0x89], Pickle.call(Pickle.global("collections", "OrderedDict"), []),
      ] + [metadata].compactMap(\.self))
  }

  var pickle: [UInt8] {
    Pickle.whole(
      Pickle.dictionary([
        ("klass", Pickle.global("demucs.htdemucs", "HTDemucs")), ("args", Array(")".utf8)),
        ("kwargs", Pickle.dictionary(kwargs)), ("state", state ?? Pickle.dictionary([("w", tensor)])),
      ]))
  }

  var archive: ZipBuilder {
    ZipBuilder([
      .init("m/data.pkl", pickle), .init("m/data/0", values.flatMap { littleEndian($0.bitPattern) }),
      .init("m/version", Array("3\n".utf8)),
    ])
  }
}
