import ArgumentParser
import Checkpoints
import Foundation
import ModelStore
import Separation
import Tensors

/// `demucs-cli models import`: any model file that can be read as one safetensors file.
struct ModelsImportCommand: ParsableCommand {
  enum Precision: String, CaseIterable, ExpressibleByArgument {
    case fp16, fp32

    var type: TensorType { self == .fp16 ? .float16 : .float32 }
  }

  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Convert a model file to safetensors, which demucs 4.1 reads too.",
    discussion: """
      The result goes into the folder of models, under the name of the file, and can then be used by that name:

        demucs-cli models import my_model.pt
        demucs-cli separate song.wav -n my_model
      """)

  @Argument(help: ArgumentHelp("Model file.", valueName: "file"), completion: .file())
  var file: String

  @Option(help: ArgumentHelp("Name that the model gets. (default: that of the file)", valueName: "name"))
  var name: String?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("File to write, in place of one in the folder of models.", valueName: "file"),
    completion: .file())
  var output: String?

  @Option(help: ArgumentHelp("How numbers are stored. (default: fp16 if the file has no others, else fp32)"))
  var precision: Precision?

  @Option(help: ArgumentHelp("Folder of models that the result goes to.", valueName: "dir"), completion: .directory)
  var modelsDir: String?

  @Flag(help: "Replace a file that is there.")
  var force = false

  mutating func validate() throws {
    if output != nil, name != nil || modelsDir != nil {
      throw ValidationError("--output is a whole path: leave out --name and --models-dir.")
    }
    if let name, name.isEmpty || name.hasPrefix(".") || name.contains("/") {
      throw ValidationError("--name '\(name)' cannot be the name of a file.")
    }
    if let name, ModelStore.isPath(name) {
      throw ValidationError("--name '\(name)' would be taken for a file of that name; leave its extension out.")
    }
  }

  func run() throws {
    try runReporting { console, _ in
      let location = try ModelStore.locate(file.contains("/") ? file : "./" + file)
      guard location.members == [location.path] else {
        throw ImportError("\(file): is a bag; import each of its networks, and put the bag beside them.")
      }
      let checkpoint = try openCheckpoint(location.path)
      let target = try output ?? path(in: ModelFolders(modelsDirectory: modelsDir).target, location.name)
      if !force, FileManager.default.fileExists(atPath: target) {
        throw ImportError(
          "\(target): is there already. Give --force to replace it, or another \(output == nil ? "--name" : "--output")."
        )
      }
      let isHalf = checkpoint.names.filter(checkpoint.isWeight).allSatisfy { checkpoint.type(of: $0) == .float16 }
      try checkpoint.write(
        safetensors: target, precision: precision?.type ?? (isHalf ? .float16 : .float32))
      // Only what loads is of any use.
      do {
        _ = try loadModel(at: target, pool: WorkerPool(threadCount: 1))
      } catch {
        console.problem("Warning: the file is written, but this program cannot run it: \(error)")
      }
      console.result(target)
    }
  }

  private func path(in folder: String?, _ name: String) throws -> String {
    guard let folder else { throw ImportError("There is no folder of models, as HOME is not set: give --output.") }
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw ImportError("\(folder): the folder cannot be made: \((error as NSError).localizedDescription)")
    }
    return "\(folder)/\(self.name ?? name).safetensors"
  }
}

/// Why a model is not imported, in words.
private struct ImportError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
