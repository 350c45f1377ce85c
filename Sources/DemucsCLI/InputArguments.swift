import ArgumentParser
import AudioFiles
import Separation

/// Which songs.
struct InputArguments: ParsableArguments {
  @Flag(name: [.short, .long], help: "Take every audio file below a folder that is given.")
  var recursive = false

  @Option(
    help: ArgumentHelp(
      "Take the songs that a file names, one a line; - for standard input. May be given more than once.",
      valueName: "list"), completion: .file())
  var fromFile: [FilePath] = []

  @Flag(name: [.customShort("0"), .long], help: "Names in lists end in a zero byte, as find -print0 writes them.")
  var null = false

  @Flag(help: "Say which files would be written, as SONG, tab, STEM; write nothing, and load no weights.")
  var dryRun = false

  /// The songs of a command line.
  /// - Parameters:
  ///   - files: its arguments.
  ///   - results: the folders that stems go to, which hold no songs.
  ///   - console: is told when the program is interrupted meanwhile.
  /// - Throws: `ValidationError` for a command line that makes no sense.
  func list(_ files: [FilePath], results: [FilePath], console: Console) throws -> InputList {
    let standardInput = InputList.standardInput
    if fromFile.contains(standardInput), files.contains(standardInput) {
      throw ValidationError("Standard input cannot be both a song (-) and a list of names (--from-file -); choose one.")
    }
    if fromFile.filter({ $0 == standardInput }).count > 1 {
      throw ValidationError("--from-file - is given twice; standard input can be read once.")
    }
    if null, fromFile.isEmpty { throw ValidationError("--null says how a list is read; give it with --from-file.") }
    if files.isEmpty, fromFile.isEmpty {
      throw ValidationError("Missing expected argument '<file> ...'; name songs, folders with -r, or --from-file.")
    }
    // A terminal or a pipe may let wait for names, and a folder may be large. Nothing is begun that would have to end.
    Interruption(console: console, grace: 0).install()
    var list = InputList(folders: recursive ? FolderScan(leavingOut: results) : nil)
    for file in files { list.add(argument: file) }
    for file in fromFile { list.add(listIn: file, isNull: null) }
    return list
  }
}
