import AudioFiles
import Checkpoints
import HTDemucs
import Layers
import ModelStore

/// An error that programs can tell by a word which stays the same in every version.
///
/// Messages are for persons and may be put better; codes are documented in docs/json.md. Each case of every type of error
/// has its code here, so that a new case without one does not compile.
public protocol CodedError: Error {
  /// Lower-case words with hyphens between them.
  var code: String { get }
}

/// The code of any error.
public func errorCode(of error: any Error) -> String { (error as? any CodedError)?.code ?? "unexpected" }

/// Why a song has no stems where nothing is wrong with it: the run ended before.
public enum StoppedSong: CodedError {
  case notStarted
  /// While it was separated.
  case interrupted

  public var code: String {
    switch self {
    case .notStarted: "not-started"
    case .interrupted: "interrupted"
    }
  }
}

extension AudioFileError: CodedError {
  public var code: String {
    switch self {
    case .notFound: "input-not-found"
    case .permissionDenied: "permission-denied"
    case .isDirectory: "input-is-folder"
    case .notRegularFile: "input-not-a-file"
    case .emptyFile: "input-empty"
    case .cannotOpen: "input-cannot-be-opened"
    case .notAudio, .damaged: "input-not-audio"
    case .needsFFmpeg, .brokenFFmpeg: "input-needs-ffmpeg"
    case .notDecoded: "input-not-audio"
    case .decodingStalled: "input-decoding-stalled"
    case .unsupportedSampleRate: "input-sample-rate"
    case .tooFewChannels: "input-channels"
    case .noAudio, .noAudioTrack: "input-without-audio"
    case .truncated: "input-truncated"
    case .readFailed: "input-read-failed"
    case .changed: "input-changed"
    case .cannotSpool: "input-cannot-be-kept"
    case .unsupportedOutput: "output-unsupported"
    case .writeFailed: "output-write-failed"
    }
  }
}

extension OutputError: CodedError {
  public var code: String {
    switch self {
    case .unknownPlaceholder, .unbalancedBrace, .missingStem, .wrongExtension: "output-name"
    case .unusableStemName: "output-stem-name"
    case .notAFolder: "output-not-a-folder"
    case .notWritable: "output-not-writable"
    case .nameTooLong: "output-name-too-long"
    case .cannotCreateFolder: "output-folder-failed"
    case .cannotPublish: "output-publish-failed"
    case .wouldReplaceInput: "output-would-replace-input"
    case .temporaryFailed: "output-temporary-failed"
    case .notEnoughSpace: "output-not-enough-space"
    case .abandoned: "interrupted"
    }
  }
}

extension SeparationError: CodedError {
  public var code: String {
    switch self {
    case .negativeShifts, .overlapOutOfRange, .transitionPowerTooSmall, .transitionPowerTooLarge, .segmentTooShort,
      .segmentTooLong, .strideIsZero:
      "options-out-of-range"
    case .tooLongToStayWhole: "input-too-long-for-no-split"
    case .emptyTrack: "input-without-audio"
    case .wrongChannelCount, .unequalChannels: "input-channels"
    case .wrongOutputShape: "model-wrong-shape"
    case .outputNotFinite: "model-output-not-finite"
    case .modelUnavailable: "model-unavailable"
    case .emptyBag, .wrongWeights, .membersDiffer: "model-bag"
    case .unknownStem, .ambiguousStem: "stem-unknown"
    case .tapsUnwritable: "taps-unwritable"
    }
  }
}

extension SegmentError: CodedError {
  public var code: String {
    switch self {
    case .shape, .channels: "model-wrong-shape"
    case .empty: "input-without-audio"
    case .tooLong: "options-out-of-range"
    case .memory, .addressSpace: "not-enough-memory"
    }
  }
}

extension ModelStoreError: CodedError {
  public var code: String {
    switch self {
    case .emptyName, .notFound, .notInRepository, .missingNetworks, .noFile, .folder, .noFolder: "model-not-found"
    case .duplicate, .badBag, .badRegistry: "model-bad-description"
    case .unreadable: "model-unreadable"
    case .wrongChecksum: "model-checksum"
    }
  }
}

extension CheckpointError: CodedError {
  public var code: String {
    switch self {
    case .unreadable: "model-unreadable"
    case .malformed, .notDemucs, .missing, .misshapen, .wrongType, .misscaled, .nonFinite, .tooLarge, .mismatch:
      "model-malformed"
    case .unsupported: "model-unsupported"
    case .overflow, .unwritable: "output-write-failed"
    }
  }
}

extension ConfigurationError: CodedError {
  public var code: String {
    switch self {
    case .unknownClass, .notImplemented: "model-unsupported"
    case .invalid, .inconsistent: "model-malformed"
    }
  }
}

extension PolicyError: CodedError {
  public var code: String {
    switch self {
    case .unknownOperation, .emptyWord, .file, .unused: "precision-policy"
    }
  }
}
