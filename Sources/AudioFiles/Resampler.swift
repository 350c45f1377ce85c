import CSoxr

/// Changes the sample rate of a stream: soxr's VHQ recipe (28-bit precision, linear phase), on one thread.
///
/// The delay of the filter is taken out: frame 0 of the output is the instant of frame 0 of the input. From n
/// input frames come `frameCount(of: n, ...)` output frames, and the same ones, bit for bit, however the stream is cut
/// into blocks.
package final class Resampler {
  /// Room for the frames that one call of soxr delivers; more stays in soxr until the next call.
  private static let blockFrames = 16384

  private let handle: soxr_t
  private let inputRate: Int
  private let outputRate: Int
  private let channelCount: Int
  private var output: [Float]
  /// Frames taken so far.
  private var framesTaken = 0

  /// - Parameters: rates in Hz.
  /// - Throws: `ResamplerError`.
  package init(from inputRate: Int, to outputRate: Int, channelCount: Int) throws {
    var failure: soxr_error_t?
    var streams = soxr_io_spec(SOXR_FLOAT32_S, SOXR_FLOAT32_S)
    var quality = soxr_quality_spec(UInt(SOXR_VHQ), 0)
    var runtime = soxr_runtime_spec(1)
    let handle = soxr_create(
      Double(inputRate), Double(outputRate), UInt32(channelCount), &failure, &streams, &quality, &runtime)
    guard let handle, failure == nil else {
      soxr_delete(handle)
      throw ResamplerError(message: failure.map { String(cString: $0) } ?? "soxr gave no handle")
    }
    self.handle = handle
    (self.inputRate, self.outputRate, self.channelCount) = (inputRate, outputRate, channelCount)
    output = Array(repeating: 0, count: Self.blockFrames * channelCount)
  }

  deinit {
    soxr_delete(handle)
  }

  /// Frames that come from `count` frames: `floor(count * outputRate / inputRate + 1/2)`, but no fewer than one from one.
  /// - Returns: nil for more than can be counted.
  package static func frameCount(of count: Int, from inputRate: Int, to outputRate: Int) -> Int? {
    guard count > 0, inputRate != outputRate else { return count }
    let exact = Double(count) * Double(outputRate) / Double(inputRate)
    return Int(exactly: (exact + 0.5).rounded(.down)).map { max(1, $0) }
  }

  /// Feeds one block, `[channels, frames]`, and takes what is ready, which may be nothing.
  package func process(_ input: AudioBuffer) throws -> AudioBuffer {
    let frames = input.frameCount
    framesTaken += frames
    let planes = input.channels.flatMap { $0.prefix(frames) }
    var result = AudioBuffer(channelCount: channelCount, frameCount: 0)
    var consumed = 0
    while consumed < frames {
      consumed += try planes.withUnsafeBufferPointer { samples in
        guard let start = samples.baseAddress else { return frames }
        let sources = (0..<channelCount).map { UnsafeRawPointer(start + $0 * frames + consumed) }
        return try sources.withUnsafeBufferPointer {
          try step(input: $0.baseAddress, frames: frames - consumed, result: &result).consumed
        }
      }
    }
    return result
  }

  /// Tells the resampler that the input is over and takes the rest.
  package func finish() throws -> AudioBuffer {
    var result = AudioBuffer(channelCount: channelCount, frameCount: 0)
    if framesTaken > 0, framesTaken <= inputRate / outputRate, 2 * framesTaken * outputRate < inputRate {
      // Less than half a frame. Silence behind it makes one, and changes nothing else.
      result = try process(AudioBuffer(channelCount: channelCount, frameCount: inputRate / outputRate))
    }
    while try step(input: nil, frames: 0, result: &result).produced > 0 {}
    return result
  }

  private func step(
    input: UnsafePointer<UnsafeRawPointer>?, frames: Int, result: inout AudioBuffer
  ) throws -> (consumed: Int, produced: Int) {
    var consumed = 0
    var produced = 0
    let failure = output.withUnsafeMutableBufferPointer { samples -> soxr_error_t? in
      let start = samples.baseAddress
      let targets = (0..<channelCount).map { channel in start.map { $0 + channel * Self.blockFrames } }
      return targets.withUnsafeBufferPointer { targets in
        soxr_process(
          handle, input.map { UnsafeRawPointer($0) }, frames, &consumed,
          targets.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) }, Self.blockFrames, &produced)
      }
    }
    if let failure { throw ResamplerError(message: String(cString: failure)) }
    if consumed == 0, produced == 0, frames > 0 { throw ResamplerError(message: "soxr takes no input") }
    for channel in 0..<channelCount {
      let first = channel * Self.blockFrames
      result.channels[channel].append(contentsOf: output[first..<first + produced])
    }
    return (consumed, produced)
  }
}

/// soxr's words for what went wrong.
package struct ResamplerError: Error {
  package let message: String
}
