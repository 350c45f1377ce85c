import Foundation

/// Some hundred files as they turn up in real libraries and in attacks: headers that lie, files that are cut short, no audio
/// at all, and sound audio under the name of something else.
public enum BadFiles {
  /// What must become of a file.
  public enum Outcome: Sendable, CustomStringConvertible {
    /// An error: there is no audio in it.
    case failure
    /// Exactly so many frames, at so many Hz.
    case audio(frames: Int, sampleRate: Int)
    /// An error, or what there is.
    case either

    public var description: String {
      switch self {
      case .failure: "fails"
      case .audio(let frames, let sampleRate): "\(frames)/\(sampleRate)"
      case .either: "either"
      }
    }
  }

  /// One file.
  public struct File: Sendable {
    public let name: String
    public let bytes: [UInt8]
    public let outcome: Outcome
  }

  /// - Parameter folder: where files are written for a moment.
  public static func all(in folder: String) throws -> [File] {
    let seeds = try SeedFiles.all(frameCount: 4000, in: folder)
    // One a container, and those whose encodings are whole libraries.
    var containers: Set<String> = []
    let some = seeds.filter { seed in
      containers.insert(String(seed.name.prefix { $0 != "-" })).inserted || seed.name.hasPrefix("og")
        || seed.name.hasPrefix("m1a")
    }
    let files =
      LyingHeaders.wav() + odd() + noAudio() + misnamed(seeds) + some.flatMap { cut($0) + lies($0) }
    return files.enumerated().map { index, file in
      File(name: String(format: "%03d-", index) + file.name, bytes: file.bytes, outcome: file.outcome)
    }
  }

  /// Any container under the extension of another, or under none: the content tells.
  private static func misnamed(_ seeds: [SeedFiles.Seed]) -> [File] {
    let extensions = [".mp3", ".txt", ".flac", "", ".m4a", ".wav", ".ogg", ".exe"]
    return seeds.enumerated().map { index, seed in
      File(
        name: seed.name + extensions[index % extensions.count], bytes: seed.bytes,
        outcome: .audio(frames: seed.frameCount, sampleRate: seed.sampleRate))
    }
  }

  private static func cut(_ seed: SeedFiles.Seed) -> [File] {
    let count = seed.bytes.count
    return [1, 3, 4, 11, 12, 30, 44, 60, count / 10, count / 2, count - 1].filter { $0 < count }.map {
      File(name: "\(seed.name)-cut-\($0)", bytes: Array(seed.bytes[..<$0]), outcome: $0 < 4 ? .failure : .either)
    }
  }

  /// Every word of the start by one that means much or nothing, and random damage.
  private static func lies(_ seed: SeedFiles.Seed) -> [File] {
    var files: [File] = []
    for position in stride(from: 4, to: 48, by: 4) {
      for (name, word) in [("zero", [UInt8](repeating: 0, count: 4)), ("most", [0x7F, 0xFF, 0xFF, 0xFF])] {
        var bytes = seed.bytes
        bytes.overwrite(position, with: word)
        files.append(File(name: "\(seed.name)-\(name)-at-\(position)", bytes: bytes, outcome: .either))
      }
    }
    var mutator = AudioMutator(seed: UInt64(seed.bytes.count))
    for number in 0..<5 {
      let bytes = mutator.damaged(seed.bytes, other: seed.bytes)
      files.append(File(name: "\(seed.name)-damaged-\(number)", bytes: bytes, outcome: .either))
    }
    let start = Array(seed.bytes.prefix(12))
    files.append(
      File(name: "\(seed.name)-start-alone", bytes: start + mutator.noise(3000), outcome: .either))
    return files
  }

  private static func odd() -> [File] {
    func floats(_ samples: [Float]) -> [UInt8] {
      WAVBytes(formatTag: 3, bits: 32, data: samples.flatMap { WAVBytes.little($0.bitPattern) }).bytes
    }
    return [
      File(
        name: "nan.wav", bytes: floats([Float](repeating: .nan, count: 4000)),
        outcome: .audio(frames: 2000, sampleRate: 44100)),
      File(
        name: "infinite.wav", bytes: floats([Float](repeating: -.infinity, count: 4000)),
        outcome: .audio(frames: 2000, sampleRate: 44100)),
      File(
        name: "huge.wav", bytes: floats([Float](repeating: .greatestFiniteMagnitude, count: 4000)),
        outcome: .audio(frames: 2000, sampleRate: 44100)),
      File(
        name: "one-frame.wav", bytes: WAVBytes(sampleRate: 8000, data: [1, 2, 3, 4]).bytes,
        outcome: .audio(frames: 1, sampleRate: 8000)),
      File(name: "half-a-frame.wav", bytes: WAVBytes(data: [1, 2]).bytes, outcome: .failure),
    ]
  }

  private static func noAudio() -> [File] {
    var mutator = AudioMutator(seed: 7)
    var files = [
      File(name: "empty.wav", bytes: [], outcome: .failure),
      File(name: "one-byte.wav", bytes: [0x52], outcome: .failure),
      File(name: "zeros.wav", bytes: [UInt8](repeating: 0, count: 5000), outcome: .failure),
      File(name: "ones.mp3", bytes: [UInt8](repeating: 0xFF, count: 5000), outcome: .either),
      File(name: "text.mp3", bytes: Array("Dear diary, no music today.\n".utf8), outcome: .failure),
      File(name: "page.wav", bytes: Array("<!DOCTYPE html><html><body>404</body></html>".utf8), outcome: .failure),
      File(
        name: "picture.wav", bytes: [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, 0, 0, 0, 13] + mutator.noise(900),
        outcome: .failure),
      File(name: "archive.flac", bytes: Array("PK\u{3}\u{4}".utf8) + mutator.noise(900), outcome: .failure),
      File(name: "program.ogg", bytes: [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0] + mutator.noise(900), outcome: .failure),
      File(
        name: "pickle.wav", bytes: [0x80, 2] + Array("ctorch._utils\n_rebuild_tensor_v2\nq".utf8), outcome: .failure),
      File(
        name: "tag-alone.mp3", bytes: Array("ID3".utf8) + [4, 0, 0, 0, 0, 1, 0] + [UInt8](repeating: 0, count: 128),
        outcome: .failure),
    ]
    files += (0..<20).map { File(name: "noise-\($0).wav", bytes: mutator.noise(100 + 300 * $0), outcome: .either) }
    return files
  }
}

extension AudioMutator {
  /// Random bytes.
  mutating func noise(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(below(256)) } }
}
