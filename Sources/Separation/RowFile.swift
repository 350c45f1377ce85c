import AudioFiles

/// Rows in a temporary file that has no name: nothing is left of it, however the program ends.
///
/// Rows lie one after another, each as long as the track; what was never written takes no room on the disk.
final class RowFile: RowStore {
  private let file: FileDescriptor
  private let length: Int

  /// - Parameters:
  ///   - length: samples of a row.
  ///   - folder: an existing folder with room for what will be written: 4 bytes a sample.
  /// - Throws: `AudioFileError`, with the folder for a name.
  init(length: Int, in folder: FilePath) throws {
    self.length = length
    file = try FileDescriptor.unnamed(in: folder)
  }

  /// - Throws: `OutputError.temporaryFailed`.
  func write(_ samples: UnsafeBufferPointer<Float>, row: Int, at position: Int) throws {
    try check(file.write(UnsafeRawBufferPointer(samples), at: offset(row, position)))
  }

  /// - Throws: `OutputError.temporaryFailed`.
  func read(into target: UnsafeMutableBufferPointer<Float>, row: Int, at position: Int) throws {
    try check(file.read(into: UnsafeMutableRawBufferPointer(target), at: offset(row, position)))
  }

  private func offset(_ row: Int, _ position: Int) -> Int {
    (row * length + position) * MemoryLayout<Float>.stride
  }

  private func check(_ code: Int32) throws {
    guard code != 0 else { return }
    throw OutputError.temporaryFailed(folder: file.path, reason: systemMessage(code))
  }

}
