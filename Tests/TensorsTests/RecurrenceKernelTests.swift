import Foundation
import Testing

/// A step of an LSTM, and the penalty of attention that decays with distance.
struct RecurrenceKernelTests {
  /// Gates of 16 units lie together; what lies beyond the units of a row is left as it is.
  @Test(arguments: KernelSet.all, [1, 15, 16, 17, 40]) func aStepOfAnLSTM(set: KernelSet, units: Int) {
    var random = Random(UInt64(units))
    let (rows, outputStride) = (3, units + 2)
    let padded = (units + 15) / 16 * 16
    let gatesStride = 4 * padded + 5
    let gates = random.floats(rows * gatesStride).map { 4 * $0 }
    let before = random.floats(rows * padded)
    var cell = before
    var output = [Float](repeating: 42, count: rows * outputStride)
    set.run.lstm_step(&output, outputStride, &cell, gates, gatesStride, rows, units)
    func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    for row in 0..<rows {
      for unit in 0..<units {
        func gate(_ index: Int) -> Double {
          Double(gates[row * gatesStride + (unit / 16 * 4 + index) * 16 + unit % 16])
        }
        let state = sigmoid(gate(1)) * Double(before[row * padded + unit]) + sigmoid(gate(0)) * tanh(gate(2))
        #expect(abs(Double(cell[row * padded + unit]) - state) < 1e-6)
        #expect(abs(Double(output[row * outputStride + unit]) - sigmoid(gate(3)) * tanh(state)) < 1e-6)
      }
      #expect(output[row * outputStride + units..<(row + 1) * outputStride].allSatisfy { $0 == 42 })
    }
  }

  /// Queries before, among and after the keys.
  @Test(arguments: KernelSet.all, [-5, -1, 0, 3, 40]) func thePenaltyGrowsWithDistance(set: KernelSet, ahead: Int) {
    var random = Random(3)
    let (rows, keys, stride) = (4, 37, 41)
    let before = random.floats(rows * stride)
    let decay = random.floats(rows).map(abs)
    var scores = before
    set.run.distance_penalty(&scores, rows, keys, stride, ahead, decay, -100)
    for row in 0..<rows {
      for column in 0..<stride {
        let old = before[row * stride + column]
        let distance = abs(ahead + row - column)
        let expected =
          column >= keys ? old : distance == 0 ? -100 : old - decay[row] * Float(distance)
        #expect(abs(scores[row * stride + column] - expected) <= 4e-6)
      }
    }
  }
}
