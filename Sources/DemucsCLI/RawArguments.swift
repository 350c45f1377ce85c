import ArgumentParser
import AudioFiles
import Glibc

extension CommandLine {
  /// The arguments after the program's name, byte by byte, in a form that `FilePath(lossless:)` reads. `arguments` has lost
  /// what is not UTF-8.
  static var rawArguments: [String] {
    (1..<max(1, Int(argc))).compactMap { index in
      unsafeArgv[index].map {
        FilePath(bytes: UnsafeBufferPointer(start: $0, count: strlen($0)).map(UInt8.init(bitPattern:)))
      }?
      .losslessText
    }
  }
}

extension FilePath: ExpressibleByArgument {
  /// The bytes of an argument out of `CommandLine.rawArguments`.
  public init?(argument: String) { self.init(lossless: argument) }
}
