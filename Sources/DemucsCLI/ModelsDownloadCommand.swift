import ArgumentParser
import Foundation
import ModelStore
import Separation

/// `demucs-cli models download`: fetches a model of the registry.
struct ModelsDownloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "download", abstract: "Fetch a model.",
    discussion: """
      Files come from the Hugging Face hub, or, where that is not reached, from the host that older versions of demucs \
      used, and go into --models-dir, $DEMUCS_CLI_MODELS or $XDG_DATA_HOME/demucs-cli/models, the first that is given. \
      A download that stopped goes on where it was. Sizes and checksums are checked; a file under a model's name is \
      whole.

        demucs-cli models download htdemucs_6s --accept-license

      Environment:
        https_proxy, http_proxy, no_proxy  proxies
        DEMUCS_CLI_BASE_URL                as --base-url
        HF_ENDPOINT                        root of a mirror of the hub
        HF_HUB_OFFLINE                     1: fetch nothing
      """)

  @Argument(
    help: ArgumentHelp("Name of a model, as models list prints it.", valueName: "name"), completion: .fetchableModel)
  var name: String

  @Flag(help: "Accept what the model's authors say of its use.")
  var acceptLicense = false

  @Option(help: ArgumentHelp("Fetch from there alone: hub or legacy.", valueName: "source"))
  var from: ModelDownload.Source?

  @Option(help: ArgumentHelp("Root of a mirror, in place of the registry's.", valueName: "url"))
  var baseURL: String?

  @Option(help: ArgumentHelp("Folder that the files go to.", valueName: "dir"), completion: .directory)
  var modelsDir: String?

  @Flag(help: "Fetch it again if it is there.")
  var force = false

  @Flag(help: "Show no progress; warnings and errors stay.")
  var quiet = false

  func run() throws {
    try runReporting(quiet: quiet) { console, interruption in
      let folders = ModelFolders(modelsDirectory: modelsDir)
      if !force, let location = try? ModelStore.locate(name, in: folders) {
        console.note("\(name) is there already. Give --force to fetch it again.")
        return location.files.forEach(console.result)
      }
      let registry = try Registry(folders)
      guard let folder = folders.target else {
        throw ModelStoreError.unreadable(path: "$HOME", reason: "it is not set; give --models-dir")
      }
      let download = try ModelDownload(
        name, registry: registry, to: folder, sources: from.map { [$0] } ?? ModelDownload.Source.allCases,
        base: baseURL, downloader: Downloader(agent: "demucs-cli/\(Version.text)"))
      if let licence = registry.licence(of: download.entry) {
        guard acceptLicense else {
          console.problem("\(name): \(licence)")
          console.problem("Error: \(name) is not fetched. To accept this, give --accept-license.")
          throw ExitCode.failure
        }
        console.note("\(name): \(licence)")
      }
      if let caveat = download.entry.caveat { console.note("\(name): \(caveat)") }
      let display = DownloadDisplay(console: console)
      let files = try download.run(
        isForced: force,
        validate: { path, _ in _ = try openCheckpoint(path).modelDescription() },
        note: { console.problem("Note: \($0)") }
      ) { progress in
        try interruption.check()
        display.show(progress)
      }
      display.finish(files: files.count)
      files.forEach(console.result)
    }
  }
}

extension ModelDownload.Source: ExpressibleByArgument {}
