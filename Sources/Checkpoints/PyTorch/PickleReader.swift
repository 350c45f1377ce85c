/// Reads a pickle into a `PickleGraph`: a machine with a stack and a memo that only ever writes values down.
///
/// Each opcode takes bounded time and memory beside the bytes that it carries itself, and their number is limited; so is
/// all that a pickle can ask for.
struct PickleReader {
  /// Longest pickle that is read; that of an HTDemucs has 63 kB.
  static let maximumSize = 16 << 20
  /// Most opcodes; an HTDemucs has 16 400.
  static let maximumOpcodes = 1 << 19

  private typealias Reference = PickleGraph.Reference

  private let graph = PickleGraph()
  private var reader: ByteReader
  private var stack: [Reference] = []
  /// Heights of the stack at the marks.
  private var marks: [Int] = []
  private var memo: [UInt32: Reference] = [:]

  /// - Returns: the values, and which of them is the whole.
  /// - Throws: `FormatFlaw`.
  static func read(_ bytes: UnsafeRawBufferPointer) throws -> PickleValue {
    guard bytes.count <= maximumSize else {
      throw FormatFlaw("its pickle of \(bytes.count) bytes is longer than the \(maximumSize) that are read")
    }
    var reader = PickleReader(reader: ByteReader(bytes))
    do {
      return PickleValue(graph: reader.graph, reference: try reader.run())
    } catch is ByteReader.EndOfData {
      throw FormatFlaw("its pickle ends too early: damaged, or cut short")
    }
  }

  private init(reader: ByteReader) { self.reader = reader }

  private mutating func run() throws -> Reference {
    for _ in 0..<PickleReader.maximumOpcodes {
      let byte = try reader.integer(UInt8.self)
      guard let opcode = PickleOpcode(rawValue: byte) else {
        throw FormatFlaw("its pickle has the opcode \(byte), which no checkpoint needs")
      }
      if opcode == .stop { return try pop() }
      try execute(opcode)
    }
    throw FormatFlaw("its pickle has more than the \(PickleReader.maximumOpcodes) opcodes that are read")
  }

  private mutating func execute(_ opcode: PickleOpcode) throws {
    switch opcode {
    case .proto:
      let version = try reader.integer(UInt8.self)
      guard version <= 5 else {
        throw FormatFlaw("its pickle is of protocol \(version), and 5 is the last that is read")
      }
    case .frame:
      guard try reader.integer(UInt64.self) <= UInt64(reader.remaining) else { throw ByteReader.EndOfData() }
    case .stop: break

    case .mark: marks.append(stack.count)
    case .pop: if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .dup: stack.append(try top())

    case .none: push(.none)
    case .newTrue: push(.bool(true))
    case .newFalse: push(.bool(false))
    case .int: try pushText()
    case .long: try pushText()
    case .binInt: push(.integer(Int(try reader.integer(Int32.self))))
    case .binInt1: push(.integer(Int(try reader.integer(UInt8.self))))
    case .binInt2: push(.integer(Int(try reader.integer(UInt16.self))))
    case .long1: try pushLong(count: Int(try reader.integer(UInt8.self)))
    case .long4: try pushLong(count: Int(try reader.integer(Int32.self)))
    case .float:
      guard let value = Double(try reader.line()) else { throw FormatFlaw("a number in its pickle is none") }
      push(.float(value))
    case .binFloat: push(.float(Double(bitPattern: try reader.integer(UInt64.self).byteSwapped)))

    case .shortBinString, .shortBinUnicode: try pushString(count: UInt64(try reader.integer(UInt8.self)))
    case .binString, .binUnicode: try pushString(count: UInt64(try reader.integer(UInt32.self)))
    case .binUnicode8: try pushString(count: try reader.integer(UInt64.self))
    case .shortBinBytes: try pushBytes(count: UInt64(try reader.integer(UInt8.self)))
    case .binBytes: try pushBytes(count: UInt64(try reader.integer(UInt32.self)))
    case .binBytes8, .byteArray8: try pushBytes(count: try reader.integer(UInt64.self))

    case .emptyTuple: push(.tuple([]))
    case .tuple: push(.tuple(try popToMark()))
    case .tuple1: push(.tuple(try pop(1)))
    case .tuple2: push(.tuple(try pop(2)))
    case .tuple3: push(.tuple(try pop(3)))
    case .emptyList, .emptySet: stack.append(graph.addList())
    case .list, .frozenSet: stack.append(graph.addList(try popToMark()))
    case .append:
      let element = try pop()
      try graph.append([element], to: try top())
    case .appends, .addItems:
      let elements = try popToMark()
      try graph.append(elements, to: try top())
    case .emptyDict: stack.append(graph.addDictionary())
    case .dict:
      let items = try popToMark()
      stack.append(graph.addDictionary())
      try graph.set(items, in: try top())
    case .setItem:
      let item = try pop(2)
      try graph.set(item, in: try top())
    case .setItems:
      let items = try popToMark()
      try graph.set(items, in: try top())

    case .global:
      let module = try reader.line()
      push(.global(module + "." + (try reader.line())))
    case .stackGlobal:
      let names = try pop(2)
      guard case .string(let module) = graph[names[0]], case .string(let name) = graph[names[1]] else {
        throw FormatFlaw("a name in its pickle is no text")
      }
      // Names are joined from texts that may be any number of times as long as the pickle's own bytes for them.
      guard module.utf8.count + name.utf8.count <= 1024 else { throw FormatFlaw("a name in its pickle is too long") }
      push(.global(module + "." + name))
    case .reduce, .newObject:
      let call = try pop(2)
      stack.append(graph.addObject(callable: call[0], arguments: call[1]))
    case .newObjectEx:
      let call = try pop(3)
      stack.append(graph.addObject(callable: call[0], arguments: call[1]))
    case .object:
      let call = try popToMark()
      guard let callable = call.first else { throw FormatFlaw("its pickle makes an object of nothing") }
      stack.append(graph.addObject(callable: callable, arguments: graph.add(.tuple(Array(call.dropFirst())))))
    case .build:
      let state = try pop()
      graph.build(try top(), state: state)
    case .binPersistentId: push(.persistent(try pop()))

    case .binGet: try get(UInt32(try reader.integer(UInt8.self)))
    case .longBinGet: try get(try reader.integer(UInt32.self))
    case .binPut: memo[UInt32(try reader.integer(UInt8.self))] = try top()
    case .longBinPut: memo[try reader.integer(UInt32.self)] = try top()
    case .memoize: memo[UInt32(memo.count)] = try top()
    }
  }
}

// MARK: - Values

extension PickleReader {
  private mutating func push(_ node: PickleGraph.Node) { stack.append(graph.add(node)) }

  /// An integer in decimal digits, with an L behind it in `LONG`; 00 and 01 are the booleans of protocol 1.
  private mutating func pushText() throws {
    var text = try reader.line()
    if text == "00" || text == "01" { return push(.bool(text == "01")) }
    if text.hasSuffix("L") { text.removeLast() }
    push(Int(text).map(PickleGraph.Node.integer) ?? .wideInteger)
  }

  /// A little-endian integer in two's complement.
  private mutating func pushLong(count: Int) throws {
    let bytes = try reader.take(count)
    guard count <= 8 else { return push(.wideInteger) }
    var value: Int64 = bytes.last.map { $0 & 0x80 != 0 } == true ? -1 : 0
    for byte in bytes.reversed() { value = value << 8 | Int64(byte) }
    push(.integer(Int(value)))
  }

  private mutating func pushString(count: UInt64) throws {
    let bytes = try reader.take(Int(clamping: count))
    push(.string(String(decoding: bytes, as: UTF8.self)))
  }

  private mutating func pushBytes(count: UInt64) throws {
    push(.bytes([UInt8](try reader.take(Int(clamping: count)))))
  }
}

// MARK: - Stack and memo

extension PickleReader {
  /// Values below the last mark belong to whoever set it.
  private var floor: Int { marks.last ?? 0 }

  private func top() throws -> Reference {
    guard stack.count > floor, let value = stack.last else { throw FormatFlaw("its pickle takes from an empty stack") }
    return value
  }

  private mutating func pop() throws -> Reference {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func pop(_ count: Int) throws -> [Reference] {
    guard stack.count - floor >= count else { throw FormatFlaw("its pickle takes from an empty stack") }
    let values = Array(stack.suffix(count))
    stack.removeLast(count)
    return values
  }

  private mutating func popToMark() throws -> [Reference] {
    guard let mark = marks.popLast() else { throw FormatFlaw("its pickle goes back to a mark that it did not set") }
    let values = Array(stack[mark...])
    stack.removeLast(values.count)
    return values
  }

  private mutating func get(_ key: UInt32) throws {
    guard let value = memo[key] else { throw FormatFlaw("its pickle takes from its memo what it did not put there") }
    stack.append(value)
  }
}
