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

      Songs are named one by one, by a pattern, by a folder with -r, or by a list with --from-file. \
      Formats that libsndfile does not know go through ffmpeg, where it is installed. Songs that \
      would write the same file are refused before any work, as is a stem that would replace another \
      song; {dir} in --filename, the song's folder below the one given with -r, keeps songs apart.

      Examples:
        demucs-cli separate song.mp3
        demucs-cli separate *.flac --out stems --float32
        demucs-cli separate -r music --filename '{dir}/{track}/{stem}.{ext}'
        find music -name '*.m4a' -print0 | demucs-cli separate --from-file -
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
        1    some song failed, the rest is done; or none could be begun; or nobody reads standard output
        64   bad usage
        130  interrupted
      """)

  @Argument(
    help: ArgumentHelp(
      "Songs: WAV, FLAC, MP3, Ogg and more, M4A and videos with ffmpeg; folders with -r; patterns; - for standard input.",
      valueName: "file"), completion: .file())
  var files: [FilePath] = []

  @OptionGroup(title: "Input options") var input: InputArguments
  @OptionGroup(title: "Output options") var output: OutputArguments
  @OptionGroup(title: "Stem options") var stems: StemArguments
  @OptionGroup(title: "Separation options") var chunks: ChunkArguments
  @OptionGroup(title: "Options of demucs") var demucs: DemucsArguments
  @OptionGroup(title: "Model options") var model: ModelArguments
  @OptionGroup(title: "Precision options") var precision: PrecisionArguments
  @OptionGroup(title: "Batch options") var batch: BatchArguments
  @OptionGroup(title: "Report options") var report: ReportArguments

  /// The songs, looked up once: their names may come in on standard input.
  private var prepared = Prepared()

  private struct Prepared: Decodable {
    var list = InputList()

    init() {}

    init(from decoder: any Decoder) throws {}
  }

  /// Looks the songs up. Not in `validate`: that runs before the parser reports an unknown option, whose value it has taken
  /// for a song, and before the help that was asked for, for which nobody waits for names.
  private mutating func prepare() throws {
    if demucs.noSplit, chunks.segment != nil {
      throw ValidationError("--no-split and --segment exclude each other.")
    }
    if let problem = FFmpeg.timeoutProblem { throw ValidationError(problem) }
    // Two songs of one name would overwrite each other hours later. A model that is not to be found is for later.
    let layout = try output.layout(model: ModelStore.displayName(model.name))
    prepared.list = try input.list(
      files, results: [output.out, layout.folder], console: Console(style: report.style))
    let inputs = prepared.list
    do {
      // What only the names of the stems make equal is found when they are known.
      if let collision = try layout.firstCollision(of: inputs.songs) {
        throw ValidationError("\(collision)")
      }
    } catch let error as OutputError {
      throw ValidationError("\(error)")
    }
  }

  mutating func run() throws {
    if demucs.listModels { return try listModels() }
    try prepare()
    Console.reserveStandardDescriptors()
    let console = Console(style: report.style)
    let interruption = Interruption(console: console)
    interruption.install()
    // The log of what is done goes through C's streams.
    LibraryMessages.discard(errors: !report.verbose)
    do {
      for note in notes { console.note("Note: \(note)") }
      if try runAll(console, interruption) { throw ExitCode.failure }
    } catch is CancellationError {
      console.interrupted()
      throw ExitCode(Interruption.exitStatus)
    } catch OutputError.abandoned {
      throw ExitCode(Interruption.exitStatus)
    }
  }

  /// What was asked for and makes no difference, and what the list of songs leaves to say.
  private var notes: [String] {
    let trial =
      input.dryRun && batch.failFast
      ? ["--fail-fast makes no difference with --dry-run, which looks at every song."] : []
    return output.notes(isRecursive: input.recursive) + stems.notes + chunks.notes(isSplit: !demucs.noSplit) + trial
      + prepared.list.notes + shardNotes
  }

  /// The lines of `demucs --list-models`.
  private func listModels() throws {
    guard !report.json else {
      throw ValidationError("--list-models prints names, as in demucs; demucs-cli models list --json prints JSON.")
    }
    try runReporting { console, _ in
      let listing = try ModelListing(modelsDirectory: model.folders.modelsDir, repository: model.folders.repo)
      console.result(
        (["Bag of models:"] + listing.bags.map { "    \($0)" } + ["Single models:"]
          + listing.networks.map { "    \($0)" })
          .joined(separator: "\n"))
    }
  }

  /// Separates every song, or says what a run would do.
  /// - Returns: whether anything went wrong.
  private func runAll(_ console: Console, _ interruption: Interruption) throws -> Bool {
    let entries = self.entries.enumerated().map { Batch.Entry(number: $0.offset + 1, content: $0.element) }
    let reporter = BatchReporter(
      console: console, isJSON: report.json, entries: entries, model: ModelStore.displayName(model.name))
    let reason = "the program was told to stop"
    interruption.finally { reporter.takeRest(reason) }
    MemoryLimit.handle(on: console) { error in
      interruption.abandonWork()
      reporter.failAll(error)
    }
    do {
      let hasFailed =
        try input.dryRun ? dryRun(entries, reporter, interruption) : separate(entries, reporter, interruption)
      if let problem = reporter.resultProblem { console.problem("Error: \(problem)") }
      return hasFailed || console.resultFailure != nil
    } catch let error where Interruption.isStop(error) {
      reporter.stopRest(reason)
      throw error
    }
  }

  /// Loads the model and separates every song. Without a model no song can be.
  private func separate(
    _ entries: [Batch.Entry], _ reporter: BatchReporter, _ interruption: Interruption
  ) throws -> Bool {
    // Said at once, though their turn comes later.
    for case .failure(let failure) in entries.map(\.content) { reporter.announce(failure) }
    let hasSongs = entries.contains { if case .song = $0.content { true } else { false } }
    if hasSongs, !(batch.failFast && reporter.hasFailed) {
      let (separator, writer) = try namingEverySong(reporter) { try makeSeparator(reporter, interruption) }
      try Batch(
        separator: separator, writer: writer, reporter: reporter, interruption: interruption, resumes: batch.resume,
        failsFast: batch.failFast
      ).run(entries)
    } else {
      reporter.stopRest(Batch.failFastReason)
    }
    reporter.summarize()
    return reporter.hasFailed
  }

  /// What is wrong with the model is the error of every song; an option that it does not take is one of the command line.
  private func namingEverySong<Result>(_ reporter: BatchReporter, _ body: () throws -> Result) throws -> Result {
    do {
      return try ChunkArguments.refusing(body)
    } catch let error as ValidationError {
      throw error
    } catch let error as CancellationError {
      throw error
    } catch {
      reporter.console.problem("Error: \(error)")
      reporter.failAll(error)
      throw ExitCode.failure
    }
  }

  /// What this run has to do: its shard of the list.
  private var entries: [InputList.Entry] {
    prepared.list.entries.enumerated().filter { batch.shard?.holds($0.offset) ?? true }.map(\.element)
  }

  /// Says so where this run has nothing to do.
  private var shardNotes: [String] {
    let count = prepared.list.entries.count
    guard let shard = batch.shard, count > 0, entries.isEmpty else { return [] }
    return ["--shard \(shard) takes no song, as the list has only \(count)."]
  }

  /// - Returns: whether any song would fail.
  private func dryRun(
    _ entries: [Batch.Entry], _ reporter: BatchReporter, _ interruption: Interruption
  ) throws -> Bool {
    let plan = try namingEverySong(reporter) {
      let location = try model.locate()
      let policy = try precision.makePolicy()
      let header = try DryRun.Model(location, options: separationOptions)
      var writer = try makeWriter(location)
      try checkStems(writer, header.sources, location)
      // Reading all of a model for its checksum takes its time, so it is done where it is asked for.
      if batch.resume || report.json {
        let provenance = try Provenance(
          location: location, sources: header.sources, chunks: separationOptions, writer: writer,
          precision: policy, check: interruption.check)
        writer.provenance = batch.resume ? provenance : nil
        reporter.use(model: TrackReport.Model(name: location.name, networks: provenance.networks))
      }
      return DryRun(model: header, writer: writer)
    }
    return try plan.run(entries, reporter, interruption)
  }

  /// How songs are cut and joined.
  private var separationOptions: SeparationOptions {
    var options = chunks.options
    options.isSplit = !demucs.noSplit
    return options
  }

  /// - Throws: `ValidationError` for stems that the model does not have, and for such as would be written over another stem
  ///   or song of the whole list, of which this run may do a part, or over another file that the command needs.
  private func checkStems(_ writer: StemWriter, _ sources: [String], _ location: ModelLocation) throws {
    let stems: [String]
    do {
      stems = try writer.selection.names(sources: sources)
    } catch {
      throw ValidationError("\(error)")
    }
    if let conflict = try writer.layout.firstConflict(
      of: prepared.list.songs, stems: stems, needed: neededFiles(location))
    {
      throw ValidationError("\(conflict)")
    }
  }

  /// What is read beside songs, and written beside stems.
  private func neededFiles(_ location: ModelLocation) -> [NeededFile] {
    var files = input.fromFile.map { path in
      path == InputList.standardInput
        ? NeededFile(descriptor: STDIN_FILENO, name: "the list of songs on standard input")
        : NeededFile(path, role: "the list of songs")
    }
    files += location.files.map { NeededFile(FilePath($0), role: "a file of the model") }
    files += [precision.policy].compactMap(\.self).map { NeededFile(FilePath($0), role: "the precision policy") }
    files.append(NeededFile(descriptor: STDOUT_FILENO, name: "the file that standard output goes to"))
    files.append(NeededFile(descriptor: STDERR_FILENO, name: "the file that standard error goes to"))
    return files.compactMap(\.self)
  }

  private func makeWriter(_ location: ModelLocation) throws -> StemWriter {
    StemWriter(
      layout: try output.layout(model: location.name), selection: stems.selection, encoding: output.encoding,
      rate: output.rate, clipMode: output.clipMode ?? (stems.mixtureConsistent == nil ? .rescale : .rescaleAll),
      copiesTags: !output.noTags)
  }

  private func makeSeparator(
    _ reporter: BatchReporter, _ interruption: Interruption
  ) throws -> (Separator, StemWriter) {
    var logger = Logger(label: "demucs-cli") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = report.verbose ? .debug : .error
    let location = try model.locate()
    logger.debug("found model", metadata: ["name": "\(location.name)", "files": "\(location.files)"])
    let pool = WorkerPool(threadCount: model.threadCount)
    let options = ModelOptions(model, precision: try precision.makePolicy(), warn: reporter.warnOfCurrentSong)
    let bag = try ModelBag(location, pool: pool, options: options)
    let separator = try Separator(bag: bag, options: separationOptions, logger: logger)
    logger.debug(
      "loaded model",
      metadata: [
        "sources": "\(separator.sources)", "networks": "\(bag.members.count)", "threads": "\(pool.threadCount)",
      ])
    var writer = try makeWriter(location)
    try checkStems(writer, separator.sources, location)
    let provenance = try Provenance(
      location: location, sources: separator.sources, chunks: separator.options, writer: writer,
      precision: options.precision, check: interruption.check)
    writer.provenance = provenance
    reporter.use(model: TrackReport.Model(name: location.name, networks: provenance.networks))
    return (separator, writer)
  }
}
