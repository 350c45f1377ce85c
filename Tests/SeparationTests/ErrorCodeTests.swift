import AudioFiles
import Foundation
import Separation
import Testing

/// Codes of errors are words for programs: they look alike, and every one is documented.
struct ErrorCodeTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test func everyCodeIsDocumented() throws {
    let source = try String(
      contentsOf: Self.root.appendingPathComponent("Sources/Separation/ErrorCode.swift"), encoding: .utf8)
    let documentation = try String(contentsOf: Self.root.appendingPathComponent("docs/json.md"), encoding: .utf8)
    let codes = Set(source.matches(of: /"([^"]*)"/).map { String($0.1) })
    #expect(codes.count > 30)
    for code in codes {
      #expect(code.wholeMatch(of: /[a-z]+(-[a-z]+)*/) != nil, "\(code)")
      #expect(documentation.contains("| `\(code)` |"), "\(code)")
    }
    let section = documentation.split(separator: "## Codes of errors")
    let documented = Set(
      try #require(section.last).prefix { $0 != "#" }.matches(of: /\| `([a-z-]+)` \|/).map { String($0.1) })
    #expect(documented.isSubset(of: codes), "\(documented.subtracting(codes))")
  }

  @Test func codesAreOfTheError() {
    #expect(errorCode(of: AudioFileError.emptyFile("a")) == "input-empty")
    #expect(
      errorCode(of: OutputError.notEnoughSpace(folder: "a", needed: 1, available: 0)) == "output-not-enough-space")
    #expect(errorCode(of: SeparationError.emptyTrack) == "input-without-audio")
    #expect(errorCode(of: StoppedSong.notStarted) == "not-started")
    #expect(errorCode(of: CancellationError()) == "unexpected")
  }
}
