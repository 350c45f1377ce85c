import ArgumentParser
import AudioFiles

extension CommandLine {
  /// The arguments after the program's name, byte by byte, in a form that `FilePath(lossless:)` reads. `arguments` has lost
  /// what is not UTF-8.
  static var rawArguments: [String] {
    (1..<max(1, Int(argc))).compactMap { unsafeArgv[$0].map { FilePath(cString: $0).losslessText } }
  }
}

extension FilePath: ExpressibleByArgument {
  /// The bytes of an argument out of `CommandLine.rawArguments`.
  public init?(argument: String) { self.init(lossless: argument) }
}
