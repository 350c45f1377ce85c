import ArgumentParser
import Foundation
import Separation

/// The songs of a command line, looked at before any work is done.
struct InputList {
  /// Paths of the songs to separate, each once, in the order given.
  private(set) var tracks: [String] = []
  /// Arguments that are no songs, and why.
  private(set) var failures: [TrackFailure] = []
  /// Songs that were given more than once.
  private(set) var duplicates: [String] = []

  /// Sorts the arguments.
  init(_ arguments: [String]) {
    var seen: Set<String> = []
    for path in arguments {
      guard let reason = InputList.problem(with: path) else {
        if seen.insert(
          URL(fileURLWithPath: path).resolvingSymlinksInPath().path + "\0" + InputList.name(path)
        ).inserted {
          tracks.append(path)
        } else {
          duplicates.append(path)
        }
        continue
      }
      failures.append(TrackFailure(track: path, reason: reason))
    }
  }

  /// The argument that stands for standard input.
  static let standardInput = "-"

  /// What the stems of a song are named after: its path.
  static func track(_ argument: String) -> String { argument == standardInput ? "stdin" : argument }

  /// The last part of a path.
  static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

  private static func problem(with path: String) -> String? {
    if path == standardInput { return nil }
    if path.isEmpty { return "the name is empty; a variable of a script may not be set." }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      return "there is no such file. Check the path; quote it if it contains spaces."
    }
    return isFolder.boolValue ? "is a folder. Pass the files in it, for example \(path)/*.wav" : nil
  }
}

/// A song that was not separated.
struct TrackFailure: Equatable {
  let track: String
  let reason: String

  init(track: String, reason: String) {
    self.track = track
    self.reason = reason
  }

  /// An error's own words; most of them name the file already.
  init(track: String, error: any Error) {
    self.init(track: track, reason: "\(error)")
  }

  /// One line that names the file once.
  var line: String { reason.hasPrefix("\(track): ") ? reason : "\(track): \(reason)" }
}
