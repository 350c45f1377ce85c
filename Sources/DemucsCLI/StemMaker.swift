import AudioFiles
import Layers
import ModelStore
import Separation
import Synchronization
import Tensors

/// Separates songs into files of 32-bit floats, for commands that look at stems and keep none.
struct StemMaker {
  let separator: Separator
  let location: ModelLocation
  private let console: Console
  private let interruption: Interruption
  private let currentSong: CurrentSong

  /// What warnings of the network are about.
  private final class CurrentSong: Sendable {
    let name = Mutex<String?>(nil)
  }

  /// Loads the model.
  init(
    model: ModelArguments, precision: PrecisionPolicy, options: SeparationOptions, console: Console,
    interruption: Interruption
  ) throws {
    let location = try model.locate()
    let currentSong = CurrentSong()
    let bag = try ModelBag(
      location, pool: WorkerPool(threadCount: model.threadCount),
      options: ModelOptions(model, precision: precision) { text in
        let song = currentSong.name.withLock(\.self)
        console.problem("Warning: \(song.map { "\($0): \(text)" } ?? text)")
      })
    separator = try Separator(bag: bag, options: options)
    (self.location, self.console, self.interruption) = (location, console, interruption)
    self.currentSong = currentSong
  }

  /// Separates a song into `FOLDER/NAME/STEM.wav`.
  /// - Returns: names and paths of the stems, in the order of the model.
  func separate(_ song: String, name: String, into folder: String) throws -> [(name: String, path: String)] {
    let layout = OutputLayout(root: folder, model: name, template: try FilenameTemplate("{stem}.{ext}"))
    let display = ProgressDisplay(name: name, console: console)
    currentSong.name.withLock { $0 = song }
    let done = try separator.separateFile(
      song, to: StemWriter(layout: layout, clipMode: .none, sampleFormat: .float32, copiesTags: false)
    ) { [interruption] progress in
      try interruption.check()
      display.show(progress)
    }
    for warning in done.warnings { console.problem("Warning: \(warning)") }
    display.finish(seconds: done.seconds)
    return zip(separator.sources, done.outputs).compactMap { name, path in path.string.map { (name, $0) } }
  }
}
