import ArgumentParser
import AudioFiles
import Foundation
import Logging
import ModelStore
import Separation
import Tensors

/// `demucs-cli separate`: songs in, stems out, with the options of `demucs`.
struct SeparateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "separate",
    abstract: "Split songs into stems.",
    discussion: """
      Stems go to OUT/MODEL/TRACK/STEM.wav. Their paths are printed on standard output, \
      progress and warnings on standard error. A file under a stem's name is always whole. \
      Memory does not depend on the length of a song; what has to wait lies in temporary \
      files without a name in the folder of the stems.

      Examples:
        demucs-cli separate song.mp3
        demucs-cli separate *.flac --out stems --float32
        demucs-cli separate song.wav --two-stems vocals --mp3 --mp3-bitrate 192
        demucs-cli separate song.wav --shifts 4 --overlap 0.5
        demucs-cli separate song.wav --filename '{track} {stem}.{ext}'
        demucs-cli separate song.wav --name htdemucs_6s    (demucs-cli models says how to get it)
        demucs-cli separate song.wav --name models/my_model.safetensors
        demucs-cli separate *.flac --resume --json > results.jsonl

      Of several songs one that fails does not stop the rest. --resume skips those whose stems an \
      earlier run left, whole and made of the same song, model and options; a small hidden file beside \
      the stems (.drums.wav.json) tells. docs/json.md has the fields of --json, the events of \
      --progress json and the codes of errors. There are no colours.

      Exit status:
        0    all songs are done, or were there
        1    some song failed, the rest is done; or none could be begun
        64   bad usage
        130  interrupted
      """)

  @Argument(
    help: ArgumentHelp("Songs: WAV, FLAC, MP3, Ogg and more; - for standard input.", valueName: "file"),
    completion: .file())
  var files: [FilePath] = []

  @OptionGroup(title: "Output options") var output: OutputArguments
  @OptionGroup(title: "Stem options") var stems: StemArguments
  @OptionGroup(title: "Separation options") var chunks: ChunkArguments
  @OptionGroup(title: "Options of demucs") var demucs: DemucsArguments
  @OptionGroup(title: "Model options") var model: ModelArguments
  @OptionGroup(title: "Precision options") var precision: PrecisionArguments

  @OptionGroup(title: "Batch options") var batch: BatchArguments
  @OptionGroup(title: "Report options") var report: ReportArguments

  mutating func validate() throws {
    if demucs.listModels { return }
    guard !files.isEmpty else { throw ValidationError("Missing expected argument '<file> ...'") }
    if demucs.noSplit, chunks.segment != nil {
      throw ValidationError("--no-split and --segment exclude each other.")
    }
    // Two songs of one name would overwrite each other hours later. A model that is not to be found is for later.
    let layout = try output.layout(model: ModelStore.displayName(model.name))
    let inputs = InputList(files)
    do {
      if let collision = try layout.firstCollision(of: inputs.songs) {
        throw ValidationError("\(collision)")
      }
      for song in inputs.songs { _ = try layout.path(song: song, stem: "{stem}") }
    } catch let error as OutputError {
      throw ValidationError("\(error)")
    }
  }

  func run() throws {
    Console.reserveStandardDescriptors()
    if demucs.listModels { return try listModels() }
    let console = Console(style: report.style)
    let interruption = Interruption(console: console)
    interruption.install()
    do {
      let failed = try separate(InputList(files), console, interruption)
      if let reason = console.resultFailure {
        console.problem("Error: standard output: the results cannot be written: \(reason). Check what reads it.")
        throw ExitCode.failure
      }
      if failed { throw ExitCode.failure }
    } catch is CancellationError {
      console.problem("Interrupted.")
      throw ExitCode(Interruption.exitStatus)
    } catch OutputError.abandoned {
      throw ExitCode(Interruption.exitStatus)
    }
  }

  /// The lines of `demucs --list-models`.
  private func listModels() throws {
    try runReporting { console, _ in
      let listing = try ModelListing(modelsDirectory: model.modelsDir, repository: model.repo)
      console.result(
        (["Bag of models:"] + listing.bags.map { "    \($0)" } + ["Single models:"]
          + listing.networks.map { "    \($0)" })
          .joined(separator: "\n"))
    }
  }

  /// Loads the model and separates every song. Without a model no song can be.
  /// - Returns: whether any song failed.
  private func separate(_ inputs: InputList, _ console: Console, _ interruption: Interruption) throws -> Bool {
    for note in output.notes { console.problem("Note: \(note)") }
    for duplicate in inputs.duplicates {
      console.problem("Note: \(duplicate) is given more than once; it is separated once.")
    }
    let entries = inputs.entries.enumerated()
      .filter { batch.shard?.holds($0.offset) ?? true }.enumerated()
      .map { Batch.Entry(number: $0.offset + 1, content: $0.element.element) }
    let reporter = BatchReporter(console: console, isJSON: report.json, total: entries.count)
    // Said at once, though their turn comes later.
    for case .failure(let failure) in entries.map(\.content) { reporter.announce(failure) }
    let hasSongs = entries.contains { if case .song = $0.content { true } else { false } }
    if hasSongs, !(batch.failFast && reporter.hasFailed) {
      try separate(entries, reporter, interruption)
    } else {
      for case (let number, .failure(let failure)) in entries.map({ ($0.number, $0.content) }) {
        reporter.failed(failure, number: number, isKnown: true)
      }
    }
    reporter.summarize()
    return reporter.hasFailed
  }

  private func separate(_ entries: [Batch.Entry], _ reporter: BatchReporter, _ interruption: Interruption) throws {
    let (separator, writer): (Separator, StemWriter)
    do {
      (separator, writer) = try makeSeparator(reporter, interruption)
    } catch let error as ValidationError {
      throw error
    } catch let error as CancellationError {
      throw error
    } catch {
      reporter.console.problem("Error: \(error)")
      if report.json { reporter.failAll(entries, error) }
      throw ExitCode.failure
    }
    try Batch(
      separator: separator, writer: writer, reporter: reporter, interruption: interruption, resumes: batch.resume,
      failsFast: batch.failFast
    ).run(entries)
  }

  private func makeSeparator(
    _ reporter: BatchReporter, _ interruption: Interruption
  ) throws -> (Separator, StemWriter) {
    var logger = Logger(label: "demucs-cli") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = report.verbose ? .debug : .error
    let location = try model.locate()
    logger.debug("found model", metadata: ["name": "\(location.name)", "files": "\(location.files)"])
    let pool = WorkerPool(threadCount: model.threadCount)
    var options = ModelOptions(tapFolder: model.dumpTaps, segmentsAtOnce: model.segmentsAtOnce)
    options.precision = try precision.makePolicy()
    options.overflowHandler = { module in
      reporter.warn(
        "numbers too large for the precision became infinite or lost, first in the module \(module);"
          + " --fp32-ops '\(module)' keeps that in fp32.")
    }
    let bag = try ModelBag(location, pool: pool, options: options)
    var chunks = chunks.options
    chunks.isSplit = !demucs.noSplit
    let separator = try Separator(bag: bag, options: chunks, logger: logger)
    logger.debug(
      "loaded model",
      metadata: [
        "sources": "\(separator.sources)", "networks": "\(bag.members.count)", "threads": "\(pool.threadCount)",
      ])
    var writer = StemWriter(
      layout: try output.layout(model: location.name), selection: stems.selection, encoding: output.encoding,
      rate: output.rate, clipMode: output.clipMode ?? (stems.mixtureConsistent == nil ? .rescale : .rescaleAll))
    do {
      _ = try writer.selection.names(sources: separator.sources)
    } catch {
      throw ValidationError("\(error)")
    }
    let provenance = try Provenance(
      location: location, separator: separator, writer: writer, precision: options.precision, check: interruption.check)
    writer.provenance = provenance
    reporter.use(model: TrackReport.Model(name: location.name, networks: provenance.networks))
    return (separator, writer)
  }
}
