/// What a pickle describes, as data: nothing in it was looked up, called or built.
///
/// Values lie in one array and refer to each other by their places in it. So values that contain themselves are no
/// leak, and deep ones no recursion when the graph goes. An object is the record of a call: what was to be called, with
/// what, and what was to be put into the result.
final class PickleGraph {
  /// The place of a value.
  struct Reference: Equatable {
    fileprivate let index: Int32
  }

  enum Node {
    case none
    case bool(Bool)
    case integer(Int)
    /// An integer of more than 64 bits.
    case wideInteger
    case float(Double)
    case string(String)
    case bytes([UInt8])
    case tuple([Reference])
    /// A list or a set, by its place among the sequences.
    case list(Int)
    /// Keys and values in turn, by their place among the sequences.
    case dictionary(Int)
    /// A Python name with its module, such as `collections.OrderedDict`.
    case global(String)
    case object(Int)
    /// Something outside the pickle, by the key that the writer gave it.
    case persistent(Reference)
  }

  /// A call that the pickle asks for, and what it has happen to the result.
  struct Object {
    let callable: Reference
    /// A tuple.
    let arguments: Reference
    /// What `BUILD` would hand to `__setstate__`.
    var state: Reference?
    /// What would be appended to it.
    var elements: [Reference] = []
    /// What would be set in it: keys and values in turn.
    var items: [Reference] = []
  }

  private var nodes: [Node] = []
  // Outside the nodes, so that what grows grows in place.
  private var sequences: [[Reference]] = []
  private var objects: [Object] = []

  subscript(reference: Reference) -> Node { nodes[Int(reference.index)] }

  func sequence(_ index: Int) -> [Reference] { sequences[index] }

  func object(_ index: Int) -> Object { objects[index] }

  /// Adds a value. There are never more than 2^31, as `PickleReader.maximumOpcodes` is less.
  func add(_ node: Node) -> Reference {
    nodes.append(node)
    return Reference(index: Int32(nodes.count - 1))
  }

  func addList(_ elements: [Reference] = []) -> Reference {
    sequences.append(elements)
    return add(.list(sequences.count - 1))
  }

  func addDictionary(_ items: [Reference] = []) -> Reference {
    sequences.append(items)
    return add(.dictionary(sequences.count - 1))
  }

  func addObject(callable: Reference, arguments: Reference) -> Reference {
    objects.append(Object(callable: callable, arguments: arguments))
    return add(.object(objects.count - 1))
  }

  /// Appends to a list, a set or an object.
  /// - Throws: `FormatFlaw` for other values.
  func append(_ elements: some Sequence<Reference>, to target: Reference) throws {
    switch self[target] {
    case .list(let index): sequences[index].append(contentsOf: elements)
    case .object(let index): objects[index].elements.append(contentsOf: elements)
    default: throw FormatFlaw("its pickle appends to what is no list")
    }
  }

  /// Sets items, keys and values in turn, of a dictionary or an object.
  /// - Throws: `FormatFlaw` for other values.
  func set(_ items: some Collection<Reference>, in target: Reference) throws {
    guard items.count % 2 == 0 else { throw FormatFlaw("its pickle sets a key without a value") }
    switch self[target] {
    case .dictionary(let index): sequences[index].append(contentsOf: items)
    case .object(let index): objects[index].items.append(contentsOf: items)
    default: throw FormatFlaw("its pickle sets items of what is no dictionary")
    }
  }

  /// Notes the state of an object; that of anything else matters to nobody.
  func build(_ target: Reference, state: Reference) {
    if case .object(let index) = self[target] { objects[index].state = state }
  }
}
