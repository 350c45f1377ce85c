import CSndfile
import Glibc
import Synchronization

/// A libsndfile handle open for reading.
final class SoundFile {
  let descriptor: FileDescriptor
  let info: SF_INFO
  /// Where the container keeps its samples; nil where that is not asked.
  let samples: DataChunk?
  /// What the handle reads in place of the descriptor, if anything.
  private let patchedFile: PatchedFile?
  private let handle: OpaquePointer

  /// Begins to read an open file from its start. It has one position, so one handle at a time may read it.
  /// - Throws: `AudioFileError.notAudio`, `damaged`.
  init(_ descriptor: FileDescriptor) throws {
    let opening = SoundFile.open(descriptor)
    guard let handle = opening.handle else {
      let failure = opening.failure
      switch Refusal(descriptor, code: failure.code) {
      case .damaged(let container):
        throw AudioFileError.damaged(descriptor.path, container: container, reason: failure.reasonOfDamage)
      case .foreign, .unknown: throw AudioFileError.notAudio(descriptor.path, reason: failure.reason)
      }
    }
    self.descriptor = descriptor
    self.handle = handle
    (info, samples, patchedFile) = (opening.info, opening.samples, opening.patchedFile)
  }

  /// Whether libsndfile does not know the format of a file, or the codec in it, and ffmpeg may. Damaged files of a format
  /// that it knows are not meant.
  static func isForeign(_ descriptor: FileDescriptor) -> Bool {
    let opening = open(descriptor)
    if let handle = opening.handle {
      withExtendedLifetime(opening) { _ = sf_close(handle) }
      return false
    }
    if case .foreign = Refusal(descriptor, code: opening.failure.code) { return true }
    return false
  }

  private struct Opening {
    /// nil where libsndfile refuses the file.
    var handle: OpaquePointer?
    var info = SF_INFO()
    var samples: DataChunk?
    var patchedFile: PatchedFile?
    /// Why there is no handle.
    var failure = OpenFailure()
  }

  /// Opens a file, and once more with another header where that one hides the samples.
  private static func open(_ descriptor: FileDescriptor) -> Opening {
    var opening = Opening(samples: DataChunk(in: descriptor))
    openLock.withLock { _ in open(descriptor, &opening) }
    return opening
  }

  private static func open(_ descriptor: FileDescriptor, _ opening: inout Opening) {
    descriptor.rewind()
    // libsndfile gets a descriptor of its own: it closes the one of a file that it refuses, whatever it is told.
    let copy = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 3)
    opening.handle = sf_open_fd(copy, Int32(SFM_READ), &opening.info, 1)
    if opening.handle == nil { opening.failure = OpenFailure.last() }
    let frameCount = opening.handle == nil ? nil : Int(opening.info.frames)
    guard let patches = opening.samples?.repair(frameCount: frameCount) else { return }

    let file = PatchedFile(descriptor, patches)
    var other = Opening(samples: opening.samples, patchedFile: file)
    other.handle = file.open(&other.info)
    if other.handle == nil { other.failure = OpenFailure.last() }
    if let handle = opening.handle {
      guard other.info.frames > opening.info.frames else {
        withExtendedLifetime(file) { if let unused = other.handle { sf_close(unused) } }
        return
      }
      sf_close(handle)
    }
    opening = other
  }

  deinit {
    sf_close(handle)
  }

  /// Reads up to `frames` interleaved frames; 0 at the end of the readable audio.
  func read(into samples: UnsafeMutablePointer<Float>, frames: Int) -> Int {
    max(0, Int(sf_readf_float(handle, samples, sf_count_t(frames))))
  }

  /// What the file says about its content.
  var tags: AudioTags {
    var tags = AudioTags()
    for field in AudioTags.Field.allCases {
      guard let text = sf_get_string(handle, field.code) else { continue }
      tags[field] = tagText(
        Array(UnsafeBufferPointer(start: text, count: strlen(text)).lazy.map(UInt8.init(bitPattern:))))
    }
    for (field, text) in WAVETexts.tags(in: descriptor).fields where tags[field] == nil { tags[field] = text }
    return tags
  }

  struct Failure {
    /// True where the system did not deliver the bytes; false where they make no sense.
    let isSystem: Bool
    let message: String
  }

  /// What the last read stumbled over, if anything.
  var failure: Failure? {
    if let code = patchedFile?.failure { return Failure(isSystem: true, message: systemMessage(code)) }
    let code = sf_error(handle)
    guard code != SF_ERR_NO_ERROR else { return nil }
    return Failure(isSystem: code == SF_ERR_SYSTEM, message: libraryMessage(sf_strerror(handle)))
  }
}

extension AudioTags.Field {
  /// libsndfile's number.
  var code: Int32 {
    let code =
      switch self {
      case .title: SF_STR_TITLE
      case .artist: SF_STR_ARTIST
      case .album: SF_STR_ALBUM
      case .trackNumber: SF_STR_TRACKNUMBER
      case .date: SF_STR_DATE
      case .genre: SF_STR_GENRE
      case .comment: SF_STR_COMMENT
      case .copyright: SF_STR_COPYRIGHT
      case .licence: SF_STR_LICENSE
      }
    return Int32(code)
  }
}

/// libsndfile keeps the error of a failed open in a global variable.
let openLock = Mutex(())

/// libsndfile's words, as one clause without its full stop.
func libraryMessage(_ text: UnsafePointer<CChar>?) -> String {
  guard let text else { return "unknown error" }
  let words = printable(Array(String(cString: text).utf8))
  return words.hasSuffix(".") ? String(words.dropLast()) : words
}

/// What libsndfile says where it opens nothing.
private struct OpenFailure {
  var code = 0
  var reason = ""

  /// Of the last attempt; asked under `openLock`.
  static func last() -> OpenFailure { OpenFailure(code: Int(sf_error(nil)), reason: openFailureReason()) }

  /// The reason for a file of a format that libsndfile knows.
  var reasonOfDamage: String {
    switch code {
    case SF_ERR_UNRECOGNISED_FORMAT: "its header is not whole"
    // libsndfile's own numbers, with words that mislead: "File does not exist" is what it says of an MP3 without a frame.
    case 7: "nothing in it can be decoded"
    case 18, 29: "its header is inconsistent"
    default: reason
    }
  }
}

private func openFailureReason() -> String {
  let message = libraryMessage(sf_strerror(nil))
  // For a sample rate of 0 Hz the message is "Internal error : SF_INFO struct incomplete".
  guard message.hasPrefix("Internal error") else { return message }
  var log = [CChar](repeating: 0, count: 4096)
  sf_command(nil, Int32(SFC_GET_LOG_INFO), &log, Int32(log.count))
  let text = String(decoding: log.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  for line in text.split(separator: "\n") where line.hasPrefix(" Sample rate :") {
    let rate = line.drop { $0 != ":" }.dropFirst().filter { $0 != " " }
    return "its header gives an impossible sample rate or length (\(rate) Hz)"
  }
  return "its header is inconsistent"
}
