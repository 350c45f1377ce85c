import Foundation
import LoopbackServer
import ModelStore
import Synchronization
import Testing

/// Downloads from a real server on the loopback.
struct DownloaderTests {
  /// Enough for many pieces: 3 MB that repeat nowhere.
  static let file = {
    var state: UInt64 = 7
    return Data(
      (0..<3_000_000).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
      })
  }()

  static let checksum = {
    let path = NSTemporaryDirectory() + "/demucs-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try? file.write(to: URL(fileURLWithPath: path))
    return (try? Checksum.sha256(of: path)) ?? ""
  }()

  private let folder: TemporaryFolder
  private var target: String { folder.path + "/models/m.safetensors" }
  /// Waits for next to nothing between tries.
  private let downloader = Downloader(agent: "test/1", firstDelay: 0.001, silence: 5)

  init() throws { folder = try TemporaryFolder() }

  private func expectWhole() {
    #expect(folder.files == ["models", "models/m.safetensors"])
    #expect(folder.bytes("models/m.safetensors") == Self.file)
  }

  private func failure(_ body: () throws -> Void) throws -> DownloadError {
    try #require(#expect(throws: DownloadError.self) { try body() })
  }

  @Test func whole() throws {
    let server = try HTTPServer { request, _ in .file(Self.file, for: request) }
    defer { server.stop() }
    let last = Mutex((0, 0))
    let found = try downloader.fetch(
      server.root + "/a/m.safetensors", to: target,
      progress: { done, total in last.withLock { $0 = (done, total ?? 0) } })
    #expect(found == Self.checksum && last.withLock { $0 == (Self.file.count, Self.file.count) })
    #expect(server.requests.map(\.path) == ["/a/m.safetensors"])
    #expect(server.requests[0].headers["user-agent"] == "test/1")
    expectWhole()
  }

  @Test func lengthNotAnnounced() throws {
    let server = try HTTPServer { request, _ in
      var response = HTTPServer.Response.file(Self.file, for: request)
      response.announcesLength = false
      return response
    }
    defer { server.stop() }
    try downloader.fetch(server.root, to: target, checksum: Self.checksum)
    expectWhole()
  }

  /// Cut at several points, each try goes on where the one before stopped, and says of which version its bytes are.
  @Test(arguments: [[1], [1_000_000], [2_999_999], [10, 500_000, 500_001, 2_000_000]])
  func resumed(cuts: [Int]) throws {
    let server = try HTTPServer { request, number in
      var response = HTTPServer.Response.file(Self.file, for: request)
      if number < cuts.count { response.cutAfter = cuts[number] - (request.rangeStart ?? 0) }
      return response
    }
    defer { server.stop() }
    try downloader.fetch(server.root, to: target, checksum: Self.checksum)
    #expect(server.requests.map(\.rangeStart) == [nil] + cuts)
    #expect(server.requests.dropFirst().allSatisfy { $0.headers["if-range"] == "\"1\"" })
    expectWhole()
  }

  /// What an earlier process left is gone on from, also where the tag was lost with a copy of the file.
  @Test(arguments: [0, 1, 1_234_567, 3_000_000]) func leftOver(count: Int) throws {
    let server = try HTTPServer { request, _ in .file(Self.file, for: request) }
    defer { server.stop() }
    try folder.write("models/m.safetensors.part", Data(Self.file.prefix(count)))
    try downloader.fetch(server.root, to: target, checksum: String(Self.checksum.prefix(8)))
    #expect(server.requests.map(\.rangeStart) == [count > 0 ? count : nil])
    expectWhole()
  }

  /// Without a tag and without a checksum nobody could tell whether the rest belongs to the beginning.
  @Test func leftOverThatNobodyCouldCheckIsFetchedAnew() throws {
    let server = try HTTPServer { request, _ in .file(Self.file, for: request) }
    defer { server.stop() }
    try folder.write("models/m.safetensors.part", "wrong beginning")
    try downloader.fetch(server.root, to: target)
    #expect(server.requests.map(\.rangeStart) == [nil])
    expectWhole()
  }

  @Test func leftOverOfAnotherVersionIsFetchedAnew() throws {
    let server = try HTTPServer { request, _ in .file(Self.file, for: request) }
    defer { server.stop() }
    try folder.write("models/m.safetensors.part", "wrong beginning")
    try downloader.fetch(server.root, to: target, checksum: Self.checksum)
    #expect(server.requests.map(\.rangeStart) == [15, nil])
    expectWhole()
  }

  /// The file changes on the server between two tries: `If-Range` gets all of the new one.
  @Test func changedOnTheServer() throws {
    let old = Data(repeating: 1, count: 2_000_000)
    let server = try HTTPServer { request, number in
      guard number == 0 else { return .file(Self.file, for: request, etag: "\"new\"") }
      var response = HTTPServer.Response.file(old, for: request, etag: "\"old\"")
      response.cutAfter = 1_500_000
      return response
    }
    defer { server.stop() }
    try downloader.fetch(server.root, to: target)
    #expect(server.requests.count == 2 && server.requests[1].headers["if-range"] == "\"old\"")
    expectWhole()
  }

  /// A server that takes no notice of `If-Range` is caught by its tag.
  @Test func changedOnAServerWithoutIfRange() throws {
    let server = try HTTPServer { request, number in
      var response = HTTPServer.Response.file(Self.file, for: request, etag: "\"\(min(number, 1))\"")
      if number == 0 { response.cutAfter = 1000 }
      if number == 1, let start = request.rangeStart {
        response = HTTPServer.Response(
          206, [("ETag", "\"1\""), ("Content-Range", "bytes \(start)-2999999/3000000")], body: Self.file[start...])
      }
      return response
    }
    defer { server.stop() }
    try downloader.fetch(server.root, to: target)
    #expect(server.requests.map(\.rangeStart) == [nil, 1000, nil])
    expectWhole()
  }

  /// A connection that falls silent counts as broken.
  @Test func silence() throws {
    let server = try HTTPServer { request, number in
      var response = HTTPServer.Response.file(Self.file, for: request)
      if number == 0 { (response.cutAfter, response.hold) = (1_000_000, 20) }
      return response
    }
    defer { server.stop() }
    try Downloader(firstDelay: 0.001, silence: 1).fetch(server.root, to: target)
    #expect(server.requests.count == 2)
    expectWhole()
  }

  /// A server may send less than the rest that it is asked for: it is asked again.
  @Test func serverThatSendsARangeInPieces() throws {
    let server = try HTTPServer { request, number in
      guard let start = request.rangeStart else {
        var response = HTTPServer.Response.file(Self.file, for: request)
        response.cutAfter = 1000
        return response
      }
      let end = min(start + 1_500_000, Self.file.count)
      return HTTPServer.Response(
        206, [("Content-Range", "bytes \(start)-\(end - 1)/3000000"), ("ETag", "\"1\"")], body: Self.file[start..<end])
    }
    defer { server.stop() }
    try downloader.fetch(server.root, to: target)
    #expect(server.requests.map(\.rangeStart) == [nil, 1000, 1_501_000])
    expectWhole()
  }

  @Test func serverThatIgnoresRange() throws {
    let server = try HTTPServer { request, number in
      var response = HTTPServer.Response(200, [], body: Self.file)
      if number == 0 { response.cutAfter = 2_000_000 }
      return response
    }
    defer { server.stop() }
    try downloader.fetch(server.root, to: target, checksum: Self.checksum)
    #expect(server.requests.map(\.rangeStart) == [nil, 2_000_000])
    expectWhole()
  }

  @Test func wrongChecksum() throws {
    let server = try HTTPServer { request, _ in .file(Self.file, for: request) }
    defer { server.stop() }
    let error = try failure { try downloader.fetch(server.root + "/x.th", to: target, checksum: "00000000") }
    #expect(error == .wrongChecksum(url: server.root + "/x.th", expected: "00000000", found: Self.checksum))
    #expect(error.description.contains("00000000") && error.description.contains(Self.checksum.prefix(8)))
    #expect(folder.files == ["models"])
  }

  /// The hub tells size and SHA-256 of a file on the redirect to where it is.
  @Test func redirectOfTheHub() throws {
    let server = try HTTPServer { request, _ in
      request.path == "/there"
        ? .file(Self.file, for: request)
        : HTTPServer.Response(
          302,
          [
            ("Location", "/there"), ("X-Linked-Size", "3000000"), ("X-Linked-Etag", "\"\(Self.checksum)\""),
            ("ETag", "\"other\""),
          ])
    }
    defer { server.stop() }
    #expect(try downloader.fetch(server.root + "/here", to: target) == Self.checksum)
    #expect(server.requests.map(\.path) == ["/here", "/there"])
    expectWhole()
  }

  @Test func whatTheHubSaysIsHeldAgainstWhatComes() throws {
    for (size, checksum) in [("2999999", Self.checksum), ("3000000", String(repeating: "0", count: 64))] {
      let server = try HTTPServer { request, _ in
        request.path == "/there"
          ? .file(Self.file, for: request)
          : HTTPServer.Response(
            302, [("Location", "/there"), ("X-Linked-Size", size), ("X-Linked-Etag", "\"\(checksum)\"")])
      }
      defer { server.stop() }
      let error = try failure { try downloader.fetch(server.root, to: target) }
      switch error {
      case .wrongLength(_, 2_999_999, 3_000_000): #expect(size == "2999999")
      case .wrongChecksum: #expect(size == "3000000")
      default: Issue.record("\(error)")
      }
      #expect(folder.files == ["models"])
    }
  }

  /// Fewer bytes come than are announced, every time: what came stays for the next try.
  @Test func wrongLength() throws {
    let server = try HTTPServer { request, _ in
      var response = HTTPServer.Response.file(Self.file, for: request)
      response.cutAfter = max(0, 1_000_000 - (request.rangeStart ?? 0))
      return response
    }
    defer { server.stop() }
    let error = try failure { try downloader.fetch(server.root, to: target) }
    guard case .broken = error else {
      Issue.record("\(error)")
      return
    }
    #expect(server.requests.count == 6)
    #expect(folder.files == ["models", "models/m.safetensors.part"])
    #expect(folder.bytes("models/m.safetensors.part") == Self.file.prefix(1_000_000))
  }

  @Test func redirectsWithoutEnd() throws {
    let server = try HTTPServer { _, _ in HTTPServer.Response(302, [("Location", "/again")]) }
    defer { server.stop() }
    let error = try failure { try downloader.fetch(server.root, to: target) }
    guard case .broken = error else {
      Issue.record("\(error)")
      return
    }
    #expect(server.requests.count == 11 && folder.files == ["models"])
  }

  @Test(arguments: [401, 403, 404, 410]) func refusedAtOnce(status: Int) throws {
    let server = try HTTPServer { _, _ in HTTPServer.Response(status, [], body: Data("<html>".utf8)) }
    defer { server.stop() }
    #expect(try failure { try downloader.fetch(server.root, to: target) } == .refused(url: server.root, status: status))
    #expect(server.requests.count == 1 && folder.files == ["models"])
  }

  @Test(arguments: [500, 503, 429]) func faultThatPasses(status: Int) throws {
    let server = try HTTPServer { request, number in
      number < 3 ? HTTPServer.Response(status, [], body: Data("busy".utf8)) : .file(Self.file, for: request)
    }
    defer { server.stop() }
    try downloader.fetch(server.root, to: target)
    #expect(server.requests.count == 4)
    expectWhole()
  }

  @Test func faultThatStays() throws {
    let server = try HTTPServer { _, _ in HTTPServer.Response(500) }
    defer { server.stop() }
    #expect(try failure { try downloader.fetch(server.root, to: target) } == .refused(url: server.root, status: 500))
    #expect(server.requests.count == 5 && folder.files == ["models"])
  }

  @Test func nobodyThere() throws {
    let server = try HTTPServer { _, _ in HTTPServer.Response(500) }
    server.stop()
    let error = try failure { try downloader.fetch(server.root, to: target) }
    guard case .unreachable = error else {
      Issue.record("\(error)")
      return
    }
    #expect(error.description.contains("Is there a network?"))
    #expect(folder.files == ["models"])
  }

  @Test(arguments: ["ftp://127.0.0.1/x", "nonsense://x/y", "file:///etc/passwd"]) func otherProtocols(url: String)
    throws
  {
    _ = try failure { try downloader.fetch(url, to: target) }
    #expect(folder.files == ["models"])
  }

  /// A server must not be able to have a file of this machine read.
  @Test func redirectToAFile() throws {
    let server = try HTTPServer { _, _ in HTTPServer.Response(302, [("Location", "file:///etc/passwd")]) }
    defer { server.stop() }
    _ = try failure { try downloader.fetch(server.root, to: target) }
    #expect(folder.files == ["models"])
  }

  @Test func stoppedByTheCaller() throws {
    let server = try HTTPServer { request, _ in
      var response = HTTPServer.Response.file(Self.file, for: request)
      response.pause = 0.01
      return response
    }
    defer { server.stop() }
    #expect(throws: CancellationError.self) {
      try downloader.fetch(
        server.root, to: target, progress: { done, _ in if done > 100_000 { throw CancellationError() } })
    }
    #expect(folder.files == ["models", "models/m.safetensors.part"])
    let part = try #require(folder.bytes("models/m.safetensors.part"))
    #expect(part.count > 100_000 && part.count < Self.file.count && Self.file.starts(with: part))
    try downloader.fetch(server.root, to: target)
    #expect(server.requests.last?.rangeStart == part.count || server.requests.last?.rangeStart == nil)
    expectWhole()
  }

  /// What validation refuses is thrown away, as a page of a hotel's network would be.
  @Test func whatIsNoModel() throws {
    struct NoModel: Error {}
    let server = try HTTPServer { _, _ in HTTPServer.Response(200, [], body: Data("<html>Sign in</html>".utf8)) }
    defer { server.stop() }
    let error = try failure { try downloader.fetch(server.root, to: target, validate: { _ in throw NoModel() }) }
    guard case .wrongContent = error else {
      Issue.record("\(error)")
      return
    }
    #expect(folder.files == ["models"])
  }

  /// A file in the folder's place fails for root too, who may write into read-only folders.
  @Test func folderThatCannotBe() throws {
    try folder.write("models", "a file")
    let error = try failure { try downloader.fetch("http://127.0.0.1:9/x", to: target) }
    guard case .unwritable = error else {
      Issue.record("\(error)")
      return
    }
    #expect(folder.files == ["models"])
    let system = try failure { try downloader.fetch("http://127.0.0.1:9/x", to: "/proc/m.safetensors") }
    guard case .unwritable = system else {
      Issue.record("\(system)")
      return
    }
  }

  @Test func twoAtOnce() throws {
    let server = try HTTPServer { request, _ in .file(Self.file, for: request) }
    defer { server.stop() }
    let (downloader, target) = (downloader, target)
    var second: DownloadError?
    try downloader.fetch(
      server.root, to: target,
      progress: { _, _ in
        if second == nil {
          second = #expect(throws: DownloadError.self) { try downloader.fetch(server.root, to: target) }
        }
      })
    #expect(second == .busy(path: target + ".part"))
    expectWhole()
  }
}
