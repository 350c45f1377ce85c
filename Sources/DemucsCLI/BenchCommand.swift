import ArgumentParser
import AudioFiles
import Checkpoints
import Foundation
import HTDemucs
import Layers
import ModelStore
import Separation
import Tensors

/// `demucs-cli bench`: how fast a model runs here, and where the time goes.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure how fast a model separates on this machine, and where the time goes.",
    discussion: """
      Separates one segment of noise, or of a song, again and again, everything from the STFT to the inverse STFT included, and \
      prints the median. Rates are compared with a large matrix product on the same threads in the same run: ours or \
      that of OpenBLAS, whichever is faster.

        demucs-cli bench
        demucs-cli bench -n htdemucs_6s.safetensors -j 1 --runs 9 --json
      """)

  @Option(
    name: [.customShort("n", allowingJoined: true), .long], help: "A model's name, or the path of its file.",
    completion: .model)
  var name = ModelStore.defaultModelName

  @Option(help: "A folder to look for models in, before all others.", completion: .directory)
  var modelsDir: String?

  @Option(
    name: [.customShort("j", allowingJoined: true), .long], parsing: .unconditional,
    help: "CPU threads; 0 for one a core.")
  var jobs = 0

  @Option(parsing: .unconditional, help: "Runs that count.")
  var runs = 5

  @Option(parsing: .unconditional, help: "Runs before them that do not.")
  var warmup = 1

  @Option(help: "A song whose beginning is separated instead of noise.", completion: .file())
  var input: String?

  @Flag(help: "Print one JSON object instead of a table.")
  var json = false

  func validate() throws {
    for (name, value, least) in [("--runs", runs, 1), ("--warmup", warmup, 0), ("--jobs", jobs, 0)] where value < least
    {
      throw ValidationError("\(name) is \(value); it must be \(least) or more.")
    }
  }

  func run() throws {
    try runReporting { console, interruption in try measure(console, interruption) }
  }

  private func measure(_ console: Console, _ interruption: Interruption) throws {
    let location = try ModelStore.locate(name, modelsDirectory: modelsDir)
    guard location.members.count == 1 else {
      throw ValidationError(
        "\(location.name) is a bag of \(location.members.count) networks. Give one of them, such as "
          + "\(location.members[0]).")
    }
    let threads = Threads.count(jobs: jobs)
    let pool = WorkerPool(threadCount: threads)
    let loading = ContinuousClock.now
    let model = try HTDemucsModel(
      try openCheckpoint(location.members[0], bagSegment: location.segment), pool: pool)
    let loadSeconds = (ContinuousClock.now - loading).seconds
    let mix = try input.map { try Self.beginning(of: $0, for: model) } ?? Self.noise(for: model)
    for _ in 0..<warmup {
      try interruption.check()
      _ = try model.separate(mix)
    }
    var times: [Double] = []
    for _ in 0..<runs {
      try interruption.check()
      let start = ContinuousClock.now
      _ = try model.separate(mix)
      times.append((ContinuousClock.now - start).seconds)
    }
    // The table comes from a run of its own: its clocks are in no figure above it.
    let profile = Profile()
    _ = try model.separate(mix, profile: profile)
    let peakMemory = PeakMemory.bytes
    let report = BenchReport(
      model: location.name, threads: threads, times: times, loadSeconds: loadSeconds,
      audioSeconds: Double(model.segmentLength) / Double(model.sampleRate), entries: profile.entries,
      peak: PeakRate(pool), peakMemory: peakMemory, workspaceBytes: model.workspaceBytes)
    console.result(json ? try report.json() : report.text)
  }

  /// The first segment of a song, `[channels, samples]`; silence behind its end.
  private static func beginning(of path: String, for model: HTDemucsModel) throws -> Tensor {
    let source = try AudioSource(path: path, sampleRate: model.sampleRate, channelCount: model.audioChannels)
    let mix = Tensor(shape: [model.audioChannels, model.segmentLength])
    var frames = 0
    while frames < model.segmentLength, let block = try source.read(maximumFrames: model.segmentLength - frames) {
      for (row, channel) in block.channels.enumerated() {
        (mix.data + row * model.segmentLength + frames).update(from: channel, count: channel.count)
      }
      frames += block.frameCount
    }
    guard frames > 0 else { throw AudioFileError.noAudio(FilePath(path)) }
    return mix
  }

  /// White noise at -20 dBFS, the same every time.
  private static func noise(for model: HTDemucsModel) -> Tensor {
    let mix = Tensor(shape: [model.audioChannels, model.segmentLength], zeroed: false)
    var state: UInt64 = 1
    for index in 0..<mix.count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      mix.data[index] = (Float(state >> 40) * 0x1p-23 - 1) * 0.17
    }
    return mix
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
