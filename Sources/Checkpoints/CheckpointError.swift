/// What can be wrong with a file of weights or of one array. Every message names the file, the cause and a
/// way out.
public enum CheckpointError: Error, Equatable, Sendable {
  /// The file cannot be opened, read or mapped.
  case unreadable(path: String, reason: String)
  /// The file breaks the rules of its format (safetensors, PyTorch or npy).
  case malformed(path: String, format: String, reason: String)
  /// A sound file that is of a known kind, but not of one that is read; `remedy` is a sentence.
  case unsupported(path: String, reason: String, remedy: String)
  /// A sound file that does not say, as a demucs checkpoint does, what network its weights belong to.
  case notDemucs(path: String, reason: String)
  /// No tensor has this name.
  case missing(path: String, name: String)
  /// A tensor has another shape than the network gives it.
  case misshapen(path: String, name: String, expected: [Int], found: [Int])
  /// A tensor's element type does not serve.
  case wrongType(path: String, name: String, type: TensorType, wanted: String)
  /// What should be the scales of a tensor of 8-bit integers cannot be; `reason` says it of the tensor.
  case misscaled(path: String, name: String, reason: String)
  /// A tensor holds a NaN or an infinity; `index` counts elements in row-major order.
  case nonFinite(path: String, name: String, index: Int, value: Float)
  /// A weight is beyond the range of the type that it is to be written as.
  case overflow(path: String, name: String, index: Int, value: Float)
  /// A tensor is larger than any weight of a network, and is not loaded.
  case tooLarge(path: String, name: String, count: Int)
  /// The file's tensors are not those of the network.
  case mismatch(path: String, TensorMismatch)
  /// The file cannot be written.
  case unwritable(path: String, reason: String)
}

/// How the tensors of a file differ from those that a network wants; names are sorted.
public struct TensorMismatch: Equatable, Sendable {
  public struct Misshapen: Equatable, Sendable {
    public let name: String
    public let expected: [Int]
    public let found: [Int]
  }

  /// Wanted, but not in the file.
  public let missing: [String]
  /// In the file, but not wanted.
  public let extra: [String]
  /// In the file with another shape.
  public let misshapen: [Misshapen]

  var isEmpty: Bool { missing.isEmpty && extra.isEmpty && misshapen.isEmpty }
}

extension CheckpointError {
  /// The states of `mdx_q` and its kin, packed by DiffQ.
  static func quantized(path: String) -> CheckpointError {
    .unsupported(
      path: path, reason: "its weights are quantised (DiffQ)",
      remedy: "Use the model that is not, such as mdx_extra for mdx_extra_q; or load it in Python with "
        + "demucs.states.load_model, which needs diffq, and save what serialize_model makes of that.")
  }
}

extension CheckpointError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason). Check the path and its permissions."
    case .malformed(let path, let format, let reason):
      "\(path): not a valid \(format) file: \(reason). Fetch or write the file again."
    case .unsupported(let path, let reason, let remedy): "\(path): \(reason), which is not read. \(remedy)"
    case .notDemucs(let path, let reason):
      "\(path): not a demucs checkpoint: \(reason). Give a file that demucs.states.serialize_model or demucs 4.1 "
        + "wrote, which stores klass, args and kwargs with the weights."
    case .missing(let path, let name):
      "\(path): has no tensor \(shown(name)). Use a checkpoint of the network that its metadata names."
    case .misshapen(let path, let name, let expected, let found):
      "\(path): tensor \(shown(name)) has shape \(found) where the network has \(expected). "
        + "Use a checkpoint whose metadata and weights belong together."
    case .wrongType(let path, let name, let type, let wanted):
      "\(path): tensor \(shown(name)) is stored as \(type.rawValue), not as \(wanted). "
        + "Convert it and save the file again."
    case .misscaled(let path, let name, let reason):
      "\(path): tensor \(shown(name)) is stored as I8 and \(reason). Each row needs one scale in F32 that is finite and "
        + "not negative; write the file again, or store the tensor as F16 or F32."
    case .nonFinite(let path, let name, let index, let value):
      "\(path): tensor \(shown(name)) holds \(value) at element \(index), so its training or its conversion "
        + "failed. Use another checkpoint, or save this one in a wider type."
    case .overflow(let path, let name, let index, let value):
      "\(path): tensor \(shown(name)) holds \(value) at element \(index), which is beyond the range of float16. "
        + "Write float32 instead."
    case .tooLarge(let path, let name, let count):
      "\(path): tensor \(shown(name)) has \(count) elements, more than the \(Checkpoint.maximumTensorCount) "
        + "that are loaded. Check that this is the weight file you mean."
    case .mismatch(let path, let mismatch):
      "\(path): its weights are not those of the network that its metadata describes: \(mismatch). "
        + "Use a checkpoint whose metadata and weights belong together."
    case .unwritable(let path, let reason):
      "\(path): cannot be written: \(reason). Check the folder, its permissions and the free space."
    }
  }
}

extension TensorMismatch: CustomStringConvertible {
  /// How many of each kind the description names.
  static let shownCount = 8

  public var description: String {
    func list(_ title: String, _ items: [String]) -> String? {
      guard !items.isEmpty else { return nil }
      let rest = items.count - TensorMismatch.shownCount
      return "\(items.count) \(title) (" + items.prefix(TensorMismatch.shownCount).joined(separator: ", ")
        + (rest > 0 ? ", and \(rest) more)" : ")")
    }
    let shapes = misshapen.map { "\(shown($0.name)) \($0.found) for \($0.expected)" }
    return [
      list("missing", missing.map(shown)), list("extra", extra.map(shown)), list("misshapen", shapes),
    ].compactMap(\.self).joined(separator: "; ")
  }
}

/// Text from a file as it may stand in a message: control characters escaped, quoted, never long.
func shown(_ text: String) -> String {
  let limit = 120
  return (text.count > limit ? text.prefix(limit) + "..." : text).debugDescription
}
