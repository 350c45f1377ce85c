import Synchronization

/// A model file of `torch.save`: a zip archive of a pickle, `NAME/data.pkl`, and of one file for each storage,
/// `NAME/data/KEY` (`torch/serialization.py`).
///
/// The weights stay where they are in the mapped file; those that are compressed are inflated when they are asked for.
final class TorchFile: TensorSource {
  /// Bytes that tensors may have beyond those of the storages: views that overlap, or that repeat elements, make few
  /// bytes any number of weights.
  private static let maximumRepetition = 32 << 20

  let description: ModelDescription
  let tensors: [String: TensorInfo]

  private struct Storage {
    let entry: ZipEntry
    /// Whether more than one tensor lies in it.
    let isShared: Bool
  }

  private let path: String
  private let archive: ZipArchive
  private let views: [String: TorchTensor]
  private let storages: [TorchStorage: Storage]
  /// What is kept of storages that several tensors lie in, so that each is verified and inflated once: the content of
  /// compressed ones, nothing of others.
  private let shared = Mutex<[TorchStorage: [UInt8]]>([:])

  /// - Throws: `CheckpointError.malformed`, `.notDemucs`, `.unsupported`, `.unreadable`.
  init(_ file: MappedFile) throws {
    path = file.path
    do {
      archive = try ZipArchive(file)
      let folder = try TorchFile.folder(archive, path: file.path)
      let package = try TorchFile.package(archive, folder: folder, path: file.path)
      description = package.description
      views = package.tensors
      tensors = views.mapValues(\.info)
      storages = try TorchFile.storages(views, archive: archive, folder: folder)
    } catch let flaw as FormatFlaw {
      throw CheckpointError.malformed(path: file.path, format: "PyTorch", reason: flaw.reason)
    }
  }

  /// The folder that everything in the archive lies in, with the slash behind it.
  private static func folder(_ archive: ZipArchive, path: String) throws -> String {
    let pickles = archive.entries.keys.filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }
    guard let pickle = pickles.first else {
      throw FormatFlaw("it is a zip archive without a data.pkl, so none that torch.save wrote")
    }
    guard pickles.count == 1 else { throw FormatFlaw("it has \(pickles.count) files called data.pkl") }
    let folder = String(pickle.dropLast("data.pkl".count))
    guard archive.entries[folder + "constants.pkl"] == nil else {
      throw CheckpointError.unsupported(
        path: path, reason: "it is a TorchScript program",
        remedy: "Give the checkpoint that it was made from.")
    }
    // Files of PyTorch before 2.1 do not say it, and were written by little-endian machines.
    if let entry = archive.entries[folder + "byteorder"] {
      guard entry.size <= 16, try archive.withContent(of: entry, { $0.elementsEqual("little".utf8) }) else {
        throw CheckpointError.unsupported(
          path: path, reason: "its weights were written by a big-endian machine",
          remedy: "Load it with torch.load on such a machine and save its tensors as safetensors.")
      }
    }
    return folder
  }

  private static func package(_ archive: ZipArchive, folder: String, path: String) throws -> TorchPackage {
    guard let entry = archive.entries[folder + "data.pkl"] else { throw FormatFlaw("it has no data.pkl") }
    guard entry.size <= PickleReader.maximumSize else {
      throw FormatFlaw("its pickle of \(entry.size) bytes is longer than the \(PickleReader.maximumSize) that are read")
    }
    return try archive.withContent(of: entry) { try TorchPackage(try PickleReader.read($0), path: path) }
  }

  /// Finds the storages of all tensors, and checks their sizes.
  private static func storages(
    _ views: [String: TorchTensor], archive: ZipArchive, folder: String
  ) throws -> [TorchStorage: Storage] {
    var storages: [TorchStorage: Storage] = [:]
    var owners: [String: TorchStorage] = [:]
    var (stored, used) = (0, 0)
    for (name, view) in views.sorted(by: { $0.key < $1.key }) {
      let storage = view.storage
      guard owners.updateValue(storage, forKey: storage.key) ?? storage == storage else {
        throw FormatFlaw("its tensor \(shown(name)) takes a storage for one of another type or size")
      }
      if let known = storages[storage] {
        storages[storage] = Storage(entry: known.entry, isShared: true)
      } else {
        guard let entry = archive.entries[folder + "data/" + storage.key] else {
          throw FormatFlaw("the storage \(shown(storage.key)) of its tensor \(shown(name)) is missing")
        }
        guard entry.size == storage.size else {
          throw FormatFlaw(
            "its tensor \(shown(name)) is in a storage of \(storage.size) bytes, which has \(entry.size) in the file")
        }
        storages[storage] = Storage(entry: entry, isShared: false)
        stored += entry.size
      }
      // Sizes of entries add up to less than three times the file, and one view is below 2^63 bytes.
      let (sum, overflow) = used.addingReportingOverflow(view.info.count * view.info.type.size)
      guard !overflow, sum <= stored + maximumRepetition else {
        throw FormatFlaw("its tensors repeat their storages: they are far larger than what the file holds")
      }
      used = sum
    }
    return storages
  }

  func withElements<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
    guard let view = views[name] else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    return try withStorage(view.storage) { bytes in
      guard view.isContiguous else { return try view.gathered(from: bytes).withUnsafeBytes(body) }
      let start = view.info.count > 0 ? view.offset * view.info.type.size : 0
      let size = view.info.count * view.info.type.size
      return try body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + size]))
    }
  }

  private func withStorage<Result>(
    _ storage: TorchStorage, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let (entry, isShared) = storages[storage].map({ ($0.entry, $0.isShared) }) else {
      return try body(UnsafeRawBufferPointer(start: nil, count: 0))
    }
    do {
      guard isShared else { return try archive.withContent(of: entry, body) }
      let content = try shared.withLock { known in
        if let content = known[storage] { return content }
        let content = try archive.withContent(of: entry) { entry.method == .stored ? [] : [UInt8]($0) }
        known[storage] = content
        return content
      }
      if entry.method == .stored { return try archive.withContent(of: entry, isVerified: true, body) }
      return try content.withUnsafeBytes(body)
    } catch let flaw as FormatFlaw {
      throw CheckpointError.malformed(path: path, format: "PyTorch", reason: flaw.reason)
    }
  }
}
