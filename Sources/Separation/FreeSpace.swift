import AudioFiles
import Glibc

/// Room on the disk, looked at before hours of work.
package enum FreeSpace {
  /// Bytes to leave alone: what folders and the log of a file system take.
  private static let margin = 1 << 16

  /// Bytes that will be written below a folder.
  package struct Need: Equatable {
    package let folder: FilePath
    package var byteCount: Int

    package init(folder: FilePath, byteCount: Int) {
      (self.folder, self.byteCount) = (folder, byteCount)
    }
  }

  /// - Parameter needs: what will be written; folders of one file system are taken together.
  /// - Parameter available: the bytes that may be written in a folder; nil passes.
  /// - Throws: `OutputError.notEnoughSpace`.
  package static func check(_ needs: [Need], available: (FilePath) -> Int? = available(in:)) throws {
    let places = needs.compactMap { need -> (device: UInt, folder: FilePath, byteCount: Int)? in
      let folder = OutputLayout.existingFolder(around: need.folder)
      var status = stat()
      return folder.call({ stat($0, &status) }) == 0 ? (UInt(status.st_dev), folder, need.byteCount) : nil
    }
    for group in Dictionary(grouping: places, by: \.device).values {
      let needed = group.reduce(margin) { $0 + $1.byteCount }
      guard let folder = group.first?.folder, let available = available(folder), needed > available else {
        continue
      }
      throw OutputError.notEnoughSpace(folder: folder, needed: needed, available: available)
    }
  }

  /// Bytes that this user may still write; nil where the file system does not say.
  package static func available(in folder: FilePath) -> Int? {
    var status = statvfs()
    guard folder.call({ statvfs($0, &status) }) == 0, status.f_blocks > 0 else { return nil }
    let (bytes, overflow) = Int(clamping: status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
    return overflow ? nil : bytes
  }
}

extension StemFile.Format {
  /// Bytes of the samples as floats.
  var spoolByteCount: Int { frameCount * channelCount * MemoryLayout<Float>.stride }

  /// The least that the encoded file takes. A lossless or variable encoding may make next to nothing of silence.
  var leastByteCount: Int {
    switch encoding {
    case .wav(let format): frameCount * channelCount * format.byteCount
    case .mp3(let bitrate):
      byteCount(kilobits: Double(AudioEncoding.mp3Bitrate(near: bitrate, sampleRate: sampleRate)))
    case .flac, .vorbis, .opus: 0
    }
  }

  /// What the encoded file takes with usual music.
  var usualByteCount: Int {
    switch encoding {
    case .wav, .mp3: leastByteCount
    case .flac(let format): frameCount * channelCount * format.byteCount / 2
    case .vorbis, .opus: byteCount(kilobits: 96 * Double(channelCount))
    }
  }

  /// - Parameter kilobits: a second.
  private func byteCount(kilobits: Double) -> Int {
    Int(Double(frameCount) / Double(max(1, sampleRate)) * kilobits * 125)
  }
}
