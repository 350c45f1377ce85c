import ArgumentParser
import AudioFiles
import Foundation
import ModelStore
import Separation

/// `demucs-cli models`: what models there are, what they are, and how to get them; one subcommand a file.
struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "List, fetch, convert and check models.",
    discussion: """
      Models are looked for in --models-dir, $DEMUCS_CLI_MODELS, $XDG_DATA_HOME/demucs-cli/models, beside the program, \
      in PyTorch's checkpoints and in the cache of the Hugging Face hub. Fetched ones go into the first of these.

        demucs-cli models list
        demucs-cli models download htdemucs_6s --accept-license
        demucs-cli separate song.mp3 -n htdemucs_6s
      """,
    subcommands: [
      ModelsListCommand.self, ModelsInfoCommand.self, ModelsDownloadCommand.self, ModelsImportCommand.self,
      ModelsVerifyCommand.self, ModelsPathCommand.self,
    ])
}

/// Which model, of those that are there.
struct ModelNameArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp("Name of a model, or path of a model's or bag's file.", valueName: "name|path"),
    completion: .model)
  var name: String

  @OptionGroup var folders: ModelFolderArguments

  func locate() throws -> ModelLocation { try folders.locate(name) }
}

/// Runs a command that a person may interrupt, and prints what went wrong as one line.
func runReporting(quiet: Bool = false, _ body: (Console, Interruption) throws -> Void) throws {
  Console.reserveStandardDescriptors()
  let console = Console(style: Console.style(quiet: quiet, verbose: false))
  let interruption = Interruption(console: console)
  interruption.install()
  LibraryMessages.discard()
  MemoryLimit.handle(on: console) { _ in interruption.abandonWork() }
  do {
    try body(console, interruption)
    if let problem = console.resultProblem {
      // Behind `| head -1` nobody wants to know.
      if !console.readerIsGone { console.problem("Error: \(problem).") }
      throw ExitCode.failure
    }
  } catch let error as ExitCode {
    throw error
  } catch let error as ValidationError {
    throw error
  } catch is CancellationError {
    console.interrupted()
    throw ExitCode(Interruption.exitStatus)
  } catch {
    console.problem("Error: \(error)")
    throw ExitCode.failure
  }
}

/// A value as JSON with sorted keys.
func json(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// Bytes for a person: `54.9 MB`.
func megabytes(_ bytes: Int) -> String {
  let tenths = (bytes + 50_000) / 100_000
  return tenths < 1000 ? "\(tenths / 10).\(tenths % 10) MB" : "\((tenths + 5) / 10) MB"
}
