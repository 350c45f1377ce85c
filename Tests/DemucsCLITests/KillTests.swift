import Foundation
import Testing

/// Batches that are killed and go on; scripts/kill_test does the same many times, and on disks that are too small.
@Suite(.serialized) struct KillTests {
  /// Runs a batch and kills it after a time, if one is given.
  private func separate(_ program: Program, _ options: [String], killAfter seconds: Double? = nil) throws -> Int32 {
    let process = Process()
    process.executableURL = Program.executable
    process.arguments =
      ["separate", "-n", "tiny.safetensors", "--quiet"] + (0..<5).map { "song\($0).wav" } + options
    process.currentDirectoryURL = program.folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    if let seconds {
      Thread.sleep(forTimeInterval: seconds)
      kill(process.processIdentifier, SIGKILL)
    }
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Every stem below a folder, by its path in it, and the number of records; nothing else may be there.
  private func contents(_ program: Program, _ folder: String) throws -> (stems: [String: Data], records: Int) {
    var stems: [String: Data] = [:]
    var records = 0
    for path in try program.files() where path.hasPrefix(folder + "/") {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(
        atPath: program.folder.appendingPathComponent(path).path, isDirectory: &isFolder)
      if isFolder.boolValue { continue }
      if path.hasSuffix("/.hum.wav.json") {
        records += 1
      } else {
        stems[path.replacing(folder, with: "")] = try program.bytes(path)
      }
    }
    return (stems, records)
  }

  @Test(arguments: [["--clip-mode", "none"], ["--float32"]])
  func whatIsKilledGoesOn(options: [String]) throws {
    let program = try Program()
    defer { program.remove() }
    try TestModel().write(program)
    for index in 0..<5 {
      try program.writeSong("song\(index).wav", frames: 60_000 + 20_000 * index, from: 9000 * index)
    }
    let clock = ContinuousClock()
    var status: Int32 = 0
    let time = try clock.measure { status = try separate(program, options + ["-o", "undisturbed"]) } / .seconds(1)
    #expect(status == 0)
    let expected = try contents(program, "undisturbed")
    #expect(expected.stems.count == 10 && expected.records == 5)
    for share in [0.2, 0.5, 0.7, 0.9] {
      let folder = "killed-\(share)"
      _ = try separate(program, options + ["-o", folder], killAfter: share * time)
      #expect(try separate(program, options + ["-o", folder, "--resume"]) == 0)
      let found = try contents(program, folder)
      #expect(found.stems == expected.stems, "\(found.stems.keys.sorted())")
      #expect(found.records == 5)
    }
  }

  /// As a killed run leaves it, without the luck that it takes to be killed in that moment.
  @Test func whatAKilledRunLeftGoes() throws {
    let program = try Program()
    defer { program.remove() }
    try TestModel().write(program)
    for index in 0..<5 { try program.writeSong("song\(index).wav", frames: 20_000) }
    #expect(try separate(program, ["-o", "out"]) == 0)
    let expected = try contents(program, "out")
    // One song is done, of one a stem has its name, of one none has.
    for path in ["song1/.hum.wav.json", "song2/.hum.wav.json", "song2/hum.wav", "song2/hiss.wav", "song1/hiss.wav"] {
      try FileManager.default.removeItem(at: program.folder.appendingPathComponent("out/tiny/" + path))
    }
    for path in ["song0/.demucs-1-a.part", "song1/.demucs-1-b.part", "song2/.demucs-1-c.part", "song2/.demucs-1-d.tmp"]
    {
      try Data("half".utf8).write(to: program.folder.appendingPathComponent("out/tiny/" + path))
    }
    #expect(try separate(program, ["-o", "out", "--resume"]) == 0)
    let found = try contents(program, "out")
    #expect(found.stems == expected.stems && found.records == 5)
  }
}
