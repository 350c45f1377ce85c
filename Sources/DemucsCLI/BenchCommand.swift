import ArgumentParser
import Checkpoints
import Foundation
import HTDemucs
import ModelStore
import Tensors

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure how fast a model runs on this machine.")

  @Option(name: [.short, .long], help: "A model's name, or the path of its file.")
  var name = ModelStore.defaultModelName
  @Option(name: [.short, .long], help: "CPU threads; 0 for all.")
  var jobs = 0
  @Option(help: "Runs that count.")
  var runs = 5

  func run() throws {
    let location = try ModelStore.locate(name)
    let pool = WorkerPool(threadCount: jobs > 0 ? jobs : ProcessInfo.processInfo.activeProcessorCount)
    let model = try HTDemucsModel(try Checkpoint(safetensors: location.path), pool: pool)
    let mix = Tensor(shape: [model.audioChannels, model.segmentLength])
    for i in 0..<mix.count { mix.data[i] = sin(Float(i) * 0.01) * 0.1 + sin(Float(i) * 0.37) * 0.05 }
    _ = try model.separate(mix)
    _ = try model.separate(mix)
    var times: [Double] = []
    for _ in 0..<runs {
      let start = ContinuousClock.now
      _ = try model.separate(mix)
      times.append(Double((ContinuousClock.now - start).components.attoseconds) * 1e-18 + Double((ContinuousClock.now - start).components.seconds))
    }
    print("median \(times.sorted()[times.count / 2]) min \(times.min()!) s", times.map { String(format: "%.3f", $0) })
  }
}
