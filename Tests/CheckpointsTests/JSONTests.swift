import Checkpoints
import Testing

@Suite struct JSONTests {
  @Test func valuesOfEveryKind() throws {
    let text =
      #" {"a":[null,true,false,-0,12,-2.5e-1,1E2],"b":{"é\u00e9\ud83d\ude00":"\"\\\/\b\f\n\r\t"},"":[]} "#
    #expect(
      try JSONValue(parsing: text)
        == .object([
          "a": .array([
            .null, .bool(true), .bool(false), .integer(0), .integer(12), .number(-0.25), .number(100),
          ]),
          "b": .object(["éé😀": .string("\"\\/\u{8}\u{C}\n\r\t")]),
          "": .array([]),
        ]))
  }

  @Test func integersStayExact() throws {
    #expect(try JSONValue(parsing: "9007199254740993").intValue == 9_007_199_254_740_993)
    #expect(try JSONValue(parsing: "-9223372036854775808").intValue == .min)
    // Beyond 64 bits it is a number, not a wrong integer.
    #expect(try JSONValue(parsing: "9223372036854775808") == .number(0x1p63))
    #expect(try JSONValue(parsing: "2.0").intValue == nil)
  }

  @Test(arguments: [
    "", " ", "{", "[", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "{1:2}", "[1 2]", "nul", "truex", "+1", "01",
    "-", "1.", ".5", "1e", "1e999", "NaN", "Infinity", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
    "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\n\"", "{\"a\":1,\"a\":2}", "{} {}", "'a'",
  ])
  func refused(text: String) {
    #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
  }

  @Test func stringsMustBeUTF8() {
    let bytes: [UInt8] = [0x22, 0xC3, 0x28, 0x22]
    #expect(throws: JSONError.self) { try bytes.withUnsafeBytes { try JSONValue(parsing: $0) } }
  }

  @Test func limits() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(try JSONValue(parsing: nested(33)).arrayValue?.count == 1)
    let error = #expect(throws: JSONError.self) { try JSONValue(parsing: nested(34)) }
    #expect(error?.description == "nesting deeper than 32 at byte 33")
    #expect(throws: JSONError.self) { try JSONValue(parsing: nested(1_000_000)) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: "[1,2,3]", maximumSize: 6) }
    #expect(try JSONValue(parsing: "[1,2,3]", maximumSize: 7).arrayValue?.count == 3)
  }

  @Test func textReadsBack() throws {
    let value: JSONValue = .object([
      "z": .array([.null, .bool(true), .integer(-7), .number(2.5), .number(1e-300), .number(1e300)]),
      "a": .string("\u{1}\"\\\n\t é😀\u{1F}"), "f": .object([:]),
    ])
    #expect(try JSONValue(parsing: value.text) == value)
    #expect(JSONValue.object(["b": .integer(1), "a": .string("\u{1}")]).text == #"{"a":"\u0001","b":1}"#)
  }

  @Test func fractions() throws {
    let segment = try JSONValue(parsing: #"{"_type": "fraction", "numerator": 39, "denominator": 5}"#)
    #expect(segment.fractionValue == Fraction(39, 5))
    #expect(segment.doubleValue == 7.8)
    #expect(segment.fractionValue?.truncatedProduct(44100) == 343_980)
    #expect(Fraction(-78, 10) == Fraction(-39, 5) && Fraction(0, 7)?.denominator == 1)
    #expect(Fraction(-7, 2)?.truncatedProduct(1) == -3)
    #expect(Fraction(.max, 2)?.truncatedProduct(3) == nil)
    #expect(Fraction(.min, .max)?.numerator == .min)
    #expect(Fraction(1, 0) == nil && Fraction(1, -2) == nil)
    #expect(
      try JSONValue(parsing: #"{"_type":"fraction","numerator":1,"denominator":0}"#).fractionValue == nil)
    #expect(try JSONValue(parsing: #"{"numerator":1,"denominator":2}"#).fractionValue == nil)
    #expect(JSONValue.fraction(try #require(Fraction(39, 5))) == segment)
  }
}
