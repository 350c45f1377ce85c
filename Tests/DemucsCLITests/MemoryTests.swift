import Foundation
import Testing

/// A song of twenty minutes takes the memory of one of thirty seconds.
@Suite(.serialized) struct MemoryTests {
  /// Peak of the resident memory of a run, in bytes.
  /// - Parameter isPiped: whether the song comes out of a named pipe.
  private func peak(_ program: Program, _ name: String, isPiped: Bool, _ options: [String]) throws -> Int {
    let place = { program.folder.appendingPathComponent($0).path }
    let song = isPiped ? name + ".pipe" : name
    if isPiped {
      let writing = Process()
      writing.executableURL = URL(filePath: "/bin/sh")
      writing.arguments = ["-c", "mkfifo \"$2\"; cat \"$1\" > \"$2\"", "sh", place(name), place(song)]
      try writing.run()
      while access(place(song), F_OK) != 0 { usleep(1000) }
    }
    // The program's own account: that of `wait4` would count this process too, as it is at the start.
    let outcome = try program.run(
      ["separate", song, "-n", "tiny.safetensors", "-o", "out", "-j", "2", "--quiet", "--json"] + options)
    #expect(outcome.status == 0)
    let report = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    return try #require(report?["peakResidentBytes"] as? Int)
  }

  @Test(arguments: [
    (1200, false, []), (1200, true, ["--clip-mode", "none"]),
    (300, false, ["--shifts", "3", "--rate", "original", "--clip-mode", "rescale-all", "--flac"]),
    (300, false, ["--clip-mode", "none", "--two-stems", "hum", "--mixture-consistent", "distribute", "--float32"]),
  ])
  func doesNotGrowWithTheSong(seconds: Int, isPiped: Bool, options: [String]) throws {
    let program = try Program()
    defer { program.remove() }
    try TestModel().write(program)
    try program.writeSparseSong("short.wav", seconds: 30, sampleRate: 11_025)
    try program.writeSparseSong("long.wav", seconds: seconds, sampleRate: 11_025)
    let short = try peak(program, "short.wav", isPiped: isPiped, options)
    let long = try peak(program, "long.wav", isPiped: isPiped, options)
    #expect(Double(long) <= 1.05 * Double(short), "\(short >> 10) KiB, then \(long >> 10) KiB")
  }
}
