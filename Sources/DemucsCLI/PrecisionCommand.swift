import ArgumentParser
import AudioFiles
import Evaluation
import Foundation
import HTDemucs
import Layers
import ModelStore
import Sensitivity
import Separation
import Tensors

/// `demucs-cli precision`: which operations of a network need single precision.
struct PrecisionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "precision",
    abstract: "Find out which operations of a model need fp32 on a half-precision device.",
    discussion: """
      An excerpt of each song is separated again and again, with other operations rounded to half precision, and the \
      stems are compared with those of fp32: signal-to-noise ratios in dB. docs/precision.md says what is rounded where.

      Examples:
        demucs-cli precision open_6s song.flac
        demucs-cli precision open_6s song.flac --target-snr 60 --html report.html
        demucs-cli precision model.safetensors a.wav b.wav --fp16-ops softmax --json
      """)

  @Argument(help: ArgumentHelp("Name of a model, or path of a model's file.", valueName: "model"))
  var model: String

  @Argument(help: ArgumentHelp("Songs.", valueName: "audio"))
  var files: [String]

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Length of the excerpt from the middle of each song. (default: a segment of the model)", valueName: "seconds"))
  var seconds: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Find a small set of operations to keep in fp32 so that every stem reaches this ratio.", valueName: "dB"))
  var targetSnr: Double?

  @Flag(help: "Look at every module by itself too: three runs for each of some hundreds.")
  var everyModule = false

  @Option(help: ArgumentHelp("Write the report as a page with a chart.", valueName: "file"))
  var html: String?

  @Flag(help: "Print the report as JSON.")
  var json = false

  @Option(help: ArgumentHelp("Folder in which models are looked for first.", valueName: "dir"))
  var modelsDir: String?

  @Option(
    name: [.customShort("j", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("CPU threads; 0 uses all.", valueName: "n"))
  var jobs = 0

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup(title: "Precision options") var precision: PrecisionArguments

  mutating func validate() throws {
    guard jobs >= 0 else { throw ValidationError("--jobs is \(jobs); it must be 0 or more.") }
    if let seconds, !(seconds > 0) {
      throw ValidationError("--seconds is \(seconds); it must be more than 0.")
    }
    if let targetSnr, !(targetSnr > 0 && targetSnr <= 100) {
      throw ValidationError("--target-snr is \(targetSnr); it must be above 0 and at most 100 dB.")
    }
  }

  func run() throws {
    try runReporting(quiet: quiet) { console, interruption in try analyse(console, interruption) }
  }

  private func analyse(_ console: Console, _ interruption: Interruption) throws {
    if let html { try checkPage(html) }
    let policy = try precision.makePolicy(base: .mixed)
    let location = try ModelStore.locate(model, modelsDirectory: modelsDir)
    guard location.members.count == 1 else {
      throw SeparationError.modelUnavailable(
        path: location.path,
        reason: "it is a bag of \(location.members.count) networks; give the path of one of them, such as "
          + location.members[0])
    }
    let pool = WorkerPool(threadCount: Threads.count(jobs: jobs))
    let network = try NetworkUnderTest(try openCheckpoint(location.members[0]), pool: pool)
    let built = try network.model(policy)
    let segmentSeconds = Double(built.segmentLength) / Double(built.sampleRate)
    if let seconds, seconds > segmentSeconds {
      console.note(
        "Note: --seconds is more than a segment of the model, so \(String(format: "%.1f", segmentSeconds)) s are looked at."
      )
    }
    let excerpts = try files.map { try excerpt(of: $0, for: built, console) }
    let analysis = SensitivityAnalysis(network, excerpts, policy: policy) { done, total, what in
      try interruption.check()
      console.bar("run \(done + 1) of \(total): \(what)")
      if console.style == .log, done % 10 == 0 { console.note("run \(done + 1) of \(total)") }
    }
    var report = try analysis.report(
      model: location.name, files: files.map { FilePath($0).name.description }, everyModule: everyModule)
    if let targetSnr { report.proposal = try analysis.proposal(target: targetSnr) }
    // First: the page may fail.
    console.result(json ? try report.json() : SensitivityTable(report).text)
    if let html {
      do {
        try Data(SensitivityPage(report).text.utf8).write(to: URL(fileURLWithPath: html), options: .atomic)
      } catch {
        throw EvaluationError.unwritable(path: html, error: error)
      }
    }
    if report.proposal?.reached == false {
      console.problem("No set of operations in fp32 was found that reaches \(targetSnr ?? 0) dB.")
      throw ExitCode.failure
    }
  }

  /// Finds out before hours of work whether the page can be written.
  private func checkPage(_ path: String) throws {
    if StemFiles.isFolder(path) == true {
      throw OutputError.notWritable(path: FilePath(path), reason: "it is a folder")
    }
    // Unlike those of stems, its folder is not made.
    guard StemFiles.isFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path) == true else {
      throw OutputError.notWritable(path: FilePath(path), reason: "there is no such folder")
    }
    try OutputLayout.checkWritable([FilePath(path)])
  }

  /// The middle of a song, normalised as a track is.
  private func excerpt(of path: String, for model: HTDemucsModel, _ console: Console) throws -> Tensor {
    let (audio, warnings) = try AudioSource.load(
      path: path, sampleRate: model.sampleRate, channelCount: model.audioChannels)
    for warning in warnings { console.problem("Warning: \(warning)") }
    let statistics = TrackStatistics(of: audio.channels)
    let track = NormalizedTrack(channels: audio.channels, statistics: statistics)
    let wanted = seconds.map { $0 * Double(model.sampleRate) } ?? Double(model.segmentLength)
    let length = max(1, Int(min(wanted, Double(model.segmentLength), Double(track.length))))
    return track.samples(from: (track.length - length) / 2, count: length)
  }
}
