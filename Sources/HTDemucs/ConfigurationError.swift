/// Why a checkpoint does not describe a network that can be built.
public enum ConfigurationError: Error, CustomStringConvertible, Sendable, Equatable {
  /// The class is none of those that this package builds.
  case unknownClass(String)
  /// A parameter has a value of the wrong kind or out of range.
  case invalid(parameter: String, value: String, expected: String)
  /// A parameter has a value that demucs knows and this package does not implement.
  case notImplemented(parameter: String, value: String)
  /// Parameters that contradict each other.
  case inconsistent(String)

  public var description: String {
    switch self {
    case .unknownClass("demucs.demucs.Demucs"):
      "The model's class is 'demucs.demucs.Demucs', a network of the time domain alone, which this program does not"
        + " build; it builds 'demucs.htdemucs.HTDemucs' and 'demucs.hdemucs.HDemucs'. Use another model, or run this one"
        + " with demucs."
    case .unknownClass(let name):
      "The model's class is '\(name)'; this program builds 'demucs.htdemucs.HTDemucs'"
        + " and 'demucs.hdemucs.HDemucs'."
    case .invalid(let parameter, let value, let expected):
      "The model's parameter '\(parameter)' is \(value), but must be \(expected)."
    case .notImplemented(let parameter, let value):
      "The model's parameter '\(parameter)' is \(value), which is not implemented."
    case .inconsistent(let reason): "The model's configuration is not consistent: \(reason)."
    }
  }
}
