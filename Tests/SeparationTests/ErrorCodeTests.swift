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

  /// Which file, what is wrong, what to do.
  @Test func everySentenceHasAWayOut() {
    let reason = "No space left on device"
    let inputs: [AudioFileError] = [
      .notFound("a"), .permissionDenied("a"), .isDirectory("a"), .notRegularFile("a"), .emptyFile("a"),
      .cannotOpen("a", reason: reason), .notAudio("a", reason: reason),
      .damaged("a", container: "WAV", reason: reason), .needsFFmpeg("a"), .notDecoded("a", reason: reason),
      .brokenFFmpeg("a", reason: reason),
      .decodingStalled("a", seconds: 60), .noAudioTrack("a"),
      .unsupportedSampleRate("a", rate: 1), .tooFewChannels("a", found: 2, wanted: 6), .noAudio("a"),
      .truncated("a", promisedFrames: 9), .readFailed("a", frame: 9, reason: reason), .changed("a"),
      .cannotSpool("a", folder: "b", reason: reason), .unsupportedOutput("a", reason: reason),
      .writeFailed("a", reason: reason),
    ]
    let outputs: [OutputError] = [
      .wrongExtension(path: "a", expected: "wav"), .notAFolder(path: "a"), .notWritable(path: "a", reason: reason),
      .nameTooLong(path: "a", length: 300, limit: 255), .cannotCreateFolder(path: "a", reason: reason),
      .cannotPublish(path: "a", reason: reason), .wouldReplaceInput(path: "a"),
      .temporaryFailed(folder: "a", reason: reason), .notEnoughSpace(folder: "a", needed: 2, available: 1),
    ]
    let wayOut = /(?:[.;] (?:and )?|, or )(?:then )?(\w+)/
    let verbs: Set<Substring> = [
      "Check", "check", "Change", "Name", "Copy", "Fetch", "fetch", "Use", "use", "Install", "Free", "free", "Wait",
      "Choose", "choose", "export", "end", "move",
    ]
    for text in inputs.map(\.description) + outputs.map(\.description) {
      #expect(text.hasPrefix("a: ") && text.hasSuffix(".") && !text.contains("\n"), "\(text)")
      #expect(text.matches(of: wayOut).contains { verbs.contains($0.1) }, "\(text)")
    }
  }

  @Test func codesAreOfTheError() {
    #expect(errorCode(of: AudioFileError.emptyFile("a")) == "input-empty")
    #expect(errorCode(of: AudioFileError.brokenFFmpeg("a", reason: "b")) == "input-needs-ffmpeg")
    #expect(errorCode(of: AudioFileError.decodingStalled("a", seconds: 60)) == "input-decoding-stalled")
    #expect(errorCode(of: AudioFileError.noAudioTrack("a")) == "input-without-audio")
    #expect(
      errorCode(of: OutputError.notEnoughSpace(folder: "a", needed: 1, available: 0)) == "output-not-enough-space")
    #expect(errorCode(of: SeparationError.emptyTrack) == "input-without-audio")
    #expect(errorCode(of: StoppedSong.notStarted) == "not-started")
    #expect(errorCode(of: CancellationError()) == "unexpected")
  }
}
