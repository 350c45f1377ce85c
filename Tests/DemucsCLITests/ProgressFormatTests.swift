import DemucsCLI
import Separation
import Testing

/// Progress as text: what a line says, and that it never wraps.
struct ProgressFormatTests {
  private let halfway = SeparationProgress(chunksDone: 5, totalChunks: 10, secondsDone: 90, totalSeconds: 180)

  @Test func barSaysItAll() {
    let bar = ProgressFormat.bar(name: "song.wav", progress: halfway, elapsed: 60, width: 80)
    #expect(bar == "song.wav [####################--------------------]  50%  1.5x  1:00 left")
  }

  @Test func lineSaysItAll() {
    let line = ProgressFormat.line(name: "song.wav", progress: halfway, elapsed: 60)
    #expect(line == "song.wav: 50%, 1:30 of 3:00, 1.5x, 1:00 left")
  }

  @Test(arguments: 1...100)
  func barFitsTheTerminal(width: Int) {
    for name in ["a.wav", "[12/340] A very long name of a song that no terminal has room for.flac"] {
      let bar = ProgressFormat.bar(name: name, progress: halfway, elapsed: 60, width: width)
      #expect(bar.count < width)
    }
  }

  @Test func wideCharactersCountTwice() {
    let name = String(repeating: "歌", count: 60)
    let bar = ProgressFormat.bar(name: name, progress: halfway, elapsed: 60, width: 80)
    #expect(bar.count + bar.count { $0 == "歌" } < 80)
  }

  @Test func nothingDoneHasNoRate() {
    let begun = SeparationProgress(chunksDone: 0, totalChunks: 10, secondsDone: 0, totalSeconds: 180)
    #expect(
      ProgressFormat.line(name: "song.wav", progress: begun, elapsed: 0) == "song.wav: 0%, 0:00 of 3:00")
  }

  @Test(arguments: [(0.4, "0:00"), (65, "1:05"), (3599.6, "1:00:00"), (18_245, "5:04:05"), (-1, "0:00")])
  func timesAreReadable(seconds: Double, text: String) {
    #expect(ProgressFormat.time(seconds) == text)
  }

  @Test(arguments: [(1.94, 1.0, "1.9x"), (9.97, 1, "10x"), (123.4, 1, "123x"), (0.26, 1, "0.3x")])
  func ratesAreReadable(seconds: Double, elapsed: Double, text: String) {
    #expect(ProgressFormat.rate(seconds: seconds, elapsed: elapsed) == text)
  }
}
