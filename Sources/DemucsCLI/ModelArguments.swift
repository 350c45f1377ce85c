import ArgumentParser
import Foundation
import Layers
import ModelStore
import Separation

/// Where models are looked for.
struct ModelFolderArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Folder in which models are looked for first.", valueName: "dir"), completion: .directory)
  var modelsDir: String?

  @Option(
    help: ArgumentHelp(
      "Folder of SIGNATURE-CHECKSUM.th and bag files; names are looked for there alone.", valueName: "dir"),
    completion: .directory)
  var repo: String?

  /// Finds a model.
  /// - Parameter name: a name, or the path of a file.
  func locate(_ name: String) throws -> ModelLocation {
    try ModelStore.locate(name, modelsDirectory: modelsDir, repository: repo)
  }
}

/// Which network, and how it is run.
struct ModelArguments: ParsableArguments {
  @Option(
    name: [.customShort("n", allowingJoined: true), .long],
    help: ArgumentHelp("Name of a model, or path of a model's or bag's file.", valueName: "name|path"),
    completion: .model)
  var name = ModelStore.defaultModelName

  @OptionGroup var folders: ModelFolderArguments

  @Option(
    name: [.customShort("j", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("CPU threads; 0 uses all. Results do not depend on it.", valueName: "n"))
  var jobs = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Segments at the same time, each by its share of the threads. (default: chosen by cores and memory)",
      valueName: "n"))
  var segmentsAtOnce: Int?

  // Scripts written for demucs say `-d cpu`.
  @Option(name: [.customShort("d", allowingJoined: true), .long], help: .hidden)
  var device = "cpu"

  @Option(
    help: ArgumentHelp(
      "Write every intermediate tensor of every segment as .npy, under the name of its PyTorch module.",
      valueName: "folder"), completion: .directory)
  var dumpTaps: String?

  mutating func validate() throws {
    guard jobs >= 0 else { throw ValidationError("--jobs is \(jobs); it must be 0 or more.") }
    guard segmentsAtOnce ?? 1 >= 1 else {
      throw ValidationError("--segments-at-once is \(segmentsAtOnce ?? 0); it must be 1 or more.")
    }
    guard device == "cpu" else {
      throw ValidationError(
        "--device '\(device)' is not available: demucs-cli runs on the CPU only. Leave it out.")
    }
  }

  /// Whether they name another model than the one that comes with the program, or say what is to be kept of its work.
  var isGiven: Bool {
    name != ModelStore.defaultModelName || folders.modelsDir != nil || folders.repo != nil || dumpTaps != nil
  }

  /// Finds the model.
  func locate() throws -> ModelLocation { try folders.locate(name) }

  /// Threads to work on.
  var threadCount: Int { Threads.count(jobs: jobs) }
}

extension ModelOptions {
  /// What the options ask of a network; numbers that a format cannot hold are warned of.
  init(_ model: ModelArguments, precision: PrecisionPolicy, warn: @escaping @Sendable (String) -> Void) {
    self.init(tapFolder: model.dumpTaps, segmentsAtOnce: model.segmentsAtOnce)
    self.precision = precision
    overflowHandler = { module in
      warn(
        "numbers too large for the precision became infinite or lost, first in the module \(module);"
          + " --fp32-ops '\(module)' keeps that in fp32.")
    }
  }
}

/// How `--jobs` becomes a number of threads.
enum Threads {
  /// One a core for 0. Of a number far beyond the cores no more are started than could be of any use.
  static func count(jobs: Int) -> Int {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    return jobs == 0 ? cores : min(jobs, max(16, 4 * cores))
  }
}
