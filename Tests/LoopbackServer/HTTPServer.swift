import Foundation
import Synchronization

/// A small HTTP/1.1 server on 127.0.0.1: real sockets, one thread a connection, one request a connection.
///
/// What it answers is decided by a handler, which may send half of what it announces and hang up, be slow, or lie.
public final class HTTPServer: Sendable {
  /// What a client asks for.
  public struct Request: Sendable {
    public let method: String
    public let path: String
    /// Names in lower case.
    public let headers: [String: String]

    /// First byte that `Range: bytes=FIRST-` asks for.
    public var rangeStart: Int? {
      headers["range"].flatMap { $0.hasPrefix("bytes=") && $0.hasSuffix("-") ? Int($0.dropFirst(6).dropLast()) : nil }
    }
  }

  /// What it gets.
  public struct Response: Sendable {
    public var status: Int
    public var headers: [(name: String, value: String)]
    public var body: Data
    /// Bytes of the body after which the connection is cut; nil sends all.
    public var cutAfter: Int?
    /// Seconds for which the connection is held open, in silence, after what is sent.
    public var hold = 0.0
    /// Seconds between pieces of a hundredth of the body; 0 sends it at once.
    public var pause = 0.0
    /// Whether the length of the body is announced.
    public var announcesLength = true

    public init(_ status: Int, _ headers: [(name: String, value: String)] = [], body: Data = Data()) {
      (self.status, self.headers, self.body) = (status, headers, body)
    }

    /// A file, or the part of it that the request asks for, as a server does that knows ranges and tags.
    public static func file(_ data: Data, for request: Request, etag: String? = "\"1\"") -> Response {
      var headers: [(name: String, value: String)] = [("Accept-Ranges", "bytes")]
      if let etag { headers.append(("ETag", etag)) }
      let isSame = request.headers["if-range"] == nil || request.headers["if-range"] == etag
      guard let start = request.rangeStart, isSame else { return Response(200, headers, body: data) }
      guard start < data.count else {
        return Response(416, headers + [("Content-Range", "bytes */\(data.count)")])
      }
      headers.append(("Content-Range", "bytes \(start)-\(data.count - 1)/\(data.count)"))
      return Response(206, headers, body: data[start...])
    }
  }

  public typealias Handler = @Sendable (_ request: Request, _ number: Int) -> Response

  private let descriptor: Int32
  /// `http://127.0.0.1:PORT`
  public let root: String
  private let handler: Handler
  private let log = Mutex<[Request]>([])

  /// All requests so far, in order.
  public var requests: [Request] { log.withLock { $0 } }

  public struct Failure: Error { let call: String }

  /// - Parameter handler: answers a request; `number` counts them from 0.
  public init(_ handler: @escaping Handler) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    descriptor = listener
    let isBound = withUnsafeMutableBytes(of: &address) { bytes -> Bool in
      guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
      return bind(listener, pointer, length) == 0 && listen(listener, 16) == 0
        && getsockname(listener, pointer, &length) == 0
    }
    root = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    self.handler = handler
    guard isBound else { throw Failure(call: "bind") }
    let thread = Thread { [descriptor, self] in
      while case let connection = accept(descriptor, nil, nil), connection >= 0 {
        let worker = Thread { self.serve(connection) }
        worker.start()
      }
    }
    thread.start()
  }

  /// Takes no more connections.
  public func stop() {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    guard let request = HTTPServer.request(from: connection) else { return }
    let number = log.withLock { log in
      log.append(request)
      return log.count - 1
    }
    let response = handler(request, number)
    var head = "HTTP/1.1 \(response.status) Said\r\nConnection: close\r\n"
    for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
    if response.announcesLength, !response.headers.contains(where: { $0.name == "Content-Length" }) {
      head += "Content-Length: \(response.body.count)\r\n"
    }
    guard HTTPServer.send(Data((head + "\r\n").utf8), to: connection) else { return }
    let body = response.body.prefix(response.cutAfter ?? response.body.count)
    let piece = response.pause > 0 ? max(1, response.body.count / 100) : max(1, body.count)
    for start in stride(from: body.startIndex, to: body.endIndex, by: piece) {
      guard HTTPServer.send(body[start..<min(start + piece, body.endIndex)], to: connection) else { return }
      if response.pause > 0 { Thread.sleep(forTimeInterval: response.pause) }
    }
    Thread.sleep(forTimeInterval: response.hold)
  }

  private static func request(from connection: Int32) -> Request? {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 4096)
    while bytes.suffix(4) != [13, 10, 13, 10] {
      let count = recv(connection, &block, block.count, 0)
      guard count > 0, bytes.count < 1 << 16 else { return nil }
      bytes += block[..<count]
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
    guard let first = lines.first?.split(separator: " "), first.count == 3 else { return nil }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    return Request(method: String(first[0]), path: String(first[1]), headers: headers)
  }

  private static func send(_ data: Data, to connection: Int32) -> Bool {
    var rest = [UInt8](data)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
