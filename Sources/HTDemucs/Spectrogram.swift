import CKernels
import Layers
import Spectral
import Tensors

/// The spectrogram as the network sees it: `_spec`, `_magnitude`, `_mask` and `_ispec` of `demucs.htdemucs.HTDemucs` with
/// `cac=True`.
///
/// The signal is reflect-padded by one and a half hops, so that frame t is centred on the middle of hop t and there is
/// one frame a hop. Real and imaginary parts are channels; the Nyquist bin is left out.
package final class Spectrogram: Sendable {
  /// How frames lie on the samples.
  package enum Framing: Sendable {
    /// Frame t is centred on the middle of hop t, both ways, and reflections of the signal lie beyond its ends.
    case centred
    /// `hybrid_old` of `demucs.hdemucs.HDemucs`, a slip that some models were trained with: silence beyond the ends, and
    /// what comes back is one and a half hops late.
    case delayed
  }

  let transform: ShortTimeFourierTransform
  private let framing: Framing
  private let margin: Int

  package init(fftSize: Int, framing: Framing = .centred, margin: Int) throws {
    guard let transform = ShortTimeFourierTransform(size: fftSize, hop: fftSize / 4) else {
      throw ConfigurationError.invalid(
        parameter: "nfft", value: "\(fftSize)", expected: "a size that FFTW can transform")
    }
    self.transform = transform
    self.framing = framing
    self.margin = margin
  }

  var frequencies: Int { transform.size / 2 }

  func frames(_ length: Int) -> Int { (length + transform.hop - 1) / transform.hop }

  /// - Parameter mix: `channels` signals of `length` samples, `stride` apart.
  /// - Returns: `[frequencies, 2 x channels, frames]`.
  package func analyse(
    _ mix: UnsafePointer<Float>, stride: Int, channels: Int, length: Int, workspace: Workspace
  ) -> FeatureMap {
    let frames = frames(length)
    let hop = transform.hop
    let output = FeatureMap(
      in: workspace.arena, rows: frequencies, channels: 2 * channels, columns: frames, margin: margin)
    let mark = workspace.arena.mark
    let pad = hop / 2 * 3
    let padding = ReflectPadding(length: length, left: pad, right: pad + frames * hop - length)
    let padded = workspace.arena.allocate(channels * padding.paddedLength)
    for channel in 0..<channels {
      let line = padded + channel * padding.paddedLength
      switch framing {
      case .centred: padding.apply(mix + channel * stride, into: line)
      case .delayed:
        line.update(repeating: 0, count: padding.paddedLength)
        (line + pad).update(from: mix + channel * stride, count: length)
      }
    }
    // A block of frames at a time, turned from frames to lines of time on the way out.
    let block = 16
    let blocks = (frames + block - 1) / block
    let binStride = (2 * transform.binCount + 15) & ~15
    workspace.forEach(channels * blocks) { unit, scratch in
      let (channel, index) = unit.quotientAndRemainder(dividingBy: blocks)
      let first = index * block
      let count = min(block, frames - first)
      let spectra = scratch.allocate(block * binStride)
      let work = scratch.allocate(transform.scratchCount)
      for frame in 0..<count {
        transform.analyse(
          padded + channel * padding.paddedLength + (first + frame) * hop, into: spectra + frame * binStride,
          scratch: work)
      }
      for frequency in 0..<frequencies {
        let real = output.line(row: frequency, channel: 2 * channel) + first
        let imaginary = output.line(row: frequency, channel: 2 * channel + 1) + first
        for frame in 0..<count {
          real[frame] = spectra[frame * binStride + 2 * frequency]
          imaginary[frame] = spectra[frame * binStride + 2 * frequency + 1]
        }
      }
    }
    workspace.arena.rewind(to: mark)
    return output
  }

  /// The waveforms of many spectrograms at once.
  /// - Parameters:
  ///   - spectrogram: `[frequencies, 2 x signals, frames]`; each value is taken as value x `scale` + `shift`.
  ///   - out: `signals` lines of `length` samples, `outStride` apart, written.
  package func synthesise(
    _ spectrogram: FeatureMap, scale: Float = 1, shift: Float = 0, length: Int,
    into out: UnsafeMutablePointer<Float>, _ outStride: Int, workspace: Workspace
  ) {
    let signals = spectrogram.channels / 2
    let frames = spectrogram.columns
    let hop = transform.hop
    let size = transform.size
    let binStride = (2 * transform.binCount + 15) & ~15
    // A unit makes some hops of one signal, from all frames that reach them.
    let hops = 64
    let units = (length + hops * hop - 1) / (hops * hop)
    // Frame t starts one and a half hops before hop t, or with it.
    let lead = framing == .centred ? hop / 2 * 3 : 0
    let envelope = (0..<hop).map { 1 / transform.envelope(at: $0 + lead) }
    // Of late frames, one that PyTorch's window envelope counts elsewhere is missing from the first hop.
    let firstEnvelope =
      framing == .centred
      ? envelope : (0..<hop).map { 1 / transform.envelope(at: $0, frames: transform.size / hop - 1) }
    workspace.forEach(signals * units) { unit, scratch in
      let (signal, index) = unit.quotientAndRemainder(dividingBy: units)
      let start = index * hops * hop
      let end = min(length, start + hops * hop)
      let target = out + signal * outStride
      (target + start).update(repeating: 0, count: end - start)
      let first = max(0, (start + lead - size) / hop)
      let last = min(frames - 1, (end - 1 + lead) / hop)
      guard first <= last else { return }
      let count = last - first + 1
      let spectra = scratch.allocate(count * binStride)
      let work = scratch.allocate(transform.scratchCount)
      kernel_gather_spectra(
        spectra, binStride, spectrogram.line(row: 0, channel: 2 * signal) + first,
        spectrogram.line(row: 0, channel: 2 * signal + 1) + first, spectrogram.channels * spectrogram.stride,
        frequencies, count, scale, shift)
      for frame in 0..<count {
        let spectrum = spectra + frame * binStride
        spectrum[2 * frequencies] = 0
        spectrum[2 * frequencies + 1] = 0
        let position = (first + frame) * hop - lead
        let from = max(start, position)
        let to = min(end, position + size)
        guard from < to else { continue }
        transform.synthesise(
          spectrum, range: from - position..<to - position, addingTo: target + from, scratch: work)
      }
      for sample in start..<end {
        target[sample] *= sample < hop ? firstEnvelope[sample] : envelope[sample % hop]
      }
    }
  }
}
