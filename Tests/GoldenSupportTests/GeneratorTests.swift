import Foundation
import GoldenSupport
import Tensors
import Testing

/// The test vectors of `docs/goldens.md`: the generator makes the oracle's weights and signals bit for bit.
struct GeneratorTests {
  struct Stream: Sendable {
    let name: String
    let salt: UInt64?
    let seed: UInt64
    let words: [UInt64]
    let uniform: [Float]
  }

  static let streams = [
    Stream(
      name: "", salt: nil, seed: 0xcbf2_9ce4_8422_2325,
      words: [0xc381_7c01_6ba4_ff30, 0x100c_daac_c0bc_9316, 0x54c3_a569_ecf6_1b1b],
      uniform: [0.5273890495300293, -0.8746078014373779, -0.3377794027328491]),
    Stream(
      name: "a", salt: nil, seed: 0xaf63_dc4c_8601_ec8c,
      words: [0x5f29_c2aa_dd9b_8527, 0xff84_f1bd_b6d3_884f, 0xfdfa_b147_e960_346e],
      uniform: [-0.25653815269470215, 0.9962445497512817, 0.9842129945755005]),
    Stream(
      name: "encoder.0.conv.weight", salt: nil, seed: 0x6596_024d_e875_2c17,
      words: [0xc4c3_792d_ef82_ea1d, 0x1226_13df_0a82_c9ad, 0x5389_5d7b_b0bd_5ed3],
      uniform: [0.5372153520584106, -0.8582130670547485, -0.3473705053329468]),
    Stream(
      name: "encoder.0.conv.weight", salt: 1, seed: 0x89b1_111f_da63_0ad6,
      words: [0x7da6_b985_ead3_7c38, 0x947e_c13f_a427_42ad, 0x3318_d9bd_1227_d1e4],
      uniform: [-0.018349528312683105, 0.1601182222366333, -0.6008042097091675]),
    Stream(
      name: "gr\u{f6}\u{df}e", salt: nil, seed: 0xb745_0e1e_f581_40da,
      words: [0xa9b5_4142_5f6e_8284, 0xae5e_bc8f_3979_2610, 0xcaea_8e33_b41f_5636],
      uniform: [0.3258439302444458, 0.36226606369018555, 0.5852830410003662]),
  ]

  @Test(arguments: streams) func streamsAreThoseOfTheOracle(stream: Stream) {
    #expect(CounterGenerator.seed(stream.name, salt: stream.salt) == stream.seed)
    #expect((0..<3).map { CounterGenerator.word(stream.seed, $0) } == stream.words)
    if stream.salt == nil {
      #expect(CounterGenerator.tensor(stream.name, [3]).values == stream.uniform)
      #expect(
        CounterGenerator.noise(stream.name, channels: 1, samples: 3).values == stream.uniform.map { $0 / 2 })
    }
  }

  @Test func noSaltAndSaltZeroAreTwoStreams() {
    #expect(CounterGenerator.seed("a", salt: 0) != CounterGenerator.seed("a"))
  }

  struct Parameter: Sendable {
    let name: String
    let shape: [Int]
    let first: [UInt32]
    let last: UInt32
  }

  static let parameters = [
    Parameter(
      name: "encoder.0.conv.weight", shape: [48, 4, 8, 1], first: [0x3e28_6f87, 0xbe86_8a30, 0xbdd9_d34e],
      last: 0xbd07_18ff),
    Parameter(
      name: "decoder.3.conv_tr.weight", shape: [48, 24, 8, 1],
      first: [0xbd97_055c, 0x3dc4_a0f1, 0x3c5b_f6b6],
      last: 0xbe08_9b8d),
    Parameter(
      name: "encoder.0.dconv.layers.0.6.scale", shape: [48], first: [0x3f50_1224, 0x3f0f_4340, 0x3ef2_4a8e],
      last: 0x3f70_0f20),
    Parameter(
      name: "crosstransformer.layers.0.norm1.weight", shape: [384],
      first: [0x3f08_f578, 0x3f8a_2f8b, 0x3f8c_a7c8],
      last: 0x3f8b_3db8),
    Parameter(
      name: "crosstransformer.layers.0.self_attn.in_proj_weight", shape: [1152, 384],
      first: [0xbc8f_4d51, 0x3e0c_2b86, 0xbd97_c743], last: 0x3da4_5664),
    Parameter(
      name: "crosstransformer.layers.0.linear1.weight", shape: [1536, 384],
      first: [0x3c6b_d8ee, 0xbd8a_1a17, 0x3d04_0ca4], last: 0xbd96_2420),
    Parameter(
      name: "encoder.0.conv.bias", shape: [48], first: [0xbe1c_97fd, 0xbe83_20da, 0xbe84_63b6],
      last: 0xbe18_3326),
    Parameter(
      name: "freq_emb.embedding.weight", shape: [512, 48], first: [0xbde9_f427, 0x3ed1_b46a, 0xbf02_3882],
      last: 0x3ef2_9b17),
  ]

  @Test(arguments: parameters) func parametersAreThoseOfTheOracle(parameter: Parameter) {
    let bits = CounterGenerator.parameter(parameter.name, parameter.shape).values.map(\.bitPattern)
    #expect(Array(bits.prefix(3)) == parameter.first)
    #expect(bits.last == parameter.last)
  }

  @Test func positionsAreThoseOfTheOracle() {
    let size = 48 * 512 * 336
    let positions = CounterGenerator.positions("encoder.0", size: size, count: 9)
    #expect(Array(positions.prefix(4)) == [3_044_737, 4_235_654, 6_360_493, 5_161_781])
    #expect(CounterGenerator.positions("encoder.0", size: size, count: 4) == Array(positions.prefix(4)))
  }
}
