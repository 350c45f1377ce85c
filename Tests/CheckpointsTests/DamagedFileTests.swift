import CheckpointFuzzing
import Checkpoints
import Foundation
import Testing

/// Sound files, damaged: an error that names the file, or a checkpoint that the damage did not touch.
@Suite struct DamagedFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func fixture(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: TorchLayoutTests.fixtures + name)))
  }

  @Test(arguments: ["tiny.th", "tiny32.th", "layout-deflated.th", "layout-zip64.th", "tiny.safetensors"])
  func truncatedAnywhere(name: String) throws {
    let whole = try fixture(name)
    let lengths = (0..<16).map { whole.count * $0 / 16 } + [1, 3, 4, 21, 22, whole.count - 22, whole.count - 1]
    for length in lengths {
      let path = try folder.file("cut.th", Array(whole.prefix(length)))
      let error = #expect(throws: CheckpointError.self, "\(length) bytes") { try Checkpoint(opening: path) }
      #expect(error?.description.hasPrefix(path + ": ") == true)
    }
  }

  /// One bit after the other of a small archive: all of the directory, the headers, the pickle and the tensors. With
  /// checksums, what is read in spite of it is what was there.
  @Test(arguments: [false, true]) func everyBitFlipped(isDeflated: Bool) throws {
    var archive = TinyPackage(kwargs: [("channels", Pickle.integer(8))]).archive
    if isDeflated {
      for index in archive.entries.indices {
        let content = archive.entries[index].content
        archive.entries[index] = try deflated(archive.entries[index], content)
      }
    }
    let sound = archive.bytes
    let path = folder.path + "/flipped.th"
    var readable = 0
    for position in sound.indices {
      for bit in 0..<8 {
        var damaged = sound
        damaged[position] ^= 1 << UInt8(bit)
        try Data(damaged).write(to: URL(fileURLWithPath: path))
        do {
          let checkpoint = try Checkpoint(opening: path)
          #expect(try values(checkpoint.tensor("w")) == [1, 2, 3])
          #expect(try checkpoint.modelDescription().kwargs == ["channels": .integer(8)])
          readable += 1
        } catch is CheckpointError {}
      }
    }
    // Times, versions and attributes of the entries matter to nobody.
    #expect(readable > 100 && readable < sound.count * 3)
  }

  private func deflated(_ entry: ZipBuilder.Entry, _ content: [UInt8]) throws -> ZipBuilder.Entry {
    var entry = entry
    entry.checksum = littleEndianValue(ZipBuilder([.init("x", content)]).bytes[14..<18])
    entry.content = try #require(ZipBuilder.deflated(content))
    entry.method = 8
    entry.size = content.count
    return entry
  }

  private func littleEndianValue(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// A short run of docs/model-files.md.
  @Test func fuzzed() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: TorchLayoutTests.fixtures).sorted()
    let seeds = try files.map(fixture).filter { $0.count < 64 << 10 }
    let report = try CheckpointFuzzer.make(seeds: seeds, path: folder.path + "/case").run(0..<3000, seed: 7)
    #expect(report.faults.isEmpty, "\(report.faults)")
    // A run in which nothing, or everything, is read would find nothing.
    #expect(report.cases == 3000 && report.read > 30 && report.read < 2000)
  }
}
