import CheckpointFuzzing
import Checkpoints
import Foundation
import Testing

/// Zip archives that are damaged, or lie.
@Suite struct HostileZipTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func refusal(_ archive: ZipBuilder) throws -> String {
    let path = try folder.file("x.th", archive.bytes)
    let error = #expect(throws: CheckpointError.self) { try CheckpointFuzzer.readEverything(path) }
    return try #require(error).description
  }

  @Test func bombs() throws {
    // 100 MB of zeros in 100 kB: as weights that say so, and as ones that hide it.
    let zeros = [UInt8](repeating: 0, count: 100 << 20)
    let bomb = try #require(ZipBuilder.deflated(zeros))
    #expect(bomb.count < 200_000)
    var archive = TinyPackage(size: [25 << 20], storageCount: 25 << 20).archive
    archive.entries[1].content = bomb
    archive.entries[1].method = 8
    archive.entries[1].size = zeros.count
    #expect(try refusal(archive).contains("several times as large as the file"))
    archive.entries[1].size = 12
    archive.entries[0].content = TinyPackage().pickle
    #expect(try refusal(archive).contains("does not inflate to its 12 bytes"))
    // A pickle that inflates to more than is read.
    archive = TinyPackage().archive
    archive.entries[0].content = bomb
    archive.entries[0].method = 8
    archive.entries[0].size = 40 << 20
    #expect(try refusal(archive).contains("longer than the"))
    // Too short, and followed by something.
    let three = try #require(ZipBuilder.deflated([UInt8](repeating: 1, count: 12)))
    archive = TinyPackage().archive
    archive.entries[1].method = 8
    for (content, size) in [(three, 14), (three, 10), (three + [0], 12), (Array(three.dropLast()), 12), ([], 12)] {
      archive.entries[1].content = content
      archive.entries[1].size = size
      archive.entries[0].content =
        TinyPackage(
          values: [Float](repeating: 0, count: 3), size: [1], storageType: "HalfStorage", storageCount: size / 2
        ).pickle
      let message = try refusal(archive)
      #expect(message.contains("does not inflate"), "\(message)")
    }
  }

  @Test func entriesThatShareBytes() throws {
    var archive = TinyPackage().archive
    archive.entries.append(.init("m/data/1", [1, 2, 3]))
    archive.entries[3].headerOffset = 0
    #expect(try refusal(archive).contains("overlaps the entry before it"))
    archive = TinyPackage().archive
    archive.entries.append(archive.entries[1])
    #expect(try refusal(archive).contains("stands in it twice"))
    archive = TinyPackage().archive
    archive.entries[0].size = 1 << 30
    archive.entries[0].compressedSize = 1 << 30
    #expect(try refusal(archive).contains("several times as large"))
    archive.entries[0].size = 1 << 20
    archive.entries[0].compressedSize = 1 << 20
    #expect(try refusal(archive).contains("damaged, or cut short"))
  }

  @Test func entriesThatAreNotWhatTheySay() throws {
    var archive = TinyPackage().archive
    archive.entries[1].checksum = 7
    #expect(try refusal(archive).contains("\"m/data/0\" in it does not have its checksum"))
    archive = TinyPackage().archive
    archive.entries[1].method = 14
    #expect(try refusal(archive).contains("compressed by method 14"))
    archive = TinyPackage().archive
    archive.entries[1].size = 16
    #expect(try refusal(archive).contains("has two sizes"))
    archive = TinyPackage().archive
    archive.entries[1].headerOffset = 1 << 30
    #expect(try refusal(archive).contains("damaged, or cut short"))
    archive = TinyPackage().archive
    archive.entries[1].name = "m/data/1"
    #expect(try refusal(archive).contains("the storage \"0\" of its tensor \"w\" is missing"))
    archive = TinyPackage().archive
    archive.entries.append(.init("n/data.pkl", []))
    #expect(try refusal(archive).contains("2 files called data.pkl"))
    archive = ZipBuilder([.init("word/document.xml", [1])])
    #expect(try refusal(archive).contains("without a data.pkl"))
    #expect(try refusal(ZipBuilder()).contains("without a data.pkl"))
  }

  @Test func fieldsOf64Bits() throws {
    var archive = TinyPackage().archive
    archive.isZip64 = true
    let path = try folder.file("x.th", archive.bytes)
    #expect(try values(Checkpoint(opening: path).tensor("w")) == [1, 2, 3])
    for lie in [1 << 62, 1 << 40, 13] {
      archive.entries[1].size = lie
      archive.entries[1].compressedSize = lie
      #expect(try !refusal(archive).isEmpty)
    }
    // The locator of the record points elsewhere.
    archive = TinyPackage().archive
    archive.isZip64 = true
    for place in [0, 1 << 20, Int.max, -1] {
      var bytes = archive.bytes
      bytes.replaceSubrange((bytes.count - 34)..<(bytes.count - 26), with: littleEndian(Int64(place)))
      let path = try folder.file("y.th", bytes)
      let error = #expect(throws: CheckpointError.self) { try Checkpoint(opening: path) }
      #expect(error?.description.contains("its zip64 directory is not where it should be") == true)
    }
  }

  /// A storage of many tensors is verified and inflated once.
  @Test(arguments: [false, true]) func aStorageOfManyTensors(isDeflated: Bool) throws {
    let numbers = (0..<500_000).map { Float($0 % 1000) }
    var package = TinyPackage(values: numbers)
    package.size = [1]
    package.offset = 7
    let state = Pickle.dictionary((0..<4000).map { ("w\($0)", package.tensor) })
    package.state = state
    var archive = package.archive
    if isDeflated {
      archive.entries[1].method = 8
      archive.entries[1].size = archive.entries[1].content.count
      archive.entries[1].content = try #require(ZipBuilder.deflated(archive.entries[1].content))
    }
    let path = try folder.file("x.th", archive.bytes)
    let checkpoint = try Checkpoint(opening: path)
    #expect(checkpoint.names.count == 4000)
    #expect(try checkpoint.names.allSatisfy { try values(checkpoint.tensor($0)) == [7] })
  }
}
