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

      Exit status:
        0    all songs are done
        1    some song failed, the rest is done
        64   bad usage
        130  interrupted
      """)

  @Argument(
    help: ArgumentHelp("Songs: WAV, FLAC, MP3, Ogg and more; - for standard input.", valueName: "file"),
    completion: .file())
  var files: [FilePath]

  @OptionGroup(title: "Output options") var output: OutputArguments
  @OptionGroup(title: "Stem options") var stems: StemArguments
  @OptionGroup(title: "Separation options") var chunks: ChunkArguments
  @OptionGroup(title: "Model options") var model: ModelArguments
  @OptionGroup(title: "Precision options") var precision: PrecisionArguments

  @Flag(help: "Show no progress; warnings and errors stay.")
  var quiet = false

  @Flag(name: [.short, .long], help: "Log what is done to standard error.")
  var verbose = false

  mutating func validate() throws {
    if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
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
    let console = Console(style: Console.style(quiet: quiet, verbose: verbose))
    let interruption = Interruption(console: console)
    interruption.install()
    do {
      let inputs = InputList(files)
      let batch = Batch(console: console, interruption: interruption)
      batch.start(with: inputs)
      if !inputs.songs.isEmpty { try separate(inputs.songs, in: batch) }
      let failed = batch.finish(total: inputs.songs.count + inputs.failures.count)
      if let reason = console.resultFailure {
        console.problem(
          "Error: standard output: the paths of the stems cannot be written: \(reason). Check what reads it.")
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

  /// Loads the model and separates every song. Without a model no song can be.
  private func separate(_ songs: [Song], in batch: Batch) throws {
    let (separator, writer): (Separator, StemWriter)
    do {
      (separator, writer) = try makeSeparator(batch.console)
    } catch let error as ValidationError {
      throw error
    } catch {
      batch.console.problem("Error: \(error)")
      throw ExitCode.failure
    }
    for (index, song) in songs.enumerated() {
      try batch.separate(song, number: index + 1, of: songs.count, with: separator, to: writer)
    }
  }

  private func makeSeparator(_ console: Console) throws -> (Separator, StemWriter) {
    var logger = Logger(label: "demucs-cli") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = verbose ? .debug : .error
    let location = try model.locate()
    logger.debug("found model", metadata: ["name": "\(location.name)", "files": "\(location.files)"])
    let pool = WorkerPool(threadCount: model.threadCount)
    var options = ModelOptions(tapFolder: model.dumpTaps, segmentsAtOnce: model.segmentsAtOnce)
    options.precision = try precision.makePolicy()
    options.overflowHandler = { module in
      console.problem(
        "Warning: numbers too large for the precision became infinite or lost, first in the module \(module);"
          + " --fp32-ops '\(module)' keeps that in fp32.")
    }
    let bag = try ModelBag(location, pool: pool, options: options)
    let separator = try Separator(bag: bag, options: chunks.options, logger: logger)
    logger.debug(
      "loaded model",
      metadata: [
        "sources": "\(separator.sources)", "networks": "\(bag.members.count)", "threads": "\(pool.threadCount)",
      ])
    let writer = StemWriter(
      layout: try output.layout(model: location.name), selection: stems.selection, encoding: output.encoding,
      rate: output.rate, clipMode: output.clipMode ?? (stems.mixtureConsistent == nil ? .rescale : .rescaleAll))
    do {
      _ = try writer.selection.names(sources: separator.sources)
    } catch {
      throw ValidationError("\(error)")
    }
    return (separator, writer)
  }
}
