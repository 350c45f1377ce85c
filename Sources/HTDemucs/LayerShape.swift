import Checkpoints

/// The shape of one level of the U-Net: an encoder layer, its decoder layer, and the same of the time branch.
struct LayerShape: Sendable {
  /// Whether the layer works on frequencies; after the branches have merged it works on time.
  let isFrequency: Bool
  /// The layer that brings the frequencies down to one, where the branches merge.
  let isLastFrequency: Bool
  let kernel: Int
  let stride: Int
  /// Padding of the convolution on both sides: a quarter of the kernel, none where the branches merge.
  let padding: Int
  let hasNorm: Bool
  /// What the residual branches have beside convolutions.
  let context: DConvContext
  let inputChannels: Int
  let outputChannels: Int
  /// Channels that the decoder layer gives back.
  let decoderChannels: Int
  /// Rows (frequencies) that go in and come out.
  let inputRows: Int
  let outputRows: Int
  /// The layer of the time branch; nil once the branches have merged.
  let time: TimeShape?

  /// Columns beyond an end that its decoder layer reads, when it works on time.
  var columnReach: Int { isFrequency ? 0 : (kernel + stride - 1) / stride }

  struct TimeShape: Sendable {
    let kernel: Int
    let stride: Int
    let inputChannels: Int
    let outputChannels: Int
    let decoderChannels: Int
    var padding: Int { kernel / 4 }
    var columnReach: Int { (kernel + stride - 1) / stride }
  }
}

extension Configuration {
  /// Rows and columns of the frequency branch and samples of the time branch for a segment of `samples` samples, outside
  /// layer 0 first and innermost last.
  package func shapes(_ samples: Int) -> (image: [(rows: Int, columns: Int)], time: [Int]) {
    var image = [(rows: frequencies, columns: frames(samples))]
    var time = [samples]
    for layer in layers {
      let columns = image[image.count - 1].columns
      image.append((layer.outputRows, layer.isFrequency ? columns : (columns + layer.stride - 1) / layer.stride))
      guard let branch = layer.time else { continue }
      time.append((time[time.count - 1] + branch.stride - 1) / branch.stride)
    }
    return (image, time)
  }

  /// Follows a segment of `samples` samples through both branches, down and up again.
  /// - Throws: `ConfigurationError` where the branches do not meet, or a layer cannot give back what it took: what PyTorch
  ///   finds out by an assertion.
  func checkLengths(_ samples: Int) throws {
    var columns = frames(samples)
    var length = samples
    for (index, layer) in layers.enumerated() {
      if let time = layer.time {
        length = try Self.shortened(
          length, kernel: time.kernel, stride: time.stride, padding: time.padding, layer: index, of: samples)
        guard !layer.isLastFrequency || length == columns else {
          throw ConfigurationError.inconsistent(
            "where the branches merge, layer \(index) has \(length) steps of time for \(columns) frames")
        }
      }
      if !layer.isFrequency {
        columns = try Self.shortened(
          columns, kernel: layer.kernel, stride: layer.stride, padding: layer.padding, layer: index, of: samples)
      }
    }
  }

  private static func shortened(
    _ length: Int, kernel: Int, stride: Int, padding: Int, layer: Int, of samples: Int
  ) throws -> Int {
    let padded = (length + stride - 1) / stride * stride
    let result = padded + 2 * padding >= kernel ? (padded + 2 * padding - kernel) / stride + 1 : 0
    guard result >= 1, (result - 1) * stride + kernel - padding >= length else {
      throw ConfigurationError.inconsistent(
        "layer \(layer) of the time branch cannot take \(length) steps and give them back, in a segment of \(samples)"
          + " samples (kernel_size and stride do not fit)")
    }
    return result
  }
}

extension Configuration {
  /// Follows the constructor, which is the same for HDemucs and HTDemucs, through its layers.
  /// - Parameter context: what the residual branches of a layer have beside convolutions.
  static func layerShapes(
    _ arguments: Arguments, depth: Int, fftSize: Int, audioChannels: Int, sourceCount: Int,
    context: (_ layer: Int) -> DConvContext
  ) throws -> [LayerShape] {
    let channels = try arguments.integer("channels", 48, in: 1...65536)
    let growth = try arguments.number("growth", 2, in: 0.01...64)
    let kernel = try arguments.integer("kernel_size", 8, in: 1...1024)
    let stride = try arguments.integer("stride", 4, in: 1...1024)
    let timeStride = try arguments.integer("time_stride", 2, in: 1...1024)
    let normStarts = try arguments.integer("norm_starts", 4, in: 0...1024)
    let timeChannels =
      arguments["channels_time"]?.isNull ?? true
      ? 0 : try arguments.integer("channels_time", 0, in: 0...65536)

    var shapes: [LayerShape] = []
    var timeIn = audioChannels
    var frequencyIn = 2 * audioChannels
    var timeOut = timeChannels > 0 ? timeChannels : channels
    var frequencyOut = channels
    var timeDecoder = audioChannels * sourceCount
    var frequencyDecoder = 2 * timeDecoder
    var frequencies = fftSize / 2
    for index in 0..<depth {
      let isFrequency = frequencies > 1
      let isLast = isFrequency && frequencies <= kernel
      let size = isFrequency ? (isLast ? frequencies : kernel) : 2 * timeStride
      let step = isFrequency ? stride : timeStride
      let padding = isLast ? 0 : size / 4
      let outputRows = isFrequency ? (frequencies + 2 * padding - size) / step + 1 : 1
      if isLast {
        frequencyOut = max(timeOut, frequencyOut)
        timeOut = frequencyOut
      }
      guard timeOut > 0, frequencyOut > 0, max(timeOut, frequencyOut) <= 1 << 20 else {
        throw ConfigurationError.inconsistent("layer \(index) would have \(frequencyOut) channels")
      }
      shapes.append(
        LayerShape(
          isFrequency: isFrequency, isLastFrequency: isLast, kernel: size, stride: step, padding: padding,
          hasNorm: index >= normStarts, context: context(index), inputChannels: frequencyIn,
          outputChannels: frequencyOut,
          decoderChannels: frequencyDecoder, inputRows: frequencies, outputRows: outputRows,
          time: isFrequency
            ? .init(
              kernel: kernel, stride: stride, inputChannels: timeIn, outputChannels: timeOut,
              decoderChannels: timeDecoder) : nil))
      if isFrequency {
        let next = isLast ? 1 : frequencies / step
        let back = (outputRows - 1) * step + size - 2 * padding
        guard outputRows >= 1, next == outputRows, back == frequencies else {
          throw ConfigurationError.inconsistent(
            "layer \(index) takes \(frequencies) frequencies to \(outputRows) and back to \(back)"
              + " (nfft, kernel_size and stride do not fit together)")
        }
        frequencies = next
      }
      timeIn = timeOut
      frequencyIn = frequencyOut
      timeDecoder = timeOut
      frequencyDecoder = frequencyOut
      timeOut = Int(growth * Double(timeOut))
      frequencyOut = Int(growth * Double(frequencyOut))
    }
    return shapes
  }
}
