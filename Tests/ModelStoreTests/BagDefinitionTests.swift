import Foundation
import ModelStore
import Testing

/// The YAML of bags: what demucs writes, and what nobody should.
struct BagDefinitionTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func bag(_ text: String) throws -> BagDefinition {
    try BagDefinition(yaml: try folder.write("bag.yaml", text))
  }

  @Test func asDemucsWritesThem() throws {
    #expect(try bag("models: ['955717e8']\n") == BagDefinition(models: ["955717e8"]))
    #expect(
      try bag(
        """
        models: ['0d19c1c6', '7ecf8ec1']
        weights: [
          [1., 1., 0., 0.],
          [0., 1., .5, 2e0],
        ]
        segment: 44
        """)
        == BagDefinition(models: ["0d19c1c6", "7ecf8ec1"], weights: [[1, 1, 0, 0], [0, 1, 0.5, 2]], segment: 44))
    #expect(
      try bag("# my bag\nmodels:\n  - a\n  - b\nweights: null\nsegment: ~\nauthor: me\n")
        == BagDefinition(models: ["a", "b"]))
  }

  /// Without quotes these would be numbers.
  @Test func signaturesAreText() throws {
    #expect(try bag("models: [12345678, 92e10000, 0x12, 1.50]").models == ["12345678", "92e10000", "0x12", "1.50"])
  }

  @Test(arguments: [
    ("", "empty"), ("models", "mapping"), ("[1, 2]", "mapping"), ("weights: [[1]]", "\"models\" is not a list"),
    ("models: a", "\"models\" is not a list"), ("models: []", "\"models\" is empty"),
    ("models: [[a]]", "not a name"), ("models: ['../../etc/passwd']", "cannot be part of a file's name"),
    ("models: ['']", "cannot be part of a file's name"), ("models: [a]\nsegment: 0", "more than 0"),
    ("models: [a]\nsegment: many", "not a number"), ("models: [a]\nsegment: nan", "more than 0"),
    ("models: [a]\nsegment: -inf", "more than 0"), ("models: [a]\nweights: 3", "list of lists"),
    ("models: [a]\nweights: [3]", "list of lists"), ("models: [a]\nweights: [['x']]", "not a number"),
    ("models: [a]\nweights: [[1], [1]]", "2 rows for 1 models"),
    ("models: [a, b]\nweights: [[1], [1, 2]]", "differ in length"), ("models: [a]\nweights: [[]]", "differ in length"),
    ("models: [a]\nweights: [[1, inf]]", "holds inf"), ("models: [a]\nweights: [[1, nan]]", "holds nan"),
    ("models: [a, b]\nweights: [[1, 1], [2, -1]]", "source 2 add up to 0"),
    ("models: [a]\nweights: [[1e-60]]", "add up to"), ("models: [a]\nweights: [[1e300]]", "add up to"),
    ("models: [a\n", "not YAML"), ("models: *a", "not YAML"), ("a: &a [*a]\nmodels: [x]", "not YAML"),
    ("\u{0}", "not YAML"), ("models: [a]\nmodels: [b]", "not YAML"),
  ])
  func refused(text: String, words: String) throws {
    let error = try #require(#expect(throws: ModelStoreError.self) { try bag(text) })
    #expect(error.description.contains("/bag.yaml: not a bag of models: "), "\(error)")
    #expect(error.description.contains(words), "\(error)")
    #expect(!error.description.contains("\n"))
  }

  /// Deep nesting, aliases of aliases and sheer size end soon and well.
  @Test func hostileFiles() throws {
    var laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    for level in 1..<30 {
      laughs += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ","))]\n"
    }
    for text in [
      String(repeating: "[", count: 60_000), String(repeating: "- ", count: 30_000),
      String(repeating: "{a: ", count: 16_000), "models: " + String(repeating: "[", count: 60_000),
      String(repeating: "? ", count: 30_000), laughs + "models: *a29\n", laughs + "models: [a]\nweights: *a29\n",
      String(repeating: "#", count: 100_000), "models: [\(Array(repeating: "a", count: 1000).joined(separator: ","))]",
    ] {
      let error = try #require(#expect(throws: ModelStoreError.self) { try bag(text) })
      #expect(error.description.utf8.count < 1000)
    }
    try Data([0xFF, 0xFE, 0x00, 0xD8]).write(to: URL(fileURLWithPath: folder.path + "/bag.yaml"))
    #expect(throws: ModelStoreError.self) { try BagDefinition(yaml: folder.path + "/bag.yaml") }
    #expect(throws: ModelStoreError.self) { try BagDefinition(yaml: folder.path) }
    #expect(throws: ModelStoreError.self) { try BagDefinition(yaml: folder.path + "/none.yaml") }
  }
}
