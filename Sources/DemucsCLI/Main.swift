import ArgumentParser

@main
struct DemucsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "demucs-cli")
}
