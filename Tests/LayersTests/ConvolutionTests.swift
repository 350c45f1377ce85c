import GoldenSupport
import Layers
import Tensors
import Testing

/// `torch.nn.Conv1d` and `torch.nn.Conv2d`.
struct ConvolutionTests {
  /// Cuts `columns` into pieces of `width`.
  static func pieces(_ columns: Int, _ width: Int) -> [(start: Int, count: Int)] {
    stride(from: 0, to: columns, by: width).map { ($0, min(width, columns - $0)) }
  }

  /// The output `[out, rows, columns]` of an input `[in, rows, columns]`, made tile by tile.
  static func run(_ convolution: Convolution, _ input: Tensor, tile: Int) -> Tensor {
    let arena = Arena()
    let map = FeatureMap(input, in: arena, margin: max(1, convolution.reach))
    let rows = convolution.outputRows(map.rows)
    let result = Tensor(shape: [convolution.outputChannels, rows, map.columns])
    for row in 0..<rows {
      for (start, count) in pieces(map.columns, tile) {
        // A stride beyond the tile, with a guard behind every line.
        let out = Tensor(
          shape: [convolution.outputChannels, count + 3],
          values: [Float](
            repeating: 99, count: convolution.outputChannels * (count + 3)))
        convolution.apply(
          map, row: row, column: start, columns: count, into: out.data, count + 3, scratch: arena)
        for channel in 0..<convolution.outputChannels {
          for column in 0..<count {
            result.data[(channel * rows + row) * map.columns + start + column] =
              out.data[channel * (count + 3) + column] + convolution.bias.data[channel]
          }
          #expect(
            (count..<count + 3).allSatisfy { out.data[channel * (count + 3) + $0] == 99 }, "wrote too far")
        }
      }
    }
    return result
  }

  @Test(arguments: LayerCase.names("conv1d"), [1 << 20, 13])
  func alongColumns(name: String, tile: Int) throws {
    let layer = try LayerCase(name)
    let weight = try layer.weight("weight")
    let bias = try layer.weight("bias")
    let input = try layer.input()
    let (stride, padding) = (try layer.integer("stride"), try layer.integer("padding"))
    let items = try (0..<input.shape[0]).map { index -> Tensor in
      let item = input.item(index)
      if stride > 1 {
        return Self.run(
          StridedConvolution(weight: weight, bias: bias, stride: stride, padding: padding), item, tile)
      }
      let convolution = Convolution(
        weight: weight, bias: bias, columnPadding: padding, columnDilation: try layer.integer("dilation"))
      let result = Self.run(convolution, item, tile: tile)
      return Tensor(shape: [result.shape[0], result.shape[2]], values: result.values)
    }
    let deviation = try layer.deviation(Tensor(items: items))
    #expect(deviation.relativeError < 5e-7, "\(deviation)")
  }

  static func run(_ convolution: StridedConvolution, _ input: Tensor, _ tile: Int) -> Tensor {
    let arena = Arena()
    let map = FeatureMap(input, in: arena, margin: 0)
    let columns = convolution.outputLength(map.columns)
    let result = Tensor(shape: [convolution.outputChannels, columns])
    for (start, count) in pieces(columns, tile) {
      convolution.apply(
        map, column: start, columns: count, into: result.data + start, columns, scratch: arena)
    }
    for channel in 0..<convolution.outputChannels {
      for column in 0..<columns { result.data[channel * columns + column] += convolution.bias.data[channel] }
    }
    return result
  }

  @Test(arguments: LayerCase.names("conv2d"), [1 << 20, 5])
  func alongRowsAndColumns(name: String, tile: Int) throws {
    let layer = try LayerCase(name)
    func pair(_ key: String) throws -> [Int] {
      let numbers = layer[key]?.arrayValue?.compactMap(\.intValue)
      return try #require(numbers)
    }
    let (stride, padding) = (try pair("stride"), try pair("padding"))
    try #require(stride[1] == 1)
    let convolution = Convolution(
      weight: try layer.weight("weight"), bias: try layer.weight("bias"), rowStride: stride[0],
      rowPadding: padding[0], columnPadding: padding[1])
    let output = Self.run(convolution, try layer.input().item(0), tile: tile)
    let deviation = try layer.deviation(Tensor(items: [output]))
    #expect(deviation.relativeError < 5e-7, "\(deviation)")
  }

  /// A kernel of ones counts the values that it meets: what lies beyond the ends of the map is zero.
  @Test func countsWhatLiesInside() {
    let weight = Tensor(shape: [1, 1, 3, 3], values: [Float](repeating: 1, count: 9))
    let convolution = Convolution(weight: weight, bias: Tensor(shape: [1]), rowPadding: 1, columnPadding: 1)
    let ones = Tensor(shape: [1, 3, 4], values: [Float](repeating: 1, count: 12))
    let output = Self.run(convolution, ones, tile: 4)
    #expect(output.values == [4, 6, 6, 4, 6, 9, 9, 6, 4, 6, 6, 4])
  }

  /// Kernels of three columns on many channels take another way: against a double loop, with and without rows around, and
  /// several rows at once to the same bits as one at a time.
  @Test(arguments: [(1, 1), (3, 6), (3, 1), (2, 5)], [4, 37, 130]) func winograd(
    shape: (kernel: Int, rows: Int), columns: Int
  ) {
    let (inputs, outputs) = (34, 33)
    var random = SystemRandomNumberGenerator()
    func noise(_ shape: [Int]) -> Tensor {
      let count = shape.reduce(1, *)
      return Tensor(shape: shape, values: (0..<count).map { _ in Float.random(in: -1...1, using: &random) })
    }
    let padding = shape.kernel / 2
    let weight = noise([outputs, inputs, shape.kernel, 3])
    let convolution = Convolution(weight: weight, bias: noise([outputs]), rowPadding: padding, columnPadding: 1)
    let input = noise([inputs, shape.rows, columns])
    let found = Self.run(convolution, input, tile: 1 << 20)
    let outputRows = convolution.outputRows(shape.rows)
    var (error, size) = (0.0, 0.0)
    for o in 0..<outputs {
      for row in 0..<outputRows {
        for column in 0..<columns {
          var sum = Double(convolution.bias.data[o])
          for i in 0..<inputs {
            for r in 0..<shape.kernel where (0..<shape.rows).contains(row + r - padding) {
              for tap in 0..<3 where (0..<columns).contains(column + tap - 1) {
                sum +=
                  Double(weight.data[((o * inputs + i) * shape.kernel + r) * 3 + tap])
                  * Double(input.data[(i * shape.rows + row + r - padding) * columns + column + tap - 1])
              }
            }
          }
          let difference = Double(found.data[(o * outputRows + row) * columns + column]) - sum
          error += difference * difference
          size += sum * sum
        }
      }
    }
    #expect((error / size).squareRoot() < 5e-7)

    let arena = Arena()
    let map = FeatureMap(input, in: arena, margin: 1)
    func rows(_ atOnce: Int) -> [Float] {
      let out = Tensor(shape: [outputRows, outputs, columns])
      for row in stride(from: 0, to: outputRows, by: atOnce) {
        convolution.apply(
          map, row: row, rowCount: min(atOnce, outputRows - row), column: 0, columns: columns,
          into: out.data + row * outputs * columns, columns, scratch: arena)
      }
      return out.values
    }
    for atOnce in 2...4 { #expect(rows(atOnce) == rows(1)) }
  }
}
