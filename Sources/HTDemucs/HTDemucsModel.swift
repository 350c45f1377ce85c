import CKernels
import Checkpoints
import Layers
import Synchronization
import Tensors

/// A whole separation network: a segment of a mix in, the same segment of every source out.
///
/// Equals `demucs.htdemucs.HTDemucs.forward`, or `demucs.hdemucs.HDemucs.forward` if the checkpoint holds one. As many
/// segments are computed at a time as `prepare` was asked for; further calls from other threads wait.
public final class HTDemucsModel: @unchecked Sendable {
  public let network: InnerNetwork
  private let spectrogram: Spectrogram
  private let pool: WorkerPool
  private let desk: WorkspaceDesk
  /// Is told, once from one `prepare` to the next, of the first module of a segment whose result a narrow format could not
  /// hold.
  public var overflowHandler: (@Sendable (_ module: String) -> Void)?
  private let overflowIsReported = Atomic(false)

  public var configuration: Configuration { network.configuration }
  public var sources: [String] { configuration.sources }
  public var sampleRate: Int { configuration.sampleRate }
  public var audioChannels: Int { configuration.audioChannels }
  public var segmentLength: Int { configuration.segmentLength }
  public var usesTrainingSegment: Bool { configuration.usesTrainingSegment }
  public var takesLongSegments: Bool { configuration.takesLongSegments }

  /// - Parameters:
  ///   - checkpoint: weights and configuration.
  ///   - precision: which operations are rounded to what, as a device would.
  ///   - pool: the threads to compute with; results do not depend on their number.
  /// - Throws: `ConfigurationError`, `CheckpointError` or `PolicyError`.
  public convenience init(
    _ checkpoint: Checkpoint, precision: PrecisionPolicy = PrecisionPolicy(.fp32), pool: WorkerPool
  ) throws {
    try self.init(try InnerNetwork(checkpoint, precision: precision), pool: pool)
  }

  /// Puts STFT and iSTFT around a network.
  public init(_ network: InnerNetwork, pool: WorkerPool) throws {
    self.network = network
    spectrogram = try Spectrogram(
      fftSize: network.configuration.fftSize, framing: network.configuration.framing,
      margin: network.configuration.margin)
    self.pool = pool
    desk = WorkspaceDesk([Workspace(pool: pool)])
  }

  /// Shares the threads out for a song of that many segments.
  /// - Parameters:
  ///   - segments: segments that are to be separated.
  ///   - samples: the most samples of one; nil for `segmentLength`.
  ///   - atOnce: how many of them at the same time; nil leaves it to cores and memory.
  /// - Returns: how many calls of `separate` run at the same time from now on.
  public func prepare(segments: Int, samples: Int? = nil, atOnce: Int? = nil) -> Int {
    overflowIsReported.store(false, ordering: .relaxed)
    let threads = pool.threadCount
    let length = usesTrainingSegment ? segmentLength : samples ?? segmentLength
    let count =
      atOnce.map { max(1, min($0, segments)) }
      ?? Parallelism.segmentsAtOnce(
        threads: threads, segments: segments,
        bytesPerSegment: Int(configuration.segmentBytes(length)),
        availableBytes: threads > Parallelism.threadsPerSegment ? MemoryInReach.now.available : nil)
    if count != desk.count {
      desk.replace(
        with: count == 1
          ? [Workspace(pool: pool)]
          : Parallelism.shares(threads: threads, count: count).map { Workspace(pool: WorkerPool(threadCount: $0)) })
    }
    return count
  }

  /// Whether a segment of that many samples can be separated at all, and with the memory that is left.
  /// - Throws: `SegmentError` or `ConfigurationError` if not.
  public func check(segment samples: Int) throws {
    let length = usesTrainingSegment ? segmentLength : samples
    try configuration.checkLengths(length)
    try configuration.checkMemory(length, in: .now, held: workspaceBytes)
  }

  /// Separates one segment.
  /// - Parameters:
  ///   - mix: `[audio channels, samples]`; at most `segmentLength` samples if the network uses its training segment.
  ///   - taps: receives every intermediate tensor.
  ///   - profile: keeps account of where the time goes.
  /// - Returns: `[sources, audio channels, samples]`.
  public func separate(_ mix: Tensor, taps: TapRecorder? = nil, profile: Profile? = nil) throws -> Tensor {
    let overflows = kernel_overflow_count()
    let result = try compute(mix, taps: taps, profile: profile)
    // The count is that of the process: another segment may have raised it, and then there is nothing to be found here.
    if kernel_overflow_count() != overflows, let overflowHandler, !overflowIsReported.exchange(true, ordering: .relaxed)
    {
      if let module = try firstNotFinite(mix) {
        overflowHandler(module)
      } else {
        overflowIsReported.store(false, ordering: .relaxed)
      }
    }
    return result
  }

  private func compute(_ mix: Tensor, taps: TapRecorder? = nil, profile: Profile? = nil) throws -> Tensor {
    guard mix.shape.count == 2, mix.shape[0] == audioChannels else {
      throw SegmentError.channels(mix.shape.first ?? 0, expected: audioChannels)
    }
    let samples = mix.shape[1]
    guard samples > 0 else { throw SegmentError.empty }
    guard !usesTrainingSegment || samples <= segmentLength else {
      throw SegmentError.tooLong(samples, maximum: segmentLength)
    }
    let length = usesTrainingSegment ? segmentLength : samples
    if !usesTrainingSegment { try configuration.checkLengths(samples) }
    try configuration.checkMemory(length, in: .machine)
    return try desk.lend { workspace in
      workspace.reset()
      workspace.taps = taps
      workspace.profile = profile
      defer { (workspace.taps, workspace.profile) = (nil, nil) }
      return try workspace.measure("everything else") { try separate(mix, samples, workspace) }
    }
  }

  /// Where a segment first holds a number that its format cannot: an infinity, or a NaN.
  ///
  /// It is computed once more, and every intermediate tensor looked at.
  /// - Returns: the PyTorch module that returned it, or one of the names that docs/architecture.md adds; nil if there is
  ///   none.
  public func firstNotFinite(_ mix: Tensor) throws -> String? {
    let taps = TapRecorder(keeping: { _ in false }, watching: .fp32)
    _ = try compute(mix, taps: taps)
    return taps.firstNotFinite
  }

  /// Bytes of memory that activations take, once a segment has been separated.
  public var workspaceBytes: Int { desk.bytes }

  private func separate(_ mix: Tensor, _ samples: Int, _ workspace: Workspace) throws -> Tensor {
    let taps = workspace.taps
    let length = usesTrainingSegment ? segmentLength : samples
    let waveform = network.mixMap(mix, workspace.arena, length: length)
    let image = workspace.measure("STFT") {
      spectrogram.analyse(
        waveform.data, stride: waveform.stride, channels: audioChannels, length: length, workspace: workspace)
    }
    store(image, workspace)
    tap(taps, "input.spectrogram", image)
    let (x, xt) = try network.run(image, waveform, workspace: workspace)

    let signals = sources.count * audioChannels
    let result = Tensor(shape: [sources.count, audioChannels, samples], zeroed: false)
    // The two branches at the scale of the mix. Unless the values are to be stored, that is done on the way.
    let isStored = x.1.storage.isNarrow
    if isStored {
      x.1.restore(x.0, workspace: workspace)
      xt.1.restore(xt.0, workspace: workspace)
    }
    workspace.measure("inverse STFT") {
      spectrogram.synthesise(
        x.0, scale: isStored ? 1 : x.1.deviation, shift: isStored ? 0 : x.1.mean, length: samples, into: result.data,
        samples, workspace: workspace)
    }
    network.stftStorage.round(result.data, count: result.count)
    if taps != nil {
      if !isStored { x.1.restore(x.0, workspace: workspace) }
      tap(taps, "output.spectrogram", x.0)
    }
    let (scale, shift) = isStored ? (1, 0) : (xt.1.deviation, xt.1.mean)
    workspace.forEach(signals) { signal, _ in
      let timeBranch = xt.0.line(row: 0, channel: signal)
      let out = result.data + signal * samples
      for sample in 0..<samples { out[sample] += timeBranch[sample] * scale + shift }
      network.sumStorage.round(out, count: samples)
    }
    if let taps {
      if !isStored { xt.1.restore(xt.0, workspace: workspace) }
      let waveforms = Tensor(shape: [1, sources.count, audioChannels, length], zeroed: false)
      for signal in 0..<signals {
        (waveforms.data + signal * length).update(from: xt.0.line(row: 0, channel: signal), count: length)
      }
      taps.record("output.waveform", waveforms)
      taps.record("output", Tensor(shape: [1] + result.shape, values: result.elements))
    }
    return result
  }

  private func store(_ map: FeatureMap, _ workspace: Workspace) {
    guard network.stftStorage.isNarrow else { return }
    workspace.forEach(map.rows) { row, _ in
      network.stftStorage.round(map.row(row), stride: map.stride, lines: map.channels, columns: map.columns)
    }
  }

  /// Records a spectrogram as `[1, channels, frequencies, frames]`, or with sources as an axis of their own.
  private func tap(_ taps: TapRecorder?, _ name: String, _ map: FeatureMap) {
    guard let taps else { return }
    let flat = TapRecorder()
    flat.record(.image(name, rows: map.rows, channels: map.channels, columns: map.columns), map)
    guard let image = flat[name] else { return }
    let perSource = configuration.spectrogramChannels
    guard map.channels > perSource || name.hasPrefix("output") else { return taps.record(name, image) }
    taps.record(
      name,
      Tensor(
        shape: [1, map.channels / perSource, perSource, map.rows, map.columns], values: image.elements))
  }
}
