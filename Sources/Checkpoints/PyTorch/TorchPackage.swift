/// What `demucs.states.serialize_model` puts into a file: `{klass, args, kwargs, state, training_args}`.
struct TorchPackage {
  let description: ModelDescription
  /// By name; all views of storages that are yet to be found.
  let tensors: [String: TorchTensor]

  /// - Parameter path: the file, for errors.
  /// - Throws: `CheckpointError.notDemucs`, `.unsupported`; `FormatFlaw`.
  init(_ root: PickleValue, path: String) throws {
    func notDemucs(_ reason: String) -> CheckpointError { .notDemucs(path: path, reason: reason) }
    guard let package = root.namedItems else {
      throw notDemucs("it holds \(root.kind), without the arguments that its network was made with")
    }
    let missing = ["klass", "args", "kwargs", "state"].filter { package[$0] == nil }
    guard missing.isEmpty else {
      let tensorCount = package.values.count { (try? TorchTensor($0)) != nil }
      let found = package.keys.sorted().prefix(4).map(shown).joined(separator: ", ")
      throw notDemucs(
        (tensorCount > 0
          ? "it holds bare weights (a state dict of \(tensorCount) tensors)" : "it holds a dictionary of \(found)")
          + ", and lacks \(missing.joined(separator: ", ")): which network it is, and how it was made")
    }
    guard let klass = package["klass"]?.globalName else { throw notDemucs("its klass is no class") }
    guard let args = package["args"]?.elements else { throw notDemucs("its args are no list") }
    guard let kwargs = package["kwargs"]?.namedItems else { throw notDemucs("its kwargs are no dictionary") }
    guard let state = package["state"]?.namedItems else { throw notDemucs("its state is no dictionary") }
    if let mark = state["__quantized"], mark.boolValue != false {
      throw CheckpointError.quantized(path: path)
    }
    description = ModelDescription(
      klass: klass, args: try ArgumentConversion.json(Array(args)), kwargs: try ArgumentConversion.json(kwargs))
    tensors = try TorchPackage.tensors(state, path: path)
  }

  private static func tensors(_ state: [String: PickleValue], path: String) throws -> [String: TorchTensor] {
    var tensors: [String: TorchTensor] = [:]
    for (name, value) in state.sorted(by: { $0.key < $1.key }) {
      do {
        tensors[name] = try TorchTensor(value)
      } catch let flaw as FormatFlaw {
        let reason = "its tensor \(shown(name)) \(flaw.reason)"
        guard flaw.isSound else { throw FormatFlaw(reason) }
        throw CheckpointError.unsupported(
          path: path, reason: reason, remedy: "Save it in Python as a dense tensor of real numbers.")
      }
    }
    return tensors
  }
}
