import Checkpoints

/// The arguments of a Python constructor call, as a checkpoint stores them.
struct Arguments {
  private let values: [String: JSONValue]
  /// Names that the constructor does not have.
  let unknown: [String]

  /// - Parameters:
  ///   - description: positional and keyword arguments.
  ///   - parameters: names of the constructor's parameters, in order.
  init(_ description: ModelDescription, parameters: [String]) throws {
    guard description.args.count <= parameters.count else {
      throw ConfigurationError.inconsistent("\(description.args.count) positional arguments")
    }
    var values = description.kwargs
    for (name, value) in zip(parameters, description.args) {
      guard values[name] == nil else {
        throw ConfigurationError.inconsistent("'\(name)' is given twice")
      }
      values[name] = value
    }
    unknown = values.keys.filter { !parameters.contains($0) }.sorted()
    self.values = values
  }

  subscript(name: String) -> JSONValue? { values[name] }

  private func invalid(_ name: String, _ value: JSONValue, _ expected: String) -> ConfigurationError {
    .invalid(parameter: name, value: value.text, expected: expected)
  }

  /// An integer in `range`; a whole number written as a float and a boolean count as integers, as they do in Python.
  func integer(_ name: String, _ missing: Int, in range: ClosedRange<Int>) throws -> Int {
    guard let value = values[name] else { return missing }
    var number = value.intValue ?? value.boolValue.map { $0 ? 1 : 0 }
    if number == nil, let float = value.doubleValue { number = Int(exactly: float) }
    guard let number, range.contains(number) else {
      throw invalid(name, value, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A finite number, or nil for `None`.
  func optionalNumber(_ name: String, _ missing: Double?) throws -> Double? {
    guard let value = values[name] else { return missing }
    if value.isNull { return nil }
    let number = value.doubleValue ?? value.fractionValue?.doubleValue ?? value.boolValue.map { $0 ? 1 : 0 }
    guard let number, number.isFinite else { throw invalid(name, value, "a number") }
    return number
  }

  func number(_ name: String, _ missing: Double, in range: ClosedRange<Double>) throws -> Double {
    guard let number = try optionalNumber(name, missing), range.contains(number) else {
      throw invalid(name, values[name] ?? .null, "a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// What Python's `if` makes of the value.
  func flag(_ name: String, _ missing: Bool) throws -> Bool {
    guard let value = values[name] else { return missing }
    if value.isNull { return false }
    if let flag = value.boolValue { return flag }
    if let number = value.doubleValue { return number != 0 }
    if let list = value.arrayValue { return !list.isEmpty }
    throw invalid(name, value, "true or false")
  }

  /// Refuses a value that Python would take for true.
  func refuse(_ name: String) throws {
    guard let value = values[name], try flag(name, false) else { return }
    throw ConfigurationError.notImplemented(parameter: name, value: value.text)
  }

  func strings(_ name: String) throws -> [String] {
    guard let value = values[name] else {
      throw ConfigurationError.invalid(parameter: name, value: "missing", expected: "a list of names")
    }
    guard let list = value.arrayValue else { throw invalid(name, value, "a list of names") }
    let names = list.compactMap(\.stringValue)
    guard names.count == list.count, !names.isEmpty, Set(names).count == names.count else {
      throw invalid(name, value, "a list of different names")
    }
    return names
  }
}
