/// How demucs 4.1 says, in a checkpoint's metadata, what network its weights belong to: the Python class and
/// the arguments that build it (`demucs/hf.py` of the PyTorch package).
public struct ModelDescription: Sendable, Equatable {
  /// Full name of the class, such as `demucs.htdemucs.HTDemucs`.
  public let klass: String
  /// Positional arguments of the initialiser.
  public let args: [JSONValue]
  /// Named arguments of the initialiser.
  public let kwargs: [String: JSONValue]

  public init(klass: String, args: [JSONValue] = [], kwargs: [String: JSONValue]) {
    self.klass = klass
    self.args = args
    self.kwargs = kwargs
  }

  /// The three metadata entries of a safetensors file: a name, and two JSON texts.
  public var metadata: [String: String] {
    ["klass": klass, "args": JSONValue.array(args).text, "kwargs": JSONValue.object(kwargs).text]
  }

  /// Reads the three entries back.
  /// - Parameter path: the file they come from, for the error.
  /// - Throws: `CheckpointError.notDemucs`, `.unsupported`.
  init(metadata: [String: String], path: String) throws {
    func entry(_ key: String) throws -> String {
      guard let text = metadata[key] else {
        throw CheckpointError.notDemucs(path: path, reason: "its metadata has no \"\(key)\"")
      }
      return text
    }
    func json(_ key: String) throws -> JSONValue {
      do {
        return try JSONValue(parsing: entry(key), maximumSize: 1 << 20)
      } catch let error as JSONError {
        throw CheckpointError.notDemucs(path: path, reason: "its metadata \"\(key)\" is not JSON: \(error)")
      }
    }
    // The structure of a state that is no plain list of tensors.
    guard metadata["structure"] == nil else { throw CheckpointError.quantized(path: path) }
    let klass = try entry("klass")
    guard let args = try json("args").arrayValue else {
      throw CheckpointError.notDemucs(path: path, reason: "its metadata \"args\" is not a list")
    }
    guard let kwargs = try json("kwargs").objectValue else {
      throw CheckpointError.notDemucs(path: path, reason: "its metadata \"kwargs\" is not an object")
    }
    self.init(klass: klass, args: args, kwargs: kwargs)
  }
}
