import ArgumentParser
import Checkpoints
import Foundation
import ModelStore
import Separation
import Tensors

/// `demucs-cli models info`: what a model is, and what it will cost.
struct ModelsInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Show what a model is: network, sources, size, licence, expected speed and memory.",
    discussion: """
      Speed and memory are estimates: the operations of a segment, worked out from the shapes of the weights, at 65 % of \
      the rate of a plain matrix product, measured on this machine. demucs-cli bench measures the network itself.
      """)

  @OptionGroup var model: ModelNameArguments

  @Option(
    name: [.customShort("j", allowingJoined: true), .long], parsing: .unconditional,
    help: ArgumentHelp("CPU threads that the speed is for; 0 is all.", valueName: "n"))
  var jobs = 0

  @Flag(help: "Print one JSON object instead of lines.")
  var json = false

  /// Share of the rate of plain products that networks reach, by docs/performance.md; overlap included apart.
  private static let efficiency = 0.65

  private struct Report: Encodable {
    var name = ""
    var summary: String?
    var caveat: String?
    var files: [String]?
    var fileBytes: Int?
    var network: String?
    var networks: Int?
    var sources: [String]?
    var parameters: Int?
    var types: [String]?
    var sampleRate: Int?
    var segmentSeconds: Double?
    /// Of one network.
    var estimatedGigaflopsPerSegment: Double?
    /// How many times faster than the song plays, of all networks, with one pass and an overlap of 0.25.
    var estimatedSpeed: Double?
    var threads: Int?
    var estimatedMemoryBytes: Int?
    var licence: String?
    var download: String?
  }

  mutating func validate() throws {
    guard jobs >= 0 else { throw ValidationError("--jobs is \(jobs); it must be 0 or more.") }
  }

  func run() throws {
    try runReporting { console, _ in
      let folders = ModelFolders(modelsDirectory: model.folders.modelsDir)
      let registry = try Registry(folders)
      var report = Report()
      report.name = ModelStore.displayName(model.name)
      if model.folders.repo == nil, let entry = registry[model.name] { Self.describe(entry, registry, &report) }
      do {
        try measure(try model.locate(), &report)
      } catch ModelStoreError.notFound(_, _, _, _, .download) {
        let licence = report.licence == nil ? "" : " --accept-license"
        report.download = "demucs-cli models download \(model.name)\(licence)"
      }
      if json { return console.result(try DemucsCLI.json(report)) }
      for line in Self.lines(report) { console.result(line) }
    }
  }

  private static func describe(_ entry: Registry.Entry, _ registry: Registry, _ report: inout Report) {
    report.summary = entry.summary
    report.caveat = entry.caveat
    report.network = entry.network
    report.networks = entry.models?.count
    report.sources = entry.sources
    report.segmentSeconds = entry.segment
    report.licence = registry.licence(of: entry)
  }

  /// What the files tell.
  private func measure(_ location: ModelLocation, _ report: inout Report) throws {
    let checkpoints = try location.members.map { try openCheckpoint($0, bagSegment: location.segment) }
    let first = checkpoints[0]
    let description = try first.modelDescription()
    report.files = location.files
    report.fileBytes = Set(location.members).reduce(0) { $0 + Self.size($1) }
    report.networks = location.members.count
    report.network = description.klass.split(separator: ".").last.map(String.init)
    report.sources = description.kwargs["sources"]?.arrayValue?.compactMap(\.stringValue)
    report.sampleRate = description.kwargs["samplerate"]?.intValue ?? 44100
    let cost = NetworkCost(first)
    report.segmentSeconds = cost?.seconds ?? description.kwargs["segment"]?.doubleValue
    report.parameters = checkpoints.reduce(0) { total, checkpoint in
      checkpoint.names.reduce(total) { sum, name in
        // What a header claims may be more than a number holds.
        let count = (checkpoint.shape(of: name) ?? []).reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        return sum.addingReportingOverflow(count).partialValue
      }
    }
    report.types = Set(first.names.compactMap { first.type(of: $0)?.rawValue }).sorted()
    guard let cost, cost.operations > 0 else { return }
    let threads = Threads.count(jobs: jobs)
    let rate = PeakRate(WorkerPool(threadCount: threads)).operationsPerSecond * Self.efficiency
    report.estimatedGigaflopsPerSegment = (cost.operations / 1e8).rounded() / 10
    // A hostile configuration may ask for any size.
    report.estimatedMemoryBytes = Int(min(cost.bytes, 1e15))
    report.threads = threads
    // Three quarters of a segment are new.
    let costOfAll = cost.operations / rate * Double(location.members.count)
    report.estimatedSpeed = (0.75 * cost.seconds / costOfAll * 10).rounded() / 10
  }

  private static func size(_ path: String) -> Int {
    ((try? FileManager.default.attributesOfItem(atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path))?[
      .size] as? Int) ?? 0
  }

  private static func lines(_ report: Report) -> [String] {
    var lines = [report.name + (report.summary.map { ": " + $0 } ?? "")]
    func add(_ title: String, _ text: String?) {
      guard let text else { return }
      lines.append("  " + title + String(repeating: " ", count: 12 - title.count) + text)
    }
    add("note", report.caveat)
    let count = report.networks ?? 1
    add("network", report.network.map { $0 + (count > 1 ? ", a bag of \(count)" : "") })
    add("sources", report.sources?.joined(separator: ", "))
    add("parameters", report.parameters.map { "\(Double(($0 + 5000) / 10000) / 100) million" })
    add(
      "segment",
      report.segmentSeconds.map { "\($0) s" + (report.sampleRate.map { " at \($0) Hz" } ?? "") })
    add("stored", report.fileBytes.map { megabytes($0) + ", " + (report.types ?? []).joined(separator: ", ") })
    for file in report.files ?? [] { add("file", file) }
    add(
      "work",
      report.estimatedGigaflopsPerSegment.map { "about \($0) GFLOP a segment\(count > 1 ? " and network" : "")" })
    add(
      "speed",
      report.estimatedSpeed.map {
        "about \($0) times as fast as the song plays, on \(report.threads ?? 1) threads (estimate)"
      })
    add("memory", report.estimatedMemoryBytes.map { "about \(megabytes($0)) (estimate)" })
    add("licence", report.licence)
    add("fetch", report.download)
    return lines
  }
}
