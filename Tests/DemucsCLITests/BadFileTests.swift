import AudioFiles
import AudioFuzzing
import Foundation
import Testing

/// Files that lie, are cut short or are no audio, all in one batch: each is separated, or named in one line.
struct BadFileTests {
  @Test func eachIsSeparatedOrNamed() throws {
    let program = try Program()
    defer { program.remove() }
    try TestModel().write(program)
    let folder = program.folder.appendingPathComponent("bad")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // Of what repeats for every container some. `scripts/check_bad_inputs` takes all, a process each.
    let files = try BadFiles.all(in: folder.path).enumerated()
      .filter { $0.element.name.contains("wav-") || $0.offset % 9 == 0 }.map(\.element)
    #expect(files.count >= 200)
    for file in files { try Data(file.bytes).write(to: folder.appendingPathComponent(file.name)) }

    let outcome = try program.run(
      ["separate", "-n", "tiny.safetensors", "--float32", "--quiet"] + files.map { "bad/\($0.name)" })
    #expect(outcome.status == 1, "\(outcome.errors.suffix(500))")
    let all = outcome.errors.split(separator: "\n").map(String.init)
    let end = try #require(all.firstIndex { $0.hasSuffix("songs failed:") })
    let (lines, summary) = (all[..<end], all[end...])
    let stems = Set(outcome.output.split(separator: "\n").map(String.init))
    // Nothing of what the libraries print of themselves.
    #expect(lines.allSatisfy { $0.hasPrefix("Error: bad/") || $0.hasPrefix("Warning: bad/") }, "\(lines)")
    #expect(summary.dropFirst().allSatisfy { $0.hasPrefix("  bad/") })
    var (done, failed) = (0, 0)
    for file in files {
      let errors = lines.filter { $0.hasPrefix("Error: bad/\(file.name): ") }
      let stem = "separated/tiny/\(URL(filePath: file.name).deletingPathExtension().lastPathComponent)/hum.wav"
      let isDone = stems.contains(stem)
      #expect(isDone == errors.isEmpty && errors.count <= 1, "\(file.name): \(errors)")
      (done, failed) = isDone ? (done + 1, failed) : (done, failed + 1)
      switch file.outcome {
      case .failure: #expect(!isDone, "\(file.name)")
      case .audio(let frames, let sampleRate):
        try #require(isDone, "\(file.name): \(errors)")
        let channels = try program.audio(stem).channels
        #expect(channels[0].count == Int(Double(frames) * 8000 / Double(sampleRate) + 0.5), "\(file.name)")
        #expect(channels.joined().allSatisfy { abs($0) <= 1 })
      case .either: break
      }
    }
    #expect(summary.count == 1 + failed && all[end] == "\(failed) of \(files.count) songs failed:")
    #expect(stems.count == 2 * done && done > 100 && failed > 100)
    #expect(try !program.files().contains { $0.contains(".demucs") })
  }
}
