import Checkpoints
import Foundation
import Tensors
import Testing

/// Whatever a file holds, opening it ends in an error that names it and what is wrong.
@Suite struct MalformedCheckpointTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func refusal(_ path: String) throws -> String {
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(safetensors: path) }
    let message = try #require(error).description
    #expect(message.hasPrefix(path + ": "))
    #expect(message.hasSuffix("."))
    return message
  }

  @Test func truncatedAnywhere() throws {
    let path = folder.path + "/whole.safetensors"
    let tensors = (0..<4).map { (name: "t\($0)", tensor: Tensor(shape: [16, 3])) }
    try SafetensorsWriter.write(to: path, tensors: tensors, type: .float16, metadata: ["klass": "k"])
    let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    let sixteenths = (0..<16).map { whole.count * $0 / 16 }
    for length in sixteenths + [1, 7, 8, 9, whole.count - 1] {
      _ = try refusal(folder.file("cut.safetensors", Array(whole.prefix(length))))
    }
    #expect(try refusal(folder.file("cut", Array(whole.dropLast()))).contains("is cut short"))
    #expect(try refusal(folder.file("long", whole + [0])).contains("1 bytes follow the last tensor"))
  }

  /// One byte of the header or its length at a time is replaced: an error or another sound file, never a
  /// crash.
  @Test func everyByteOfTheHeaderDamaged() throws {
    let header = #"{"__metadata__":{"k":"v"},"a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]}}"#
    let sound = littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + [0, 0x3C, 0, 0x40]
    for position in 0..<(sound.count - 4) {
      for byte: UInt8 in [0, 0x20, 0x22, 0x2D, 0x39, 0x5B, 0x7B, 0x7D, 0xFF] {
        var damaged = sound
        damaged[position] = byte
        let path = try folder.file("damaged.safetensors", damaged)
        do {
          let checkpoint = try Checkpoint(safetensors: path)
          for name in checkpoint.names where checkpoint.type(of: name) == .float16 {
            #expect(try checkpoint.tensor(name).count == 2)
          }
        } catch is CheckpointError {}
      }
    }
  }

  @Test(arguments: [
    (#"[]"#, "its header is not a JSON object"),
    (#"{"a":1"#, "its header is not JSON: expected , or }"),
    (#"{"__metadata__":[]}"#, "its __metadata__ is not an object"),
    (#"{"__metadata__":{"k":1}}"#, "its metadata \"k\" is not a string"),
    (#"{"a":[]}"#, "tensor \"a\" has no dtype"),
    (
      #"{"a":{"dtype":"F17","shape":[2],"data_offsets":[0,8]}}"#, "tensor \"a\" has the unknown dtype \"F17\""
    ),
    (#"{"a":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}}"#, "unknown dtype"),
    (#"{"a":{"dtype":32,"shape":[2],"data_offsets":[0,8]}}"#, "has no dtype"),
    (#"{"a":{"dtype":"F32","data_offsets":[0,8]}}"#, "has no shape"),
    (#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, "other than whole numbers"),
    (#"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#, "other than whole numbers"),
    (#"{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}"#, "other than whole numbers"),
    (
      #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
      "needs 12 bytes, but its data_offsets span 8"
    ),
    (#"{"a":{"dtype":"F32","shape":[2]}}"#, "has no pair of data_offsets"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, "has no pair of data_offsets"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#, "not rising whole numbers"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "not rising whole numbers"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8.0]}}"#, "not rising whole numbers"),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}"#,
      "not rising whole numbers"
    ),
    (#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#, "ends at byte 16 of data that has 8"),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775800,9223372036854775807]}}"#,
      "the file is cut short"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"#, "too large to address"
    ),
    (#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}}"#, "too large to address"),
    (
      #"{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}"#, "too large to address"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
        + #""b":{"dtype":"F16","shape":[2],"data_offsets":[4,8]}}"#,
      "tensor \"b\" overlaps"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
        + #""b":{"dtype":"F16","shape":[1],"data_offsets":[6,8]}}"#,
      "2 unused bytes precede tensor \"b\""
    ),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "4 bytes follow the last tensor"),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
        + #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
      "the key \"a\" stands twice"
    ),
  ])
  func header(header: String, reason: String) throws {
    let message = try refusal(folder.safetensors(header: header, data: [UInt8](repeating: 0, count: 8)))
    #expect(message.contains(reason), "\(message)")
    #expect(message.contains("not a valid safetensors file"))
  }

  @Test func deepNesting() throws {
    let header = String(repeating: #"{"a":"#, count: 200_000)
    #expect(try refusal(folder.safetensors(header: header, data: [])).contains("nesting deeper than 32"))
  }

  @Test func manyAxes() throws {
    let shape = [String](repeating: "1", count: 10_000).joined(separator: ",")
    let header = #"{"a":{"dtype":"U8","shape":[\#(shape)],"data_offsets":[0,1]}}"#
    #expect(try refusal(folder.safetensors(header: header, data: [0])).contains("has 10000 axes"))
  }

  @Test(arguments: [9, UInt64(Int64.max), .max, 1 << 40])
  func headerLengthBeyondTheFile(length: UInt64) throws {
    let path = try folder.file("model.safetensors", littleEndian(length) + [UInt8](repeating: 0x20, count: 8))
    #expect(try refusal(path).contains("announces a header of \(length) bytes, but has 8"))
  }

  /// Sparse files are as long as they like and take no space.
  @Test func headerOfMoreThanIsRead() throws {
    let path = try folder.file("model.safetensors", littleEndian(UInt64(1 << 30)))
    try FileHandle(forUpdating: URL(fileURLWithPath: path)).truncate(atOffset: 1 << 31)
    #expect(try refusal(path).contains("longer than the 16777216 that are read"))
  }

  @Test func tensorOfMoreThanIsLoaded() throws {
    let count = 1 << 40
    let header = #"{"a":{"dtype":"F16","shape":[\#(count)],"data_offsets":[0,\#(2 * count)]}}"#
    let path = try folder.safetensors(header: header, data: [])
    try FileHandle(forUpdating: URL(fileURLWithPath: path))
      .truncate(atOffset: UInt64(8 + header.utf8.count + 2 * count))
    let checkpoint = try Checkpoint(safetensors: path)
    #expect(throws: CheckpointError.tooLarge(path: path, name: "a", count: count)) {
      try checkpoint.tensor("a")
    }
  }

  @Test func otherThingsThanFiles() throws {
    #expect(try refusal(folder.path + "/none.safetensors").contains("No such file or directory"))
    #expect(try refusal(folder.path).contains("it is a folder"))
    #expect(try refusal("/dev/null").contains("it is not a regular file"))
    let pipe = folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(try refusal(pipe).contains("it is not a regular file"))
    #expect(try refusal(folder.file("empty", [])).contains("it is empty"))
    #expect(try refusal(folder.file("short", [1, 2, 3])).contains("3 bytes are too few"))
  }

  @Test func otherFormatsAreRecognised() throws {
    #expect(try refusal(folder.file("a.th", Array("PK\u{3}\u{4}0123456789".utf8))).contains("a zip archive"))
    #expect(
      try refusal(folder.file("lfs", Array("version https://git-lfs\noid 1".utf8))).contains(
        "Git LFS pointer"))
    #expect(try refusal(folder.file("page", Array("<!DOCTYPE html><p>404".utf8))).contains("a web page"))
  }

  /// Names come from the file and go to a terminal.
  @Test func controlCharactersOfNamesAreEscaped() throws {
    let header = #"{"\u001b[31mred\n":{"dtype":"F99"}}"#
    let message = try refusal(folder.safetensors(header: header, data: []))
    #expect(message.contains(#"\u{1B}[31mred\n"#) && !message.contains("\u{1B}") && !message.contains("\n"))
  }
}
