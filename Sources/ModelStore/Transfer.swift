import CCurl
import Foundation

/// One request over HTTP, by libcurl, which takes proxies from the environment (`https_proxy`, `http_proxy`, `no_proxy`).
final class Transfer {
  /// What the server says of a file before it sends it.
  struct Response {
    var status = 0
    /// Bytes of the body.
    var contentLength: Int?
    /// First byte and total of `Content-Range: bytes FIRST-LAST/TOTAL`; no first byte in `bytes */TOTAL`.
    var range: (first: Int?, total: Int?)?
    var etag: String?
    var retryAfter: Double?
    /// Size and SHA-256 of a large file, which the Hugging Face hub tells before it sends one elsewhere for it.
    var linkedSize: Int?
    var linkedChecksum: String?

    /// SHA-256 of the file, if the server tells it.
    var checksum: String? { linkedChecksum ?? Response.checksum(in: etag) }

    /// A tag that is a SHA-256, as the hub's are for large files.
    static func checksum(in tag: String?) -> String? {
      guard let text = tag?.trimmingCharacters(in: ["\""]).lowercased(), text.utf8.count == 64,
        Checksum.isPrefix(text)
      else { return nil }
      return text
    }
  }

  /// How long to wait for a server, in seconds.
  struct Patience {
    var connection = 20
    /// Without a byte.
    var silence = 30
  }

  private let handle: OpaquePointer
  private var response = Response()
  private var failure: (any Error)?
  private let receive: (Response, UnsafeRawBufferPointer) throws -> Void
  private let check: () throws -> Void

  /// libcurl wants this once, before the first thread uses it.
  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  /// - Parameters:
  ///   - receive: is given the body piece by piece.
  ///   - check: is called many times a second; what it throws ends the transfer.
  private init(
    receive: @escaping (Response, UnsafeRawBufferPointer) throws -> Void, check: @escaping () throws -> Void
  ) throws {
    guard Transfer.isReady, let handle = curl_easy_init() else {
      throw DownloadError.unreachable(url: "libcurl", reason: "it does not start")
    }
    self.handle = OpaquePointer(handle)
    self.receive = receive
    self.check = check
  }

  deinit { curl_easy_cleanup(UnsafeMutableRawPointer(handle)) }

  /// What became of a request.
  struct Outcome {
    let response: Response
    let code: CURLcode
    /// libcurl's words where `code` is an error.
    let reason: String
  }

  /// Fetches `url`, from byte `offset` on.
  /// - Parameter validator: the version that the bytes before `offset` are of; the server sends all of another one.
  /// - Throws: what `receive` or `check` throws. What goes wrong on the way is in the outcome.
  static func run(
    url: String, offset: Int, validator: String?, patience: Patience, agent: String,
    receive: @escaping (Response, UnsafeRawBufferPointer) throws -> Void, check: @escaping () throws -> Void
  ) throws -> Outcome {
    let transfer = try Transfer(receive: receive, check: check)
    return try transfer.run(url: url, offset: offset, validator: validator, patience: patience, agent: agent)
  }

  private func run(
    url: String, offset: Int, validator: String?, patience: Patience, agent: String
  ) throws -> Outcome {
    let curl = UnsafeMutableRawPointer(handle)
    var words = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
    var headers: UnsafeMutablePointer<curl_slist>?
    defer { curl_slist_free_all(headers) }
    let this = Unmanaged.passUnretained(self).toOpaque()
    demucs_curl_set_string(curl, CURLOPT_URL, url)
    demucs_curl_set_string(curl, CURLOPT_USERAGENT, agent)
    demucs_curl_restrict_protocols(curl, url.lowercased().hasPrefix("https:") ? 1 : 0)
    for (option, value) in [
      (CURLOPT_FOLLOWLOCATION, 1), (CURLOPT_MAXREDIRS, 10), (CURLOPT_NOSIGNAL, 1), (CURLOPT_NOPROGRESS, 0),
      (CURLOPT_SUPPRESS_CONNECT_HEADERS, 1), (CURLOPT_CONNECTTIMEOUT, patience.connection),
      (CURLOPT_LOW_SPEED_LIMIT, 1), (CURLOPT_LOW_SPEED_TIME, patience.silence),
    ] { demucs_curl_set_long(curl, option, value) }
    if offset > 0 {
      demucs_curl_set_string(curl, CURLOPT_RANGE, "\(offset)-")
      if let validator {
        headers = curl_slist_append(headers, "If-Range: \(validator)")
        demucs_curl_set_list(curl, CURLOPT_HTTPHEADER, headers)
      }
    }
    demucs_curl_set_receiver(curl, CURLOPT_WRITEFUNCTION) { bytes, size, count, this in
      guard let bytes, let this else { return 0 }
      let transfer = Unmanaged<Transfer>.fromOpaque(this).takeUnretainedValue()
      return transfer.take { try $0.receive($0.response, UnsafeRawBufferPointer(start: bytes, count: size * count)) }
        ? size * count : 0
    }
    demucs_curl_set_receiver(curl, CURLOPT_HEADERFUNCTION) { bytes, size, count, this in
      guard let bytes, let this else { return 0 }
      let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self)
      Unmanaged<Transfer>.fromOpaque(this).takeUnretainedValue().response.read(line)
      return size * count
    }
    demucs_curl_set_progress(curl) { this, _, _, _, _ in
      guard let this else { return 1 }
      return Unmanaged<Transfer>.fromOpaque(this).takeUnretainedValue().take { try $0.check() } ? 0 : 1
    }
    for option in [CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_XFERINFODATA] {
      demucs_curl_set_pointer(curl, option, this)
    }
    let code = words.withUnsafeMutableBufferPointer { words in
      demucs_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, words.baseAddress)
      let code = curl_easy_perform(curl)
      demucs_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, nil)
      return code
    }
    if let failure { throw failure }
    let text = String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return Outcome(
      response: response, code: code, reason: text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
  }

  /// Runs code of ours under libcurl, through which nothing can be thrown.
  private func take(_ body: (Transfer) throws -> Void) -> Bool {
    guard failure == nil else { return false }
    do {
      try body(self)
      return true
    } catch {
      failure = error
      return false
    }
  }
}

extension Transfer.Response {
  /// Takes note of one line of a response's head. A status line begins a new response; what the hub told of the file
  /// before it redirected stays.
  mutating func read(_ line: String) {
    if line.hasPrefix("HTTP/") {
      self = Transfer.Response(linkedSize: linkedSize, linkedChecksum: linkedChecksum)
      status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      return
    }
    guard let colon = line.firstIndex(of: ":") else { return }
    let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespacesAndNewlines)
    switch line[..<colon].lowercased() {
    case "content-length": contentLength = Transfer.Response.count(value)
    case "content-range": range = Transfer.Response.range(value)
    case "etag": etag = value.isEmpty ? nil : value
    case "retry-after": retryAfter = Double(value)
    case "x-linked-size": linkedSize = Transfer.Response.count(value)
    case "x-linked-etag": linkedChecksum = Transfer.Response.checksum(in: value)
    default: break
    }
  }

  private static func count(_ text: some StringProtocol) -> Int? { Int(text).flatMap { $0 >= 0 ? $0 : nil } }

  private static func range(_ text: String) -> (first: Int?, total: Int?)? {
    guard text.lowercased().hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/", maxSplits: 1)
    guard parts.count == 2 else { return nil }
    return (parts[0].split(separator: "-").first.flatMap { count($0) }, count(parts[1]))
  }
}
