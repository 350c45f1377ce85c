/// Where a sample of a reflect-padded signal comes from: `demucs.hdemucs.pad1d(mode='reflect')`.
///
/// A signal no longer than the larger padding is first extended by zeros, as many as reflection then needs, on the right as
/// far as the right padding goes and on the left beyond that.
public struct ReflectPadding: Sendable {
  public let length: Int
  public let left: Int
  public let right: Int
  private let zerosLeft: Int
  private let extended: Int

  /// - Parameters:
  ///   - length: samples of the signal, at least 1.
  ///   - left, right: samples to put before and after it.
  public init(length: Int, left: Int, right: Int) {
    self.length = length
    self.left = left
    self.right = right
    let longest = max(left, right)
    let extra = length <= longest ? longest - length + 1 : 0
    let zerosRight = min(right, extra)
    zerosLeft = extra - zerosRight
    extended = length + extra
  }

  public var paddedLength: Int { left + length + right }

  /// Index into the signal for an index into the padded one; nil where there is a zero.
  public func source(_ index: Int) -> Int? {
    var position = index - left + zerosLeft
    if position < 0 { position = -position }
    if position >= extended { position = 2 * (extended - 1) - position }
    position -= zerosLeft
    return position >= 0 && position < length ? position : nil
  }

  /// Writes the padded signal.
  public func apply(_ signal: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
    for index in 0..<left { out[index] = source(index).map { signal[$0] } ?? 0 }
    (out + left).update(from: signal, count: length)
    for index in left + length..<paddedLength { out[index] = source(index).map { signal[$0] } ?? 0 }
  }
}
