import CCurl
import Foundation

/// Fetches one file so that its name only ever holds the whole of it, and goes on where an earlier try stopped.
public struct Downloader: Sendable {
  /// Seconds before the second try; twice as many before each further one.
  var firstDelay = 0.5
  /// Tries in a row that bring no byte before it gives up.
  var tries = 5
  var patience = Transfer.Patience()
  /// What servers are told of who asks.
  let agent: String

  /// No weights are larger; a server that sends for ever must not fill the disk.
  private static let largestFile = 1 << 33
  /// Tries that bring something. A connection that often breaks still gets there.
  private static let mostTries = 200

  public init(agent: String = "demucs-cli") { self.agent = agent }

  /// - Parameters:
  ///   - firstDelay: seconds before the second try.
  ///   - silence: seconds without a byte after which a connection counts as broken.
  public init(agent: String = "demucs-cli", firstDelay: Double, silence: Int) {
    self.agent = agent
    self.firstDelay = firstDelay
    patience.silence = silence
  }

  /// How far a file is, in bytes; no total where the server does not tell it.
  public typealias Progress = (_ done: Int, _ total: Int?) throws -> Void

  /// Fetches `url` to `path`.
  /// - Parameters:
  ///   - checksum: the SHA-256 that the file has, or the first digits of it; nil takes the server's word.
  ///   - validate: is given the whole file before it gets its name.
  ///   - progress: is told of bytes that came, and is called many times a second; what it throws ends the transfer and
  ///     leaves `path.part`.
  /// - Returns: the file's SHA-256.
  /// - Throws: `DownloadError`, or what `validate` or `progress` throws.
  @discardableResult public func fetch(
    _ url: String, to path: String, checksum: String? = nil, validate: (String) throws -> Void = { _ in },
    progress: @escaping Progress = { _, _ in }
  ) throws -> String {
    let part = try PartialFile(for: path)
    var isResumed = part.count > 0
    while true {
      let told = try transfer(url, to: part, isChecked: checksum != nil, progress: progress)
      let total = part.count
      if let size = told.linkedSize, size != total {
        part.remove()
        throw DownloadError.wrongLength(url: url, expected: size, found: total)
      }
      let found = try Checksum.sha256(of: part.path) { try progress(total, total) }
      if let wrong = [checksum, told.checksum].compactMap(\.self).first(where: { !found.hasPrefix($0) }) {
        if isResumed {
          // The bytes that were there before may be of another version.
          try part.restart(validator: nil)
          isResumed = false
          continue
        }
        part.remove()
        throw DownloadError.wrongChecksum(url: url, expected: wrong, found: found)
      }
      do {
        try validate(part.path)
      } catch {
        part.remove()
        throw DownloadError.wrongContent(url: url, reason: "\(error)".replacing(part.path + ": ", with: ""))
      }
      try part.publish()
      return found
    }
  }

  /// What one try led to.
  private enum Step {
    case done(Transfer.Response)
    /// Why it is worth another, and how long the server asks to be left alone.
    case again(DownloadError, wait: Double?)
  }

  /// Tries until all bytes are there.
  private func transfer(
    _ url: String, to part: PartialFile, isChecked: Bool, progress: @escaping Progress
  ) throws -> Transfer.Response {
    var fruitless = 0
    for _ in 0..<Downloader.mostTries {
      // Without a tag or a checksum nobody would notice bytes of two versions.
      if part.count > 0, part.validator == nil, !isChecked { try part.restart(validator: nil) }
      let before = part.count
      switch try attempt(url, to: part, progress: progress) {
      case .done(let response): return response
      case .again(let error, let wait):
        fruitless = part.count > before ? 0 : fruitless + 1
        guard fruitless < tries else { throw error }
        let delay = firstDelay * Double(1 << min(fruitless, 5))
        try sleep(max(delay, min(wait ?? 0, 60))) { try progress(part.count, nil) }
      }
    }
    throw DownloadError.broken(url: url, reason: "it broke \(Downloader.mostTries) times")
  }

  private func attempt(_ url: String, to part: PartialFile, progress: @escaping Progress) throws -> Step {
    let offset = part.count
    let validator = offset > 0 ? part.validator : nil
    let body = Body(url: url, part: part, offset: offset, validator: validator)
    let outcome = try Transfer.run(
      url: url, offset: offset, validator: validator, patience: patience, agent: agent,
      receive: { try body.take($0, $1) }, check: { try progress(part.count, body.total) })
    let response = outcome.response
    if body.isStale { return .again(.broken(url: url, reason: "the file changed on the server"), wait: 0) }
    guard outcome.code == CURLE_OK else { return try Downloader.step(url, outcome) }
    switch response.status {
    case 200, 206:
      // A body of no bytes was never taken.
      if body.total == nil { try body.take(response, UnsafeRawBufferPointer(start: nil, count: 0)) }
      if body.isStale { return .again(.broken(url: url, reason: "the file changed on the server"), wait: 0) }
      if let total = body.total, part.count != total {
        return .again(.broken(url: url, reason: "\(part.count) of \(total) bytes came"), wait: nil)
      }
      return .done(response)
    case 416:
      if offset > 0, response.range?.total == offset { return .done(response) }
      guard offset > 0 else { throw DownloadError.refused(url: url, status: 416) }
      try part.restart(validator: nil)
      return .again(.refused(url: url, status: 416), wait: 0)
    case 408, 425, 429, 500...599:
      return .again(.refused(url: url, status: response.status), wait: response.retryAfter)
    default: throw DownloadError.refused(url: url, status: response.status)
    }
  }

  /// Whether an error of libcurl may pass.
  private static func step(_ url: String, _ outcome: Transfer.Outcome) throws -> Step {
    let broken = DownloadError.broken(url: url, reason: outcome.reason)
    switch outcome.code {
    case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2, CURLE_HTTP2_STREAM:
      return .again(broken, wait: nil)
    case CURLE_OPERATION_TIMEDOUT where outcome.response.status != 0: return .again(broken, wait: nil)
    case CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT, CURLE_SSL_CONNECT_ERROR:
      return .again(.unreachable(url: url, reason: outcome.reason), wait: nil)
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: throw DownloadError.badAddress(url)
    case CURLE_WEIRD_SERVER_REPLY, CURLE_TOO_MANY_REDIRECTS: throw broken
    default: throw DownloadError.unreachable(url: url, reason: outcome.reason)
    }
  }

  private func sleep(_ seconds: Double, check: () throws -> Void) throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      try check()
      Thread.sleep(forTimeInterval: min(0.05, seconds))
    }
  }

  /// Where the bytes of one response go.
  private final class Body {
    private let url: String
    private let part: PartialFile
    private let offset: Int
    private let validator: String?
    private var isBegun = false
    /// Bytes of the whole file, once known.
    private(set) var total: Int?
    /// Whether the part was of another version and has been thrown away.
    private(set) var isStale = false

    init(url: String, part: PartialFile, offset: Int, validator: String?) {
      self.url = url
      self.part = part
      self.offset = offset
      self.validator = validator
    }

    func take(_ response: Transfer.Response, _ bytes: UnsafeRawBufferPointer) throws {
      guard [200, 206].contains(response.status), !isStale else { return }
      if !isBegun { try begin(response) }
      guard !isStale else { return }
      guard part.count + bytes.count <= total ?? Downloader.largestFile else {
        return try refuse(part.count + bytes.count, expected: total ?? Downloader.largestFile)
      }
      try part.append(bytes)
    }

    private func begin(_ response: Transfer.Response) throws {
      isBegun = true
      if response.status == 206 {
        let isSame = validator == nil || response.etag == nil || response.etag == validator
        guard response.range?.first == offset, isSame else {
          isStale = true
          return try part.restart(validator: nil)
        }
        total = response.range?.total
      } else {
        // The server sends all of it, whatever was asked for.
        try part.restart(validator: response.etag)
        total = response.contentLength
      }
      guard let total else { return }
      if let size = response.linkedSize, size != total { try refuse(total, expected: size) }
      if total > Downloader.largestFile { try refuse(total, expected: Downloader.largestFile) }
    }

    /// Ends the transfer: there is nothing to go on from.
    private func refuse(_ found: Int, expected: Int) throws {
      part.remove()
      throw DownloadError.wrongLength(url: url, expected: expected, found: found)
    }
  }
}
