import ArgumentParser
import AudioFiles
import Foundation

/// The program: one subcommand a file.
@main
struct DemucsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demucs-cli",
    abstract: "Separate music into drums, bass, vocals and more with HTDemucs, on a CPU.",
    discussion: """
      Separate one song into separated/open_6s/song/*.wav:
        demucs-cli separate song.mp3

      What other models there are, and one of them fetched:
        demucs-cli models list
        demucs-cli models download htdemucs_6s --accept-license

      All options of a subcommand:
        demucs-cli help separate
      """,
    version: Version.text,
    subcommands: [
      SeparateCommand.self, ModelsCommand.self, CompareCommand.self, EvaluateCommand.self, GoldenCommand.self,
      BenchCommand.self, PrecisionCommand.self, GenerateManualCommand.self,
    ])

  static func main() {
    Interruption.prepare()
    MemoryLimit.prepare()
    do {
      if let name = DashedNames.first(in: CommandLine.rawArguments) {
        end(ValidationError(DashedNames.problem(name)), in: subcommand(of: CommandLine.rawArguments))
      }
      if let problem = CommandLineSlips.problem(in: CommandLine.rawArguments) {
        end(ValidationError(problem), in: subcommand(of: CommandLine.rawArguments))
      }
      var command = try parseAsRoot(CommandLine.rawArguments)
      do {
        try command.run()
      } catch let error as ValidationError {
        end(error, in: type(of: command))
      }
    } catch {
      // ArgumentParser prints through C's streams.
      LibraryMessages.restore()
      exit(withError: error)
    }
  }

  /// All commands with their arguments, as ArgumentParser describes them in JSON.
  static var description: String {
    do {
      _ = try parseAsRoot(["--experimental-dump-help"])
      return ""
    } catch {
      return fullMessage(for: error)
    }
  }

  private static func subcommand(of arguments: [String]) -> any ParsableCommand.Type {
    configuration.subcommands.first { $0.configuration.commandName == arguments.first } ?? Self.self
  }

  /// Ends as ArgumentParser does where a command line is found to be wrong later than it looks: it would show how the
  /// program is used, not the subcommand.
  private static func end(_ error: ValidationError, in command: any ParsableCommand.Type) -> Never {
    LibraryMessages.restore()
    let usage = usageString(for: command)
    let name = usage.prefix { $0 != "[" && $0 != "<" }
    FileHandle.standardError.write(
      Data("Error: \(error.message)\nUsage: \(usage)\n  See '\(name)--help' for more information.\n".utf8))
    exit(withError: ExitCode.validationFailure)
  }
}
