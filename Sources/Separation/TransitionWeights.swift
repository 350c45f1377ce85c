import Foundation

/// The weight of each sample of a chunk where chunks overlap: a triangle, raised to a power.
public enum TransitionWeights {
  /// `weight` of `demucs.apply.apply_model`: 1, 2, ... up to the middle and down to 1 again, over its maximum, to
  /// the power of `power`. An even segment holds its maximum twice.
  /// - Parameters:
  ///   - segmentLength: samples of a whole chunk, at least 1.
  ///   - power: at least 1.
  /// - Returns: `segmentLength` weights, above 0 where `lowest` is, and at most 1.
  public static func triangle(segmentLength: Int, power: Double) -> [Float] {
    let rising = segmentLength / 2
    return (0..<segmentLength).map { index in
      weight(step: index < rising ? index + 1 : segmentLength - index, of: segmentLength, power: power)
    }
  }

  /// The weight of the last sample of a segment, the smallest there is; 0 if a float cannot hold it.
  public static func lowest(segmentLength: Int, power: Double) -> Float {
    weight(step: 1, of: segmentLength, power: power)
  }

  private static func weight(step: Int, of segmentLength: Int, power: Double) -> Float {
    let highest = segmentLength - segmentLength / 2
    let weight = Float(step) / Float(highest)
    return power == 1 ? weight : Float(pow(Double(weight), power))
  }
}
