import AudioFiles
import CSndfile
import Foundation
import Testing

@Suite struct WritingTests {
  private func write(
    _ audio: AudioBuffer, to path: String, container: Container = .wav, as format: SampleFormat,
    block: Int = 1 << 20
  ) throws {
    let writer = try AudioFileWriter(
      path: path, sampleRate: 44100, channelCount: audio.channelCount, container: container,
      sampleFormat: format)
    for start in stride(from: 0, to: audio.frameCount, by: block) {
      let range = start..<min(start + block, audio.frameCount)
      try writer.write(AudioBuffer(channels: audio.channels.map { Array($0[range]) }))
    }
    try writer.finish()
    #expect(writer.framesWritten == audio.frameCount)
  }

  /// The integers of a file, as libsndfile reads them: in the upper bits of 32.
  private func integers(_ path: String, count: Int) throws -> [Int32] {
    var info = SF_INFO()
    let handle = try #require(sf_open(path, Int32(SFM_READ), &info))
    defer { sf_close(handle) }
    var values = [Int32](repeating: 0, count: count + 1)
    let read = Int(sf_read_int(handle, &values, sf_count_t(count)))
    return Array(values[..<read])
  }

  @Test("16 bits: to nearest, half to even, saturating, NaN as 0", arguments: Container.allCases)
  func rounding16(container: Container) throws {
    // Small half steps are no floats: their neighbours tell rounding from truncation.
    let table: [(Float, Int32)] = [
      (0, 0), (-0.0, 0), (1, 32767), (-1, -32767), (1.5, 32767), (-1.5, -32768), (.infinity, 32767),
      (-.infinity, -32768), (.nan, 0), (1e30, 32767), (-1e30, -32768), (32768 / 32767.0, 32767),
      (-32768 / 32767.0, -32768), (0.49 / 32767, 0), (0.51 / 32767, 1), (1.49 / 32767, 1),
      (1.51 / 32767, 2), (-0.49 / 32767, 0), (-0.51 / 32767, -1), (-1.51 / 32767, -2),
      (0.5, 16384), (-0.5, -16384), (0.25, 8192), (0.75, 24575), (-0.25, -8192), (30000.4 / 32767, 30000),
    ]
    let folder = try TemporaryFolder()
    try write(
      AudioBuffer(channels: [table.map(\.0)]), to: folder.path("a"), container: container, as: .int16)
    let values = try integers(folder.path("a"), count: table.count)
    #expect(values == table.map { $0.1 << 16 })
  }

  @Test("24 bits: exact half steps go to even", arguments: Container.allCases)
  func rounding24(container: Container) throws {
    let top: Int32 = 8_388_607
    // 0.5 * 8388607 = 4194303.5, a half step in exact arithmetic.
    let table: [(Float, Int32)] = [
      (1, top), (-1, -top), (2, top), (-2, -top - 1), (0.5, 4_194_304), (-0.5, -4_194_304),
      (0.25, 2_097_152), (0.75, 6_291_455), (0, 0), (.nan, 0), (1.49 / 8_388_607, 1), (1.51 / 8_388_607, 2),
    ]
    let folder = try TemporaryFolder()
    try write(
      AudioBuffer(channels: [table.map(\.0)]), to: folder.path("a"), container: container, as: .int24)
    let values = try integers(folder.path("a"), count: table.count)
    #expect(values == table.map { $0.1 << 8 })
  }

  @Test("float32 is kept as it is")
  func float32() throws {
    let folder = try TemporaryFolder()
    let left: [Float] = [0, -0.0, 1, -1, 3.75, -1e30, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    let right: [Float] = [.infinity, -.infinity, 1.0000001, 0.1, -0.1, 1e-20, 123, 0]
    let audio = AudioBuffer(channels: [left, right])
    try write(audio, to: folder.path("a.wav"), as: .float32)
    let read = try #require(try AudioFileReader(path: folder.path("a.wav")).read(maximumFrames: 100))
    #expect(interleaved(read).map(\.bitPattern) == interleaved(audio).map(\.bitPattern))
  }

  struct Combination: CustomTestStringConvertible {
    let container: Container
    let format: SampleFormat
    let channelCount: Int
    var testDescription: String { "\(container) \(format) \(channelCount)" }
  }

  static let combinations = Container.allCases.flatMap { container in
    SampleFormat.allCases.filter { container == .wav || $0 != .float32 }.flatMap { format in
      [1, 2, 6].map { Combination(container: container, format: format, channelCount: $0) }
    }
  }

  @Test("the file is what was written, and equal in every run and every cut", arguments: combinations)
  func identicalBytes(_ each: Combination) throws {
    let folder = try TemporaryFolder()
    let audio = AudioBuffer(channels: (1...each.channelCount).map { noise(10_001, seed: UInt64($0)) })
    try write(audio, to: folder.path("a"), container: each.container, as: each.format)
    try write(audio, to: folder.path("b"), container: each.container, as: each.format, block: 777)
    #expect(try folder.bytes("a") == folder.bytes("b"))

    let reader = try AudioFileReader(path: folder.path("a"))
    #expect(reader.format.sampleRate == 44100)
    #expect(reader.format.frameCount == 10_001)
    let read = try readAll(reader, block: 4096)
    #expect(reader.warnings.isEmpty)
    let tolerance: Float = each.format == .int16 ? 1 / 20000 : each.format == .int24 ? 1 / 5_000_000 : 0
    let worst = zip(interleaved(read), interleaved(audio)).map { abs($0 - $1) }.max() ?? 1
    #expect(read.frameCount == 10_001)
    #expect(worst <= tolerance)
  }

  @Test("the time of day is not in the file")
  func noTimeOfDay() throws {
    let folder = try TemporaryFolder()
    let audio = AudioBuffer(channels: [noise(100)])
    try write(audio, to: folder.path("a"), as: .float32)
    // The PEAK chunk of libsndfile holds the second of its writing.
    Thread.sleep(forTimeInterval: 1.1)
    try write(audio, to: folder.path("b"), as: .float32)
    #expect(try folder.bytes("a") == folder.bytes("b"))
    #expect(try !folder.bytes("a").contains(sequence: Array("PEAK".utf8)))
  }

  @Test("pointers give the bytes that a buffer gives")
  func pointers() throws {
    let folder = try TemporaryFolder()
    let audio = AudioBuffer(channels: [noise(9000), noise(9000, seed: 2)])
    try write(audio, to: folder.path("a.wav"), as: .int24)
    let writer = try AudioFileWriter(
      path: folder.path("b.wav"), sampleRate: 44100, channelCount: 2, sampleFormat: .int24)
    try audio.channels[0].withUnsafeBufferPointer { left in
      try audio.channels[1].withUnsafeBufferPointer { right in
        let start = [try #require(left.baseAddress), try #require(right.baseAddress)]
        try writer.write(start, frameCount: 5000)
        try writer.write(start.map { $0 + 5000 }, frameCount: 4000)
      }
    }
    try writer.finish()
    #expect(try folder.bytes("a.wav") == folder.bytes("b.wav"))
  }

  @Test("a short WAV is plain RIFF, its sizes are true, its data is padded to an even length")
  func plainHeader() throws {
    let folder = try TemporaryFolder()
    try write(AudioBuffer(channels: [[0, 0.5, 1]]), to: folder.path("a.wav"), as: .int24)
    let bytes = try folder.bytes("a.wav")
    #expect(Array(bytes[0..<4]) == Array("RIFF".utf8))
    #expect(Array(bytes[4..<8]) == little(UInt32(bytes.count - 8)))
    #expect(Array(bytes[8..<16]) == Array("WAVEJUNK".utf8))
    #expect(Array(bytes[48..<52]) == Array("fmt ".utf8))
    #expect(Array(bytes[52..<58]) == little(UInt32(16)) + little(UInt16(1)))
    #expect(Array(bytes[72..<80]) == Array("data".utf8) + little(UInt32(9)))
    #expect(bytes[80...] == [0, 0, 0, 0, 0, 0x40, 0xFF, 0xFF, 0x7F, 0])
  }

  @Test("a file without finish() is one whose header was never finished")
  func unfinished() throws {
    let folder = try TemporaryFolder()
    do {
      let writer = try AudioFileWriter(
        path: folder.path("a.wav"), sampleRate: 44100, channelCount: 2, sampleFormat: .int16)
      try writer.write(AudioBuffer(channelCount: 2, frameCount: 10_000))
    }
    let reader = try AudioFileReader(path: folder.path("a.wav"))
    #expect(reader.warnings.count == 1 && reader.warnings[0].contains("never finished"))
  }

  @Test("what cannot be written is refused before a file is there")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("a")
    let cases: [(Int, Int, Container, SampleFormat)] = [
      (44100, 2, .flac, .float32), (44100, 9, .flac, .int16), (0, 2, .wav, .int16), (-1, 2, .wav, .int16),
      (44100, 0, .wav, .int16), (44100, 1025, .wav, .int16), (768_000, 2, .flac, .int16),
    ]
    for (rate, channels, container, format) in cases {
      let error = #expect(throws: AudioFileError.self) {
        try AudioFileWriter(
          path: path, sampleRate: rate, channelCount: channels, container: container, sampleFormat: format)
      }
      guard case .unsupportedOutput = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    #expect(!FileManager.default.fileExists(atPath: path))

    let writer = try AudioFileWriter(path: path, sampleRate: 44100, channelCount: 2, sampleFormat: .int16)
    #expect(throws: AudioFileError.self) { try writer.write(AudioBuffer(channelCount: 1, frameCount: 5)) }
    try writer.finish()
    #expect(throws: AudioFileError.self) { try writer.finish() }
    #expect(throws: AudioFileError.self) { try writer.write(AudioBuffer(channelCount: 2, frameCount: 5)) }
  }
}

extension [UInt8] {
  func contains(sequence: [UInt8]) -> Bool {
    indices.dropLast(sequence.count - 1).contains { self[$0..<$0 + sequence.count].elementsEqual(sequence) }
  }
}
