import AudioFiles
import CSndfile
import Foundation

/// Small sound files of every container and encoding that libsndfile can write, and so of all that it reads.
public enum SeedFiles {
  /// One file.
  public struct Seed: Sendable {
    /// Container and encoding, such as `wav-pcm_16`.
    public let name: String
    public let bytes: [UInt8]
    public let frameCount: Int
    public let sampleRate: Int
  }

  /// - Parameters:
  ///   - frameCount: frames of each file.
  ///   - folder: where files are written for a moment.
  public static func all(frameCount: Int, in folder: String) throws -> [Seed] {
    var seeds: [Seed] = []
    let path = folder + "/seed-\(getpid())"
    defer { unlink(path) }
    for container in formats(SFC_GET_FORMAT_MAJOR_COUNT, SFC_GET_FORMAT_MAJOR) {
      for encoding in formats(SFC_GET_FORMAT_SUBTYPE_COUNT, SFC_GET_FORMAT_SUBTYPE) {
        var info = SF_INFO()
        info.format = container.code & Int32(SF_FORMAT_TYPEMASK) | encoding.code
        (info.channels, info.samplerate) = (2, 44100)
        // Some containers hold one channel, Opus a few rates, GSM but one.
        for (channels, rate) in [(2, 44100), (1, 44100), (2, 48000), (1, 8000)] {
          (info.channels, info.samplerate) = (Int32(channels), Int32(rate))
          if sf_format_check(&info) != 0 { break }
        }
        // Raw samples have no header to be told by, SD2 lies in two files.
        guard sf_format_check(&info) != 0, !["raw", "sd2"].contains(container.name) else { continue }
        guard write(path, info: info, frameCount: frameCount) else { continue }
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        // Not everything that can be written can be read.
        guard let reader = try? AudioFileReader(path: FilePath(path)), let block = try? reader.read(maximumFrames: .max)
        else { continue }
        seeds.append(
          Seed(
            name: "\(container.name)-\(encoding.name)", bytes: bytes, frameCount: block.frameCount,
            sampleRate: reader.format.sampleRate))
      }
    }
    return seeds
  }

  private static func formats(_ count: Int, _ get: Int) -> [(code: Int32, name: String)] {
    var number: Int32 = 0
    sf_command(nil, Int32(count), &number, Int32(MemoryLayout<Int32>.size))
    return (0..<number).map { index in
      var info = SF_FORMAT_INFO()
      info.format = index
      sf_command(nil, Int32(get), &info, Int32(MemoryLayout<SF_FORMAT_INFO>.size))
      let text = String(cString: get == SFC_GET_FORMAT_MAJOR ? info.extension ?? info.name : info.name)
      let name = text.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" }
      return (info.format, String(name))
    }
  }

  /// Writes two tones, with tags where there is room for them.
  private static func write(_ path: String, info: SF_INFO, frameCount: Int) -> Bool {
    var info = info
    guard let handle = sf_open(path, Int32(SFM_WRITE), &info) else { return false }
    // It holds the time of day.
    sf_command(handle, Int32(SFC_SET_ADD_PEAK_CHUNK), nil, Int32(SF_FALSE))
    for type in SF_STR_TITLE...SF_STR_GENRE where type != SF_STR_SOFTWARE {
      sf_set_string(handle, Int32(type), "tag \(type) Ω")
    }
    let channels = Int(info.channels)
    let samples = (0..<frameCount * channels).map { index in
      Float(0.3 * sin(Double(index / channels) * (index % channels == 0 ? 0.05 : 0.07)))
    }
    // Larger blocks overflow the stack of libsndfile's Vorbis encoder.
    var written = 0
    for start in stride(from: 0, to: frameCount, by: 1024) {
      let count = min(1024, frameCount - start)
      written += samples.withUnsafeBufferPointer { samples in
        samples.baseAddress.map { Int(sf_writef_float(handle, $0 + start * channels, sf_count_t(count))) } ?? 0
      }
    }
    return sf_close(handle) == 0 && written == frameCount
  }
}
