/// One value of a pickle, as what Python would make of it.
struct PickleValue {
  let graph: PickleGraph
  let reference: PickleGraph.Reference

  private func value(_ reference: PickleGraph.Reference) -> PickleValue {
    PickleValue(graph: graph, reference: reference)
  }

  var node: PickleGraph.Node { graph[reference] }

  var isNone: Bool { if case .none = node { true } else { false } }

  var boolValue: Bool? { if case .bool(let value) = node { value } else { nil } }

  /// An integer of 64 bits.
  var intValue: Int? { if case .integer(let value) = node { value } else { nil } }

  var stringValue: String? { if case .string(let value) = node { value } else { nil } }

  /// The elements of a tuple, of a list, or of a `torch.Size`.
  var elements: Elements? {
    if case .object = node, className == "torch.Size" { return arguments.first?.plainElements }
    return plainElements
  }

  /// Made as they are asked for: a pickle may name one long list any number of times.
  typealias Elements = LazyMapCollection<[PickleGraph.Reference], PickleValue>

  private var plainElements: Elements? {
    switch node {
    case .tuple(let elements): elements.lazy.map(value)
    case .list(let index): graph.sequence(index).lazy.map(value)
    default: nil
    }
  }

  /// How many values looking into this one may touch.
  var size: Int {
    guard case .object(let index) = node else { return plainSize }
    let object = graph.object(index)
    return object.items.count + (arguments.first?.plainSize ?? 0) + (state?.plainSize ?? 0)
  }

  private var plainSize: Int {
    switch node {
    case .tuple(let elements): elements.count
    case .list(let index), .dictionary(let index): graph.sequence(index).count
    default: 0
    }
  }

  private var isBuiltLikeADictionary: Bool {
    ["collections.OrderedDict", "collections.defaultdict", "builtins.dict"].contains(className)
  }

  /// Whether it is a dictionary, or built like one, with nothing in it. Looks at none of its elements: a pickle may name
  /// a long one any number of times.
  var isEmptyDictionary: Bool {
    switch node {
    case .dictionary(let index): graph.sequence(index).isEmpty
    case .object: isBuiltLikeADictionary && size == 0
    default: false
    }
  }

  /// Keys and values of a dictionary, or of what is built like an `OrderedDict`.
  var items: [(key: PickleValue, value: PickleValue)]? {
    let flat: [PickleGraph.Reference]
    switch node {
    case .dictionary(let index): flat = graph.sequence(index)
    case .object(let index) where isBuiltLikeADictionary:
      // Python 2 wrote an OrderedDict as its class and a list of pairs.
      let pairs =
        (arguments.first?.plainElements).map { Array($0.compactMap(\.plainElements).filter { $0.count == 2 }) } ?? []
      flat = pairs.flatMap { $0.map(\.reference) } + graph.object(index).items
    default: return nil
    }
    return stride(from: 0, to: flat.count - 1, by: 2).map { (value(flat[$0]), value(flat[$0 + 1])) }
  }

  /// The items whose keys are text; of those with the same key, the last.
  var namedItems: [String: PickleValue]? {
    items?.reduce(into: [:]) { result, item in
      if let name = item.key.stringValue { result[name] = item.value }
    }
  }

  /// A class, a function or a constant of a module, under the name that today's Python has for it.
  var globalName: String? {
    guard case .global(let name) = node else { return nil }
    let renamed = [
      ("__builtin__.", "builtins."), ("copy_reg.", "copyreg."), ("numpy._core.", "numpy.core."),
    ]
    for (old, new) in renamed where name.hasPrefix(old) { return new + name.dropFirst(old.count) }
    return name
  }

  /// What an object is made by: its class, or a function.
  var className: String? {
    guard case .object(let index) = node else { return nil }
    let callable = value(graph.object(index).callable)
    // Before protocol 2 a function of its own was called to make an object of a class.
    if callable.globalName == "copyreg._reconstructor", case .tuple(let elements) = graph[graph.object(index).arguments]
    {
      return elements.first.flatMap { value($0).globalName }
    }
    return callable.globalName
  }

  /// What an object is made of.
  var arguments: Elements {
    guard case .object(let index) = node, let elements = value(graph.object(index).arguments).plainElements else {
      return [].lazy.map(value)
    }
    return elements
  }

  /// The call of a function that is known by name.
  func call(_ function: PickleValue, with arguments: PickleValue) -> PickleValue? {
    guard function.globalName != nil else { return nil }
    return value(graph.addObject(callable: function.reference, arguments: arguments.reference))
  }

  /// What is put into an object when it is made.
  var state: PickleValue? {
    guard case .object(let index) = node else { return nil }
    return graph.object(index).state.map(value)
  }

  /// The key of something outside the pickle.
  var persistentId: PickleValue? { if case .persistent(let key) = node { value(key) } else { nil } }

  /// What the value is, for a message.
  var kind: String {
    switch node {
    case .none: "None"
    case .bool: "a boolean"
    case .integer, .wideInteger: "an integer"
    case .float: "a float"
    case .string: "text"
    case .bytes: "bytes"
    case .tuple: "a tuple"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .global: "the Python name \(shown(globalName ?? ""))"
    case .object: "a Python object of \(className.map(shown) ?? "something")"
    case .persistent: "a storage"
    }
  }
}
