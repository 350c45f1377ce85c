import AudioFiles
import Foundation

/// What a song's stems were made of, kept in a small hidden file beside the first of them, so that a later run can tell
/// that they need not be made again.
///
/// It is written last: where it is, all stems were on the disk. Stems that were changed, or a song that was, show in their
/// fingerprints.
struct TrackRecord: Codable, Equatable, Sendable {
  struct Stem: Codable, Equatable, Sendable {
    let name: String
    let file: FileFingerprint
  }

  /// Of this format.
  static let currentVersion = 1

  let version: Int
  let provenance: Provenance
  let song: FileFingerprint
  /// Songs of one length that came out of one archive have one time.
  let songInode: UInt?
  /// Length of the song.
  let seconds: Double
  /// Of the stems, in Hz.
  let sampleRate: Int
  let stems: [Stem]

  /// Where the record of a song lies: `.drums.wav.json` beside `drums.wav`.
  static func path(besides stem: FilePath) -> FilePath {
    let name = stem.name.bytes
    var hidden = Array(".".utf8) + name + Array(".json".utf8)
    // Some names are as long as a file system allows.
    if hidden.count > Int(NAME_MAX) { hidden = Array(".demucs-\(hash(name)).json".utf8) }
    return stem.folder.appending(FilePath(bytes: hidden))
  }

  /// FNV-1a, which need not withstand anybody.
  private static func hash(_ name: [UInt8]) -> String {
    String(name.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }, radix: 16)
  }

  /// Reads a record; nil if there is none, or none that is understood.
  init?(at path: FilePath) {
    let descriptor = path.call { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { return nil }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard let data = try? file.read(upToCount: Self.longest),
      let record = try? JSONDecoder().decode(TrackRecord.self, from: data), record.version == Self.currentVersion
    else { return nil }
    self = record
  }

  /// Bytes that no record exceeds.
  private static let longest = 1 << 20

  init(
    provenance: Provenance, song: FileFingerprint, inode: UInt, seconds: Double, sampleRate: Int, stems: [Stem]
  ) {
    version = Self.currentVersion
    (self.provenance, self.song, songInode, self.seconds) = (provenance, song, inode, seconds)
    (self.sampleRate, self.stems) = (sampleRate, stems)
  }

  /// Puts the record in place, whole.
  /// - Throws: `OutputError`.
  func write(to path: FilePath, temporaryFiles: TemporaryFiles) throws {
    let folder = path.folder
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let temporary = try temporaryFiles.create(in: folder)
    defer { temporaryFiles.discard([temporary]) }
    do {
      let descriptor = temporary.call { open($0, O_WRONLY | O_CLOEXEC) }
      guard descriptor >= 0 else { throw OutputError.notWritable(path: folder, reason: systemMessage(errno)) }
      let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      try file.write(contentsOf: encoder.encode(self) + Data("\n".utf8))
      try file.synchronize()
    } catch let error as OutputError {
      throw error
    } catch {
      throw OutputError.temporaryFailed(folder: folder, reason: (error as NSError).localizedDescription)
    }
    try temporaryFiles.publish([(temporary, path)])
    StemFiles.synchronizeFolder(folder)
  }

  /// Why the stems of a song have to be made again, as a clause for a log; nil if they are all there, whole, and what
  /// would be made.
  /// - Parameters:
  ///   - song: the song's file.
  ///   - paths: where its stems go, in order.
  ///   - names: their names.
  ///   - check: is asked now and then whether to go on; what it throws ends the work.
  func staleness(
    _ provenance: Provenance, song: FilePath, paths: [FilePath], names: [String], check: () throws -> Void
  ) throws -> String? {
    let differences = provenance.differences(from: self.provenance)
    if !differences.isEmpty { return "made with another \(differences.joined(separator: ", "))" }
    guard stems.map(\.name) == names else { return "made of other stems" }
    for (stem, path) in zip(stems, paths) where try stem.file.fits(path, check: check) == false {
      return "\(path) is not what was written"
    }
    return try self.song.fits(song, inode: songInode ?? 0, check: check) ? nil : "the song changed"
  }
}
