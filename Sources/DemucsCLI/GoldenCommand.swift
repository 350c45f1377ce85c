import ArgumentParser
import Evaluation
import Foundation
import ModelStore
import Separation

/// `demucs-cli golden`: keeps what a model makes of some songs, and checks later that it still does.
struct GoldenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "golden", abstract: "Record the stems of songs, and check later that they are still the same.",
    discussion: """
      A record is a folder with golden.json (model and its checksum, options, songs and their checksums, processor, \
      hashes of every second of every stem) and the samples of the stems. It is made to be kept beside the code:

        demucs-cli golden record golden song1.flac song2.flac
        demucs-cli golden check golden                            one line in a CI
      """,
    subcommands: [GoldenRecordCommand.self, GoldenCheckCommand.self])
}

/// Paths in a record, which are relative to its folder where that is possible.
enum GoldenPaths {
  /// `path` as seen from `folder`.
  static func relative(_ path: String, to folder: String) -> String {
    let file = URL(fileURLWithPath: path).standardizedFileURL.pathComponents
    let base = URL(fileURLWithPath: folder).standardizedFileURL.pathComponents
    let common = zip(file, base).prefix { $0 == $1 }.count
    return (Array(repeating: "..", count: base.count - common) + file.dropFirst(common)).joined(separator: "/")
  }

  /// The file that a record in `folder` means.
  static func resolve(_ path: String, in folder: String) -> String {
    path.hasPrefix("/") ? path : URL(fileURLWithPath: folder).appendingPathComponent(path).standardizedFileURL.path
  }

  /// The path without links, as far as there is anything.
  static func real(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// Name and checksum of the files of a model.
  static func files(of location: ModelLocation, check: () throws -> Void) throws -> [GoldenRecord.File] {
    try location.files.map { path in
      GoldenRecord.File(
        path: PathParts.file(path), sha256: try Checksum.sha256(of: path, check: check))
    }
  }
}
