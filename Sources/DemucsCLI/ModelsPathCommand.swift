import ArgumentParser
import ModelStore

/// `demucs-cli models path`: where a model is, for scripts.
struct ModelsPathCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "path", abstract: "Print the path of a model's file.",
    discussion: "For a bag the path of its YAML, or, where it has none, the path of each of its networks.")

  @OptionGroup var model: ModelNameArguments

  func run() throws {
    try runReporting { console, _ in
      let location = try model.locate()
      let paths = location.members.contains(location.path) ? location.files : [location.path]
      for path in paths { console.result(path) }
    }
  }
}
