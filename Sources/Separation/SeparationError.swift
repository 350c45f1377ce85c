/// Why a track could not be separated; `description` is one sentence for a person.
public enum SeparationError: Error, Equatable, CustomStringConvertible {
  case negativeShifts(Int)
  case overlapOutOfRange(Double)
  case transitionPowerTooSmall(Double)
  case transitionPowerTooLarge(Double)
  case segmentTooShort(seconds: Double, sampleRate: Int)
  /// The segment asked for and the longest allowed, in seconds.
  case segmentTooLong(seconds: Double, longest: Double)
  /// A track that is not to be cut, with the shift before it, and the longest that the model takes at once, in seconds.
  case tooLongToStayWhole(seconds: Double, longest: Double)
  /// Segments of `segmentLength` samples would each start where the one before did.
  case strideIsZero(overlap: Double, segmentLength: Int)
  case emptyTrack
  case wrongChannelCount(Int, expected: Int)
  case unequalChannels
  case wrongOutputShape([Int], expected: [Int])
  /// `module` is the first inside the network whose result was not finite, if that could be found out.
  case outputNotFinite(second: Double, module: String? = nil)
  case modelUnavailable(path: String, reason: String)
  /// A bag without a network.
  case emptyBag
  /// The weights of a bag do not fit its networks.
  case wrongWeights(String)
  /// Two networks of a bag that cannot be averaged; `what` differs.
  case membersDiffer(first: String, other: String, what: String)
  /// A stem that the model does not have.
  case unknownStem(String, sources: [String])
  /// Two files would be called alike.
  case ambiguousStem(String)
  /// The folder for intermediate tensors cannot be made or written to.
  case tapsUnwritable(folder: String)

  public var description: String {
    switch self {
    case .negativeShifts(let shifts):
      "The number of shifts is \(shifts); it must be 0 or more."
    case .overlapOutOfRange(let overlap):
      "The overlap is \(overlap); it must be at least 0 and below 1."
    case .transitionPowerTooSmall(let power):
      "The transition power is \(power); it must be a number of 1 or more."
    case .transitionPowerTooLarge(let power):
      "With a transition power of \(power) the ends of a segment would weigh nothing; use a smaller one."
    case .segmentTooShort(let seconds, let sampleRate):
      "A segment of \(seconds) s holds no sample at \(sampleRate) Hz; use a longer segment."
    case .segmentTooLong(let seconds, let longest):
      "A segment of \(seconds) s is longer than this model takes; use one of \(longest) s or less."
    case .tooLongToStayWhole(let seconds, let longest):
      "Without cuts (--no-split) this model takes \(longest) s at once, and the track with its shift is "
        + "\((seconds * 100).rounded(.up) / 100) s long; leave --no-split out."
    case .strideIsZero(let overlap, let segmentLength):
      "With an overlap of \(overlap), segments of \(segmentLength) samples would not advance; "
        + "use a smaller overlap or a longer segment."
    case .emptyTrack:
      "The track holds no audio; give it a sample at least."
    case .wrongChannelCount(let count, let expected):
      "The audio has \(count) channels where the model takes \(expected); convert it first."
    case .unequalChannels:
      "The channels of the audio differ in length; make them equally long."
    case .wrongOutputShape(let shape, let expected):
      "The model returned shape \(shape) where \(expected) was expected; its checkpoint does not fit. Fetch or export it again."
    case .outputNotFinite(let second, let module):
      "The model returned values that are not numbers in the segment at \(second) s"
        + (module.map { ", first in its module \($0)" } ?? "")
        + "; the audio or the model file is damaged, or the precision too low for this model."
    case .modelUnavailable(let path, let reason):
      "The model \(path) cannot be used: \(reason.hasSuffix(".") ? reason : reason + ".")"
    case .emptyBag:
      "The bag has no network; name one at least in its file."
    case .wrongWeights(let reason):
      "The weights of the bag do not fit its networks: \(reason). Correct them in its file."
    case .membersDiffer(let first, let other, let what):
      "The networks \(first) and \(other) cannot be one bag: they differ in \(what). Take one of them out."
    case .unknownStem(let name, let sources):
      "The model has no stem '\(name)'; it has \(sources.joined(separator: ", "))."
    case .ambiguousStem(let name):
      "Two files would be called '\(name)': the model has a stem of that name; ask for other stems."
    case .tapsUnwritable(let folder):
      "The folder \(folder) for intermediate tensors cannot be made or written to; give --dump-taps another one."
    }
  }
}
