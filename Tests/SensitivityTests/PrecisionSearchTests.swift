import Sensitivity
import Testing

/// What is taken out first when noises are too loud.
struct PrecisionSearchTests {
  @Test func takesOutWhatSavesTheMostForItsCost() {
    var chosen: [Int] = []
    // The loudest is dear; two cheap ones are enough.
    let items: [(noise: [Double], cost: Double)] = [
      ([5, 0], 0.5), ([3, 0], 0.01), ([2.5, 0], 0.01), ([0.1, 0.1], 0.001),
    ]
    #expect(SensitivityAnalysis.greedy(items, bound: [5.5, 1], chosen: &chosen))
    #expect(chosen.sorted() == [1, 2])
  }

  @Test func looksAtEveryStem() {
    var chosen: [Int] = []
    let items: [(noise: [Double], cost: Double)] = [([9, 0], 0.1), ([0, 2], 0.1), ([0, 0.5], 0.1)]
    #expect(SensitivityAnalysis.greedy(items, bound: [10, 1], chosen: &chosen))
    #expect(chosen == [1])
  }

  @Test func stopsWhenNothingIsLeft() {
    var chosen: [Int] = []
    #expect(SensitivityAnalysis.greedy([([1], 0.1)], bound: [-1], chosen: &chosen))
    #expect(chosen == [0])
    #expect(!SensitivityAnalysis.greedy([([1], 0.1)], bound: [-1], chosen: &chosen))
  }
}
