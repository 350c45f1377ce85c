/// An exact ratio in lowest terms, as checkpoint metadata stores it:
/// `{"_type": "fraction", "numerator": 39, "denominator": 5}` is a segment of 39/5 = 7.8 seconds.
public struct Fraction: Sendable, Equatable, CustomStringConvertible {
  public let numerator: Int
  /// At least 1.
  public let denominator: Int

  /// - Returns: nil unless the denominator is positive.
  public init?(_ numerator: Int, _ denominator: Int) {
    guard denominator > 0 else { return nil }
    // Euclid; the divisor is at least 1 because the denominator is, so nothing below can overflow.
    var divisor = denominator
    var rest = Int(clamping: numerator.magnitude % denominator.magnitude)
    while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
    self.numerator = numerator / divisor
    self.denominator = denominator / divisor
  }

  public var doubleValue: Double { Double(numerator) / Double(denominator) }

  /// The product with `factor`, rounded towards zero as Python's `int(fraction * factor)` does it; nil where
  /// it does not fit. 39/5 s x 44100 Hz = 343980 samples.
  public func truncatedProduct(_ factor: Int) -> Int? {
    let (product, overflow) = numerator.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product / denominator
  }

  public var description: String { "\(numerator)/\(denominator)" }
}

extension JSONValue {
  /// The value of a `{"_type": "fraction", ...}` object.
  public var fractionValue: Fraction? {
    guard self["_type"]?.stringValue == "fraction", let numerator = self["numerator"]?.intValue,
      let denominator = self["denominator"]?.intValue
    else { return nil }
    return Fraction(numerator, denominator)
  }

  /// The JSON form of a fraction.
  public static func fraction(_ fraction: Fraction) -> JSONValue {
    .object([
      "_type": .string("fraction"), "numerator": .integer(fraction.numerator),
      "denominator": .integer(fraction.denominator),
    ])
  }
}
