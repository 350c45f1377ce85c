import AudioFiles
import AudioFuzzing
import Foundation
import Fuzzing
import Testing

/// Bad files end in audio or in one error of one line. More of them: docs/faults.md.
@Suite struct FuzzTests {
  /// libsndfile prints what it finds in broken sample dumps, line by line.
  private func seeds(_ folder: TemporaryFolder) throws -> [SeedFiles.Seed] {
    try SeedFiles.all(frameCount: 1500, in: folder.url.path).filter { !$0.name.hasPrefix("sds") }
  }

  @Test("sound files of every container and encoding are read as they are")
  func seedsAreRead() throws {
    let folder = try TemporaryFolder()
    let seeds = try seeds(folder)
    let containers = Set(seeds.map { $0.name.prefix { $0 != "-" } })
    #expect(seeds.count > 80 && containers.isSuperset(of: ["wav", "flac", "oga", "aiff", "au", "caf", "w64", "rf64"]))
    for seed in seeds {
      let path = try folder.file("a", seed.bytes)
      #expect(try AudioFuzzer.readEverything(path) == nil, "\(seed.name)")
    }
  }

  @Test("damaged copies of them end in samples or in an error")
  func damage() throws {
    let folder = try TemporaryFolder()
    let fuzzer = AudioFuzzer.make(seeds: try seeds(folder).map(\.bytes), path: folder.path("case"))
    let report = try fuzzer.run(0..<1500, seed: 1)
    #expect(report.faults.isEmpty, "\(report.faults)")
    // The damage is neither too little nor too much to go far into the readers.
    #expect((400..<1100).contains(report.read))
    let again = try fuzzer.run(100..<150, seed: 1)
    #expect(again.read == (try fuzzer.run(100..<150, seed: 1).read))
  }

  @Test("a fault is found out")
  func faultsAreSeen() throws {
    let folder = try TemporaryFolder()
    #expect(throws: AudioFileError.self) { try AudioFuzzer.readEverything(folder.file("a", Array("text".utf8))) }
    #expect(throws: AudioFileError.self) { try AudioFuzzer.readEverything(folder.path("none")) }
    struct Stranger: Error {}
    struct Expected: Error {}
    let fuzzer = Fuzzer(
      path: folder.path("case"), makeCase: { [UInt8(truncatingIfNeeded: $0)] },
      read: { path in
        switch try Data(contentsOf: URL(filePath: path))[0] % 4 {
        case 0: throw Stranger()
        case 1: throw Expected()
        case 2: return "wrong"
        default: return nil
        }
      }, judge: { $0 is Expected ? nil : "a stranger" })
    let report = try fuzzer.run(0..<8, seed: 0)
    #expect(report.cases == 8 && report.read == 4)
    #expect(report.faults.map(\.fault).sorted() == ["a stranger", "a stranger", "wrong", "wrong"])
    #expect(report.largest.peak > 1 << 20)
  }
}
