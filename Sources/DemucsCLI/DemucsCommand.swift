import ArgumentParser
import AudioFiles

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
      var command = try parseAsRoot(CommandLine.rawArguments)
      try command.run()
    } catch {
      // ArgumentParser prints through C's streams.
      LibraryMessages.restore()
      exit(withError: error)
    }
  }
}
