import ArgumentParser
import Foundation
import ManualPages

/// `demucs-cli generate-manual`: the manual pages of this program, for those who package it. Hidden from the help, as
/// ArgumentParser's own `--generate-completion-script` is.
struct GenerateManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate-manual", abstract: "Write the manual pages of this program.",
    discussion: "One page in roff for each subcommand, made of its help. Their paths are printed on standard output.",
    shouldDisplay: false)

  @Argument(help: ArgumentHelp("Folder that the pages go to.", valueName: "dir"), completion: .directory)
  var folder: String

  @Option(help: ArgumentHelp("Date at the foot of the pages, such as 2026-11-21. (default: none)", valueName: "date"))
  var date = ""

  mutating func validate() throws {
    guard date.isEmpty || date.wholeMatch(of: /\d{4}-\d\d-\d\d/) != nil else {
      throw ValidationError("--date '\(date)' is not of the form 2026-11-21.")
    }
  }

  func run() throws {
    try runReporting { console, _ in
      for page in try ManualPage.all(dump: DemucsCommand.description, version: Version.text, date: date) {
        let path = "\(folder)/\(page.fileName)"
        do {
          try page.text.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
          let reason = (error as NSError).localizedDescription
          throw WritingError(path: path, reason: reason.hasSuffix(".") ? String(reason.dropLast()) : reason)
        }
        console.result(path)
      }
    }
  }

  private struct WritingError: Error, CustomStringConvertible {
    let path: String
    let reason: String
    var description: String { "\(path): cannot be written: \(reason). Is there such a folder?" }
  }
}
