import Foundation

/// Fetches all files of a model that the registry knows.
public struct ModelDownload: Sendable {
  /// A place that has models.
  public enum Source: String, CaseIterable, Sendable {
    /// The Hugging Face hub: `ROOT/REPOSITORY/resolve/main/SIGNATURE.safetensors`.
    case hub
    /// The host that older versions of demucs fetch from: `ROOT/FOLDER/SIGNATURE-CHECKSUM.th`.
    case legacy
  }

  /// Variables that a person or a site sets; `HF_ENDPOINT` and `HF_HUB_OFFLINE` are those of the hub's own library.
  private static let (baseVariable, hubVariable, offlineVariable) = (
    "DEMUCS_CLI_BASE_URL", "HF_ENDPOINT", "HF_HUB_OFFLINE"
  )

  /// One file, and where it can be had, best first.
  struct File: Sendable, Equatable {
    struct Place: Sendable, Equatable {
      let url: String
      let name: String
    }
    let signature: String
    let places: [Place]
  }

  public let entry: Registry.Entry
  /// The folder that the files go to.
  public let folder: String
  let files: [File]
  private let downloader: Downloader

  /// - Parameters:
  ///   - name: of a row of the registry.
  ///   - folder: where the files go; made if it is not there.
  ///   - sources: where they come from; the next is tried where the one before does not have a file or is not reached.
  ///   - base: root of the URLs of all sources, in place of `$DEMUCS_CLI_BASE_URL`, `$HF_ENDPOINT` and the registry's.
  /// - Throws: `DownloadError.offline`, `.notFetchable`, `.badAddress`; `ModelStoreError.notFound`.
  public init(
    _ name: String, registry: Registry, to folder: String, sources: [Source] = Source.allCases, base: String? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment, downloader: Downloader = Downloader()
  ) throws {
    guard let entry = registry[name] else {
      let names = registry.entries.filter { $0.models != nil }.map(\.name).joined(separator: ", ")
      throw DownloadError.notFetchable(name: name, reason: "the registry does not know it; it knows \(names)")
    }
    if let reason = entry.unsupported { throw DownloadError.notFetchable(name: name, reason: "it is \(reason)") }
    guard let models = entry.models else {
      throw DownloadError.notFetchable(name: name, reason: "it comes with the program")
    }
    /// A variable that is set to nothing counts as not set.
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let value = variable(ModelDownload.offlineVariable), ["1", "on", "yes", "true"].contains(value.lowercased()) {
      throw DownloadError.offline(variable: ModelDownload.offlineVariable)
    }
    let base = base ?? variable(ModelDownload.baseVariable)
    let roots = try sources.map { source in
      let own = source == .hub ? variable(ModelDownload.hubVariable) : nil
      return (source, try (base ?? own ?? registry.roots[source.rawValue]).map(ModelDownload.root))
    }
    var seen: Set<String> = []
    files = try models.filter { seen.insert($0).inserted }.map { signature in
      let places = roots.compactMap { source, root in root.flatMap { entry.place(of: signature, source, root: $0) } }
      guard !places.isEmpty else {
        throw DownloadError.notFetchable(name: name, reason: "the registry has no place to fetch \(signature) from")
      }
      return File(signature: signature, places: places)
    }
    self.entry = entry
    self.folder = folder
    self.downloader = downloader
  }

  /// How far a download is.
  public struct Progress: Sendable, Equatable {
    /// Name of the file, its number from 1 and how many there are.
    public let file: String
    public let number: Int
    public let count: Int
    /// Bytes of the file that are there, and that it has, once known.
    public let done: Int
    public let total: Int?
  }

  /// Fetches every file that is not there yet.
  /// - Parameters:
  ///   - isForced: whether files that are there are fetched again.
  ///   - validate: is given each whole file and the name that it will have, before it gets it.
  ///   - note: is told in a line what did not go as planned.
  ///   - progress: as of `Downloader.fetch`.
  /// - Returns: the files, in the order of the model's networks.
  /// - Throws: `DownloadError`, or what `progress` throws.
  public func run(
    isForced: Bool = false, validate: (_ path: String, _ name: String) throws -> Void = { _, _ in },
    note: (String) -> Void = { _ in }, progress: @escaping (Progress) throws -> Void = { _ in }
  ) throws -> [String] {
    try files.enumerated().map { index, file in
      if !isForced, let path = ModelSearch.network(file.signature, in: folder) { return path }
      var errors: [DownloadError] = []
      for place in file.places {
        do {
          return try fetch(place, validate: validate) { done, total in
            try progress(
              Progress(file: place.name, number: index + 1, count: files.count, done: done, total: total))
          }
        } catch let error as DownloadError where error.isOfThePlace {
          errors.append(error)
          if place != file.places.last { note("\(error) Trying elsewhere.") }
        }
      }
      throw errors.count == 1 ? errors[0] : DownloadError.everywhere(errors)
    }
  }

  private func fetch(
    _ place: File.Place, validate: (String, String) throws -> Void, progress: @escaping Downloader.Progress
  ) throws -> String {
    let path = "\(folder)/\(place.name)"
    let expected = Checksum.prefix(inNameOf: place.name)
    let checksum = try downloader.fetch(
      place.url, to: path, checksum: expected, validate: { try validate($0, place.name) }, progress: progress)
    if expected == nil { try ChecksumList(folder: folder).record(checksum, of: place.name) }
    return path
  }

  /// A root without a slash at its end.
  private static func root(_ text: String) throws -> String {
    let url = URL(string: text)
    guard ["http", "https"].contains(url?.scheme?.lowercased()), url?.host?.isEmpty == false else {
      throw DownloadError.badAddress(text)
    }
    return String(text.reversed().drop { $0 == "/" }.reversed())
  }
}

extension Registry.Entry {
  fileprivate func place(
    of signature: String, _ source: ModelDownload.Source, root: String
  ) -> ModelDownload.File.Place? {
    switch source {
    case .hub:
      hub.map { .init(url: "\(root)/\($0)/resolve/main/\(signature).safetensors", name: signature + ".safetensors") }
    case .legacy:
      legacyPath(of: signature).map { .init(url: "\(root)/\($0)", name: fileName($0)) }
    }
  }
}
