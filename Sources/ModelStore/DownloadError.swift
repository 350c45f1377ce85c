/// Why a file could not be fetched; every message says what to do.
public enum DownloadError: Error, Equatable, Sendable {
  /// The environment forbids all use of the network.
  case offline(variable: String)
  /// The host cannot be reached at all.
  case unreachable(url: String, reason: String)
  /// The server refused, for good or after several tries.
  case refused(url: String, status: Int)
  /// The transfer broke off again and again.
  case broken(url: String, reason: String)
  /// What the server sends has not the length that it should have.
  case wrongLength(url: String, expected: Int, found: Int)
  /// What came is not the file that it should be.
  case wrongChecksum(url: String, expected: String, found: String)
  /// What came has the right length and checksum, if these are known, and yet is no model.
  case wrongContent(url: String, reason: String)
  /// The file cannot be written.
  case unwritable(path: String, reason: String)
  /// Another process is fetching the same file.
  case busy(path: String)
  /// An address that is none.
  case badAddress(String)
  /// The registry tells no place to fetch it from.
  case notFetchable(name: String, reason: String)
  /// Several places were tried.
  indirect case everywhere([DownloadError])
}

extension DownloadError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .offline(let variable):
      "\(variable) is set, so nothing is fetched. Unset it, or put the files into a folder of models yourself."
    case .unreachable(let url, let reason):
      "\(url): the server cannot be reached: \(reason). Is there a network? A proxy is taken from https_proxy and "
        + "http_proxy, a mirror from --base-url."
    case .refused(let url, let status):
      "\(url): " + DownloadError.reason(status)
    case .broken(let url, let reason):
      "\(url): the transfer broke off again and again: \(reason). Run the command again: it goes on where it stopped."
    case .wrongLength(let url, let expected, let found):
      "\(url): the server sends \(found) bytes where the file has \(expected). Try again later, or another --from."
    case .wrongChecksum(let url, let expected, let found):
      "\(url): what came has the SHA-256 \(found.prefix(max(expected.count, 8))) where \(expected) was expected; it was "
        + "thrown away. Try again, or another --from."
    case .wrongContent(let url, let reason):
      "\(url): what came is no model, and was thrown away: \(reason)"
    case .unwritable(let path, let reason):
      "\(path): cannot be written: \(reason). Check the folder, its permissions and the free space, or give another "
        + "--models-dir."
    case .busy(let path): "\(path): another process is fetching this file. Wait for it, or end it."
    case .badAddress(let text): "\(text.debugDescription) is no address of the form https://HOST/PATH."
    case .notFetchable(let name, let reason): "\(name) cannot be fetched: \(reason)."
    case .everywhere(let errors):
      DownloadError.noNetwork(errors) ?? errors.map(\.description).joined(separator: " And ")
    }
  }

  /// One sentence where no place at all is reached.
  private static func noNetwork(_ errors: [DownloadError]) -> String? {
    let places = errors.compactMap { error -> (url: String, reason: String)? in
      if case .unreachable(let url, let reason) = error { (url, reason) } else { nil }
    }
    guard let first = places.first, places.count == errors.count else { return nil }
    let hosts = places.map { $0.url.split(separator: "/").dropFirst().first.map(String.init) ?? $0.url }
    return "\(hosts.joined(separator: " and ")) cannot be reached: \(first.reason). There seems to be no network. A "
      + "proxy is taken from https_proxy and http_proxy, a mirror from --base-url."
  }

  private static func reason(_ status: Int) -> String {
    switch status {
    case 401, 403: "the server wants a permission that this program does not have (HTTP \(status)). Try another --from."
    case 404, 410: "the server has no such file (HTTP \(status)). Check --base-url, or try another --from."
    case 407: "the proxy wants a name and password (HTTP 407). Put them into the address in https_proxy."
    case 500...: "the server has a fault of its own (HTTP \(status)), again and again. Try again later."
    default: "the server refused (HTTP \(status)). Try again later, or another --from."
    }
  }

  /// Whether another place may do better.
  var isOfThePlace: Bool {
    switch self {
    case .unreachable, .refused, .broken, .wrongLength, .wrongChecksum, .wrongContent: true
    default: false
    }
  }
}
