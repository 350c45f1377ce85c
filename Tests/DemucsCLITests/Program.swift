import Foundation

/// The real executable, run as a person runs it.
struct Program {
  /// What a run left behind.
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  /// A folder of its own, where the program runs; removed with `remove`.
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("demucs-cli-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// The executable beside the test bundle, in .build/debug or .build/release.
  static var executable: URL {
    // swift test runs `.../demucs-cliPackageTests.xctest`, or a helper with that path as an argument.
    let places = CommandLine.arguments + [Bundle.main.bundlePath, Bundle.main.executablePath ?? ""]
    let folders = places.flatMap { place -> [URL] in
      let url = URL(fileURLWithPath: place)
      return [url, url.deletingLastPathComponent()]
    }
    let candidates = folders.map { $0.appendingPathComponent("demucs-cli") }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) }
      ?? candidates[0]
  }

  /// Runs the program to its end.
  /// - Parameters:
  ///   - environment: variables to add or replace.
  ///   - executable: another copy of the program.
  func run(
    _ arguments: [String], environment: [String: String] = [:], executable: URL = Program.executable
  ) throws -> Outcome {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment
      .merging(["COLUMNS": "80", "TERM": "xterm"]) { $1 }.merging(environment) { $1 }
    // Files, not pipes: a full pipe would stop the program, and reading two at once takes threads.
    let (output, errors) = (
      folder.appendingPathComponent(".stdout"), folder.appendingPathComponent(".stderr")
    )
    for file in [output, errors] { try Data().write(to: file) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  /// Creates an empty file, with its folders.
  func touch(_ path: String) throws {
    let url = folder.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data().write(to: url)
  }

  /// Everything below the folder except what `run` wrote.
  func files() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { ![".stdout", ".stderr"].contains($0) }.sorted()
  }
}
